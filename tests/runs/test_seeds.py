"""Random numbers: every stream has a name of its own, and all names stand in one enum."""

import ast
from pathlib import Path

import replication
from replication.runs import seeds
from replication.runs.seeds import Purpose, derive_seed, generator

import numpy as np

PACKAGE = Path(replication.__file__).parent
# What committed results were drawn with.
INTEGERS = {
    "Z_NOISE": 1, "RECORDING": 2, "BLOCK_ORDER": 3, "V_NOISE": 4, "V_HELD_OUT": 5,
    "V_PICTURES": 6, "SEQUENCES": 7, "EPISODE_ORDER": 8, "M_HELD_OUT": 9, "CMA_ES": 10,
    "CANDIDATE": 11, "EVALUATION": 12, "FIGURE_3_EPISODE": 13, "DREAM": 14, "FIGURE_3_DREAM": 15,
    "VIDEO_DREAM": 16, "PROBE_DRIVER": 17, "PROBE_NOISE": 18, "PROBE_TRACK": 19, "FORCED_DREAM": 20,
    "FRAME_ORDER": 21,
}  # fmt: skip
# Generators that no result of a run depends on, or that are replaced before they are drawn from.
OTHER_GENERATORS = {
    "article/game.py": ["default_rng(0)"],  # actions that a table is tried on
    "envs/car_racing_v0.py": ["RandomState(words if len(words) else [0])"],  # gym 0.9's seeding
    "probe.py": ["default_rng(Purpose.PROBE_NOISE)"],
    "speed/drivers.py": ["default_rng(0)"] * 4,
    "speed/training.py": ["default_rng(0)"],
}


def test_purposes_are_distinct_and_keep_their_integers():
    """An enum makes a second name of the same integer an alias: it must not have one."""
    assert len(Purpose.__members__) == len(list(Purpose)) == len({int(p) for p in Purpose})
    kept = {name: int(Purpose.__members__[name]) for name in INTEGERS}
    assert kept == INTEGERS


def test_a_purpose_is_the_integer_in_its_streams_name():
    stream = generator(3, Purpose.CMA_ES, 7).standard_normal(5)
    np.testing.assert_array_equal(stream, np.random.default_rng([3, 10, 7]).standard_normal(5))
    expected = np.random.SeedSequence([3, 11, 5, 7, 2]).generate_state(1)[0]
    assert derive_seed(3, Purpose.CANDIDATE, 5, 7, 2) == expected


def test_streams_depend_on_each_part_of_their_name():
    names = [
        (3, Purpose.CANDIDATE, 5, 7, 2),
        (4, Purpose.CANDIDATE, 5, 7, 2),
        (3, Purpose.EVALUATION, 5, 7, 2),
        (3, Purpose.CANDIDATE, 6, 7, 2),
        (3, Purpose.CANDIDATE, 5, 8, 2),
        (3, Purpose.CANDIDATE, 5, 7, 3),
        (3, Purpose.CANDIDATE, 7, 5, 2),
    ]
    derived = [derive_seed(*name) for name in names]
    assert len(set(derived)) == len(names)
    assert all(0 <= seed < 2**32 for seed in derived)
    assert len({generator(*name).random() for name in names}) == len(names)
    assert [derive_seed(*name) for name in names] == derived


def test_seeds_of_a_training_do_not_collide():
    tracks = {
        derive_seed(0, Purpose.CANDIDATE, generation, candidate, episode)
        for generation in range(20)
        for candidate in range(16)
        for episode in (0, 1)
    }
    assert len(tracks) == 20 * 16 * 2


def generators_in(path: Path) -> list[str]:
    """The calls of a file that make a generator, or a seed, by themselves: `default_rng(0)`."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    named = [(getattr(call.func, "attr", getattr(call.func, "id", "")), call) for call in calls]
    makers = {"default_rng", "SeedSequence", "RandomState", "PCG64"}
    return [
        f"{name}({', '.join(map(ast.unparse, call.args))})"
        for name, call in named
        if name in makers
    ]


def test_only_seeds_py_names_streams():
    calls_by_file = {
        str(path.relative_to(PACKAGE)): calls
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.name != "seeds.py" and (calls := generators_in(path))
    }
    assert calls_by_file == OTHER_GENERATORS


def test_lists_and_seed_sequences_are_seen(tmp_path):
    path = tmp_path / "module.py"
    path.write_text("np.random.default_rng([seed, 3])\nSeedSequence((1, 2))\nother(4)\n")
    assert generators_in(path) == ["default_rng([seed, 3])", "SeedSequence((1, 2))"]


def test_seed_everything_seeds_all_three():
    import random

    from replication.tf import tf

    draws = []
    for _ in range(2):
        seeds.seed_everything(5)
        draws.append((random.random(), np.random.rand(), float(tf.random.normal([]))))
    assert draws[0] == draws[1]
