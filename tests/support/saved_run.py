"""A made-up run as the stages would leave it, and readers of figures, for the tests of figures."""

import dataclasses
import json

from replication.presets import PRESETS
from replication.report.tables import write_table
from replication.rnn import component_tests
from replication.runs import files, folders, records

import numpy as np

CONFIG = dataclasses.replace(PRESETS["quick"], run="mine", task="car_racing_v3")
VAE_LOG = [
    {
        "step": 20 * (i + 1), "seconds": 2.0 * (i + 1), "epoch": i // 10 + 1,
        "loss": 40 + 900 * 0.8**i, "recon": 24 + 890 * 0.8**i, "kl": 16 + 10 * 0.8**i,
        "held_out_loss": 45 + 880 * 0.8**i, "held_out_recon": 28 + 870 * 0.8**i,
        "held_out_kl": 17 + 10 * 0.8**i, "active_dimensions": 12,
    }
    for i in range(30)
]  # fmt: skip
RNN_LOG = [
    {
        "step": 10 * (i + 1), "seconds": 3.0 * (i + 1), "epoch": i // 4 + 1,
        "loss": 1.1 + 0.3 * 0.7**i, "nll": 1.1 + 0.3 * 0.7**i,
        "held_out_nll": 1.15 + 0.3 * 0.7**i, "baseline_nll": 1.31,
    }
    for i in range(12)
]  # fmt: skip
CONTROLLER_LOG = [
    {
        "step": i, "seconds": 15.0 * i, "best": 30.0 * i, "mean": 20.0 * i - 40,
        "worst": 12.0 * i - 70, "std": 20.0, "sigma": 0.1, "frames": 16_000, "processes": 2,
        **({"eval_mean": 22.0 * i, "eval_std": 30.0, "eval_episodes": 16} if i % 6 == 0 else {}),
    }
    for i in range(1, 13)
]  # fmt: skip
VAEGAN_LOG = [
    {
        "step": 50 * (i + 1), "seconds": 9.0 * (i + 1), "epoch": i // 20 + 1,
        "encoder": 3000.0 - 40 * i, "decoder": 1.5 - 0.1 * i, "discriminator": 1.2 + i % 3,
        "accuracy_real": 0.6 + i % 2 / 10, "accuracy_reconstructed": 0.7 - i % 2 / 10,
        "accuracy_sampled": 0.8, "recon": 700.0 - i, "kl": 60.0 + i % 5,
        "held_out_recon": 710.0 - i, "held_out_kl": 61.0,
    }
    for i in range(40)
]  # fmt: skip
RETURNS = [200.0 + 37 * (i % 7) - 11 * (i % 5) for i in range(16)]


def write_stage(name: str, **facts) -> None:
    """The done.json of a stage, with `facts` in it; its output is its name."""
    folder = folders.stage_folder(CONFIG, name)
    folder.mkdir(parents=True, exist_ok=True)
    record = {"identity": records.identity(CONFIG, name), "output": name, "seconds": 90.0}
    record |= {"reached": f"all of {name}", "processes": 1}
    files.write_json(folder / "done.json", record | facts)


def write_log(name: str, lines: list[dict]) -> None:
    folder = folders.stage_folder(CONFIG, name)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def write_evaluation() -> None:
    """Two evaluations of the run's C: one over 16 tracks, one over the first of them."""
    score = {
        "controller": "train_controller",
        "mean": float(np.mean(RETURNS)),
        "std": float(np.std(RETURNS)),
    }
    score |= {"min": min(RETURNS), "max": max(RETURNS), "episodes": len(RETURNS), "seed": 0}
    returns = [{"seed": 2**32 + i, "return": r, "frames": 1000} for i, r in enumerate(RETURNS)]
    folder = folders.stage_folder(CONFIG, "evaluate")
    folder.mkdir(parents=True, exist_ok=True)
    files.write_json(
        folder / "16_tracks_seed_0.json", score | {"returns": returns, "seconds": 30.0}
    )
    fewer = score | {"episodes": 1, "returns": returns[:1]}
    files.write_json(folder / "1_tracks_seed_1.json", fewer)


def write_run() -> None:
    """A finished run, as the stages would leave it."""
    write_stage("extract", seconds=61.0, processes=2)
    write_stage("train_vae", parameters=4_348_547)
    write_stage("series")
    write_stage("train_rnn", parameters=422_368)
    write_stage("train_controller", parameters=867, processes=2, seconds=180.0)
    write_stage("evaluate", processes=2)
    write_stage("dream")
    write_stage("events")
    write_log("train_vae", VAE_LOG)
    write_log("train_rnn", RNN_LOG)
    write_log("train_controller", CONTROLLER_LOG)
    write_evaluation()
    folder = folders.run_folder(CONFIG.run)
    np.savez(folder / "vae" / "samples.npz", **make_samples(0))
    write_pictures(folder)
    write_events(folder)
    stages = ("train_vae", "train_rnn", "train_controller")
    recorded = {name: records.identity(CONFIG, name) for name in stages}
    files.write_json(folder / "config.json", {"run": run_facts()} | recorded)
    files.write_json(folder / "versions.json", {"python": "3.11.2", "tensorflow": "2.21.0"})


def run_facts() -> dict:
    """What config.json says of the whole run."""
    facts = {key: getattr(CONFIG, key) for key in records.RUN_FIELDS}
    return facts | {"data": CONFIG.run}


def make_samples(seed: int, obs: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """The arrays of samples.npz: four frames, V's versions of them, and made-up measures."""
    random = np.random.default_rng(seed)
    frames = random.integers(0, 256, (3, 4, 64, 64, 3), np.uint8)
    keys = ("obs_sharpness", "recon_error", "recon_SSIM", "recon_sharpness", "sampled_sharpness")
    return {
        "obs": frames[0] if obs is None else obs,
        "recon": frames[1],
        "sampled": frames[2],
        "names": np.array(["opening zoom", "straight", "curve with kerb", "grass"]),
    } | dict(zip(keys, random.random((5, 4)), strict=True))


def write_pictures(folder) -> None:
    """What figure 3 and the latent traversal are drawn from."""
    (folder / "dream").mkdir(exist_ok=True)
    frames = np.random.default_rng(1).integers(0, 256, (5, 3, 64, 64, 3), np.uint8)
    panels = dict(zip(("environment", "reconstruction", "dream"), frames, strict=False))
    facts = {"seconds": np.array([0, 0.5, 1.98]), "temperature": 0.7}
    np.savez(folder / "dream" / "rollout.npz", **panels, **facts)
    facts = {"dimensions": [7, 30], "variances": [0.25, 0.01], "steps": np.array([-3, 0, 3])}
    np.savez(folder / "vae" / "traversal.npz", images=frames[3:], **facts)


def write_events(folder) -> None:
    """What figure 8 is drawn from: three drives, in none of which the car stands, and 30 steps."""
    random = np.random.default_rng(2)
    names = ["straight", "left", "right", "kerb", "grass", "standing"]
    weights = random.dirichlet(np.ones(5), (2, 30))  # (2, T, K)
    during, otherwise = random.random((2, 3, 6, 5))  # (N, E, K)
    during[:, 5] = np.nan
    frames = random.integers(0, 256, (7, 3, 64, 64, 3), np.uint8)
    np.savez(
        folder / "events" / "events.npz",
        names=names,
        meanings=[f"what {name} means" for name in names],
        weights=weights[0],
        mean_weights=weights[1],
        happening=np.arange(30)[:, None] // 5 == np.arange(6),
        frames=frames[0],
        forced=frames[1:],
        seed=2**32,
        start=60,
        every=10,
        dimension=7,
        switching=np.linspace(0, 0.31, 32),
        during=during,
        otherwise=otherwise,
    )
    tests = component_tests.compare(names, during, otherwise)
    tests[6]["p_holm"] = 0.01  # component 2, left
    write_table(folder / "events" / "tests.csv", tests, list(tests[0]))


def write_vaegan() -> None:
    """The VAE-GAN of a run of its own, `gan`, from the same rollouts."""
    folder = folders.run_folder("gan") / "vaegan"
    folder.mkdir(parents=True)
    (folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in VAEGAN_LOG))
    (folder / "encoder.weights.h5").write_text("weights")
    files.write_json(folder.parent / "config.json", {"run": run_facts() | {"vision": "vaegan"}})
    np.savez(folder / "samples.npz", **make_samples(3, obs=make_samples(0)["obs"]))


def curves(axes) -> dict[str, list]:
    """The plotted points of an axes, by label."""
    return {line.get_label(): line.get_xydata().tolist() for line in axes.lines}


def shown_images(figure) -> np.ndarray:
    """The images of a figure, row by row: (N, 64, 64, 3)."""
    return np.stack([axes.images[0].get_array() for axes in figure.axes])


def points(log: list[dict], key: str) -> list:
    """The points of a curve of `key` over the steps of a log, as `curves` gives them."""
    return [[line["step"], line[key]] for line in log if key in line]
