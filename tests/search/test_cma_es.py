"""CMA-ES: equal seeds give equal candidates, also where logged returns are replayed."""

import json

from replication.config import Controller
from replication.search.cma_es import Evolution

import numpy as np
import pytest

DIMENSIONS, POPULATION = 12, 10
TARGET = np.linspace(-1, 1, DIMENSIONS)


def returns(candidates: np.ndarray) -> np.ndarray:
    """A quadratic: 0 at best, at TARGET."""
    return -np.square(candidates - TARGET).sum(axis=-1)


def start(seed: int = 0, covariance: str = "full") -> Evolution:
    return Evolution(
        np.zeros(DIMENSIONS), Controller(population=POPULATION, covariance=covariance), seed
    )


def run(es: Evolution, generations: int) -> list[np.ndarray]:
    asked = []
    for _ in range(generations):
        asked.append(es.ask())
        es.tell(returns(asked[-1]))
    return asked


def test_asks_a_population_around_0():
    es = Evolution(np.zeros(867), Controller(), 0)
    candidates = es.ask()
    assert candidates.shape == (64, 867)
    assert candidates.dtype == np.float64
    assert not es.mean.any()
    assert candidates.std() == pytest.approx(0.1, rel=0.02)
    assert es.sigma == pytest.approx(0.1)


def test_equal_seeds_equal_candidates():
    np.testing.assert_array_equal(run(start(3), 6), run(start(3), 6))
    assert not np.array_equal(start(3).ask(), start(4).ask())


def test_generations_are_drawn_independently():
    es, draws = start(), []
    for _ in range(3):
        run(es, 1)
        draws.append(es.normal(4).tolist())  # what the generation's stream gives next
    assert len({value for draw in draws for value in draw}) == 12


@pytest.mark.parametrize("covariance", ["full", "diagonal"])
@pytest.mark.parametrize("at", [1, 7])
def test_replayed_returns_restore_the_state_exactly(at, covariance):
    uninterrupted, again = start(covariance=covariance), start(covariance=covariance)
    expected = run(uninterrupted, 25)
    for candidates in expected[:at]:
        logged = json.loads(json.dumps(returns(candidates).tolist()))
        again.ask()
        again.tell(logged)
    assert again.generation == at
    np.testing.assert_array_equal(run(again, 25 - at), expected[at:])
    np.testing.assert_array_equal(again.mean, uninterrupted.mean)
    assert again.sigma == uninterrupted.sigma


def test_what_is_found_is_the_mean_or_that_of_the_last_means():
    settings = [Controller(population=POPULATION, average=share) for share in (0, 0.5, 1)]
    last, half, all_of_them = (Evolution(np.ones(DIMENSIONS), one, seed=0) for one in settings)
    np.testing.assert_array_equal(half.found, np.ones(DIMENSIONS))
    means = []
    for _ in range(6):
        for es in (last, half, all_of_them):  # whose searches are the same
            run(es, 1)
        means.append(last.mean)
        np.testing.assert_array_equal(last.found, last.mean)
        np.testing.assert_array_equal(half.mean, last.mean)
    np.testing.assert_allclose(half.found, np.mean(means[3:], axis=0), rtol=1e-12)
    np.testing.assert_allclose(all_of_them.found, np.mean(means, axis=0), rtol=1e-12)


def test_asking_twice_asks_the_same():
    """A generation that was killed before it was told is asked again, not another one."""
    es, twice = start(), start()
    run(es, 2), run(twice, 2)
    twice.ask()
    np.testing.assert_array_equal(twice.ask(), es.ask())


def test_numpys_global_generator_is_left_alone():
    np.random.seed(5)
    before = np.random.get_state()
    run(start(), 3)
    after = np.random.get_state()
    np.testing.assert_array_equal(before[1], after[1])
    assert before[2:] == after[2:]
    np.random.seed(6)
    expected = run(start(), 3)
    np.random.seed(7)
    np.testing.assert_array_equal(run(start(), 3), expected)  # nor does it read it


def test_it_climbs_a_quadratic():
    es = start()
    run(es, 150)
    assert returns(np.zeros(DIMENSIONS)) < -4
    assert returns(es.mean) > -1e-3
    np.testing.assert_allclose(es.mean, TARGET, atol=0.02)


def test_more_is_better():
    """The mean moves to where returns are greater, not less."""
    es = start()
    candidates = es.ask()
    es.tell(candidates[:, 0])
    assert es.mean[0] > 0


def test_the_covariance_that_is_adapted():
    """A quadratic along the diagonal of two coordinates: only the full one learns to turn."""
    valley = np.array([[1.0, 0.95], [0.95, 1.0]])
    correlations = {}
    for covariance in ("full", "diagonal"):
        es = Evolution(np.zeros(2), Controller(population=POPULATION, covariance=covariance), 0)
        for _ in range(40):
            candidates = es.ask() - [1, 1]
            es.tell(-np.einsum("ci,ij,cj->c", candidates, np.linalg.inv(valley), candidates))
        correlations[covariance] = np.corrcoef(np.transpose(es.cma.ask(2000)))[0, 1]
    assert correlations["full"] > 0.8
    assert abs(correlations["diagonal"]) < 0.1
