import numpy as np
import pytest
from scipy.stats import norm

from skgmmgan._numbers import are_heaped, are_uneven, find_atoms, grid_step, round_to_grid


@pytest.mark.parametrize(
    ("values", "step"),
    [
        ([1.5, 2.25, 3.0], 0.01),
        ([3000.0, 12000.0], 1000.0),
        ([1.0, 2.0, 7.0], 1.0),
        ([np.pi, np.e, np.sqrt(2)], 0.0),
        ([0.0], 0.0),
        ([1.5e-9, 2e-9], 1e-10),
    ],
)
def test_grid_step(values, step):
    assert grid_step(np.array(values)) == pytest.approx(step)


def test_grid_step_of_float32_decimals():
    assert grid_step(np.array([0.1, 2.3, 9.9], dtype=np.float32).astype(float)) == pytest.approx(0.1)


def test_rounding_writes_decimals_as_a_person_would():
    assert round_to_grid(np.array([0.30000000000000004]), 0.1)[0] == 0.3
    assert round_to_grid(np.array([12345.0]), 1000.0)[0] == 12000.0


def test_repeated_number_among_distinct_ones_is_an_atom(rng):
    x = np.concatenate([np.zeros(300), rng.gamma(2.0, 1.0, 700)])
    values, counts = np.unique(x, return_counts=True)
    assert values[find_atoms(values, counts, 0.0)].tolist() == [0.0]


def test_smooth_counts_on_a_grid_are_no_atoms(rng):
    x = np.round(rng.normal(0, 60, 20_000))
    values, counts = np.unique(x, return_counts=True)
    assert counts.max() > 0.005 * len(x)
    assert not find_atoms(values, counts, 1.0).any()


def test_spike_on_a_grid_is_an_atom(rng):
    x = np.concatenate([np.round(rng.normal(0, 60, 20_000)), np.full(3000, 40.0)])
    values, counts = np.unique(x, return_counts=True)
    assert values[find_atoms(values, counts, 1.0)].tolist() == [40.0]


def test_numbers_that_leave_out_multiples_are_uneven(rng):
    sizes = np.cumsum(rng.choice([1.0, 2.0, 3.5, 7.0], 60))
    values, counts = np.unique(rng.choice(sizes, 3000), return_counts=True)
    assert are_uneven(values, counts, 0.5)
    assert are_uneven(values / 3, counts, 0.0)
    values, counts = np.unique(np.round(rng.gamma(2.0, 20.0, 3000)), return_counts=True)
    assert not are_uneven(values, counts, 1.0)


def test_counts_that_no_smooth_density_explains_are_heaped(rng):
    counts = rng.poisson(np.tile([300, 60, 60, 60, 150], 12))
    assert are_heaped(counts)
    assert not are_heaped(rng.poisson(300 * norm.pdf(np.linspace(-3, 3, 60))))
    assert not are_heaped(np.insert(rng.poisson(np.full(60, 200)), [0, 30, 40], [5000, 1, 1]))  # a spike, rare numbers
