"""Relations are found whatever the order of the rows is."""

import numpy as np
import pytest

from skgmmgan._codec import Codec
from skgmmgan._dependencies import never_together, some_rows
from skgmmgan._formulas import ProductColumn
from skgmmgan._ranges import find_ranges
from skgmmgan._relations import common_step


def test_some_rows_are_in_step_with_no_period():
    for period in (2, 7, 24, 60):
        counts = np.bincount(some_rows(np.arange(70_000) % period))
        assert counts.min() > 0.6 * counts.mean()
    rows = some_rows(np.arange(70_000))
    assert len(np.unique(rows)) == 1000
    assert np.diff(np.sort(rows)).max() < 200
    assert np.array_equal(some_rows(np.arange(1500)), np.arange(1500))


def test_levels_that_never_come_together_in_sorted_rows(rng):
    a = np.sort(rng.randint(0, 3, 45_000))
    b = np.where(a == 0, rng.randint(0, 2, len(a)), rng.randint(1, 3, len(a)))
    allowed = never_together(a, b, (3, 3))
    assert allowed[:3].tolist() == [[True, True, False], [False, True, True], [False, True, True]]


def test_products_in_rows_sorted_by_a_factor(rng):
    price = np.sort(np.where(rng.uniform(size=5000) < 0.25, 5.0, 5 + rng.randint(1, 9000, 5000) / 100))
    quantity = rng.randint(1, 40, len(price))
    values = np.column_stack([price, quantity, np.round(price * quantity, 2)])
    codec = Codec(values, np.zeros(3, dtype=bool), np.zeros(3, dtype=bool), n_knots=9, rng=np.random.RandomState(0))
    assert isinstance(codec.columns[2], ProductColumn)


def test_ranges_of_rows_that_come_in_turns(rng):
    store = np.arange(70_000) % 7
    values = np.column_stack([store, 10.0 * store + rng.uniform(0, 15, len(store))])
    (found,) = find_ranges(values, {0: (store, 7)}, [1])
    assert np.isfinite(found.low[1:7]).all()


@pytest.mark.parametrize(
    ("numbers", "step"),
    [
        ([0.01, 0.0127], 0.0001),
        ([1e-7, 1e-6], 1e-7),
        ([1 / 3, 1.0], 1 / 3),
        ([-0.5, 0.75], 0.25),
        ([1000.0, 2500.0], 500.0),
        ([0.1 + 0.2, 0.6], 0.3),
        ([0.0, 0.0], 0.0),
    ],
)
def test_common_step(numbers, step):
    assert common_step(numbers) == pytest.approx(step, rel=1e-11, abs=0)
