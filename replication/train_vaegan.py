"""Stage 2b: train V as a VAE-GAN instead (Larsen et al. 2015; the report, section 3).

    python replication/train_vaegan.py quick

Reads data/SET/record/; writes checkpoints/RUN/vaegan/: encoder, decoder and discriminator
.weights.h5, log.jsonl, samples.npz and traversal.npz (as train_vae.py). Then give --vision vaegan
to the other stages; without --run, the run is PRESET-vaegan, on the rollouts of PRESET.
"""

from replication import training
from replication.config import Config, Vaegan
from replication.runs import files, folders, records, seeds
from replication.runs.script import parse_run_cli, run_script
from replication.tasks.games import task_of
from replication.tf import keras
from replication.vae.frames import (
    frame_batches,
    load_frames,
    measure_held_out,
    reached,
    schedule_of,
)
from replication.vae.pictures import save_v
from replication.vae.vaegan import VAEGAN

WON = 0.99  # a discriminator that tells so many frames of each kind aright has won outright
GONE = 1.0  # nats: with less than this z says nothing of the frame


def collapse(line: dict[str, float]) -> str:
    """What has gone wrong by a line of the log: one sentence, or nothing."""
    kinds = ("real", "reconstructed", "sampled")
    if all(line[f"accuracy_{kind}"] > WON for kind in kinds):
        return f"the discriminator wins outright: it tells over {WON:.0%} of each kind of frame"
    if line["held_out_kl"] < GONE:
        return f"z says nothing of the frame: its KL is below {GONE:g} nat"
    return ""


def optimizers(config: Vaegan) -> list[keras.optimizers.Optimizer]:
    """Of encoder, decoder and discriminator."""
    three = [keras.optimizers.RMSprop(config.learning_rate, rho=0.9) for _ in range(3)]
    if config.adam_rate:
        three[:2] = [keras.optimizers.Adam(config.adam_rate) for _ in range(2)]
    return three


def main(config: Config) -> None:
    with records.open_stage(config, "train_vaegan") as folder:
        seeds.seed_everything(config.seed)
        z_size = task_of(config.task).z_size
        frames = load_frames(config, config.vaegan.batch_size)
        records.begin_stage(config, "train_vaegan")

        vaegan = VAEGAN(config.vaegan, z_size)
        vaegan.compile(*optimizers(config.vaegan))
        seconds = training.fit(
            vaegan,
            lambda step: frame_batches(frames.stream, z_size, config.seed, step, draws=2),
            measure_held_out(vaegan.pixel_losses, vaegan.encoder, frames.chosen, config.seed),
            schedule_of(config.vaegan, frames.stream),
            folder,
            collapse,
        )
        save_v(vaegan, frames, config, folder)
        training.save_weights(vaegan.discriminator, folder / "discriminator.weights.h5")
        report(config, vaegan, seconds, folder)


def report(config: Config, vaegan: VAEGAN, seconds: float, folder) -> None:
    """The parameters are those of V, as the VAE's; the discriminator only helps to train it."""
    output = files.fingerprint(vaegan.encoder.get_weights())
    facts = {
        "processes": records.cores(),
        "parameters": vaegan.encoder.count_params() + vaegan.decoder.count_params(),
        "discriminator_parameters": vaegan.discriminator.count_params(),
    }
    records.finish(config, "train_vaegan", output, reached(folder), seconds, **facts)
    print(f"vaegan: {reached(folder)}, in {folders.shown(folder)}")


if __name__ == "__main__":
    run_script(lambda: main(parse_run_cli(doc=__doc__, vision="vaegan")))
