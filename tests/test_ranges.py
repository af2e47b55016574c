"""Numbers stay where they lay in all rows with a level of another column."""

import numpy as np
import pandas as pd
import pytest

from skgmmgan import GMMGAN, load, save
from skgmmgan._ranges import Range, find_ranges, worth_keeping

PRIOR = {"n_components": 3, "max_epochs": 0, "adversarial_rounds": 0, "random_state": 0}
AGES = {"maternity": (18, 45), "paediatrics": (0, 18), "geriatrics": (70, 98), "surgery": (18, 98)}


def visits(n=2000, seed=0):
    """Ages by ward, ages first, and a temperature that does not matter."""
    rng = np.random.RandomState(seed)
    ward = rng.choice(list(AGES), n)
    age = np.array([rng.randint(*AGES[w]) for w in ward])
    return pd.DataFrame({"age": age, "ward": pd.Categorical(ward), "temperature": rng.normal(37, 0.5, n).round(1)})


@pytest.fixture(scope="module")
def model():
    return GMMGAN(**PRIOR).fit(visits())


def strayed(rows):
    """Share of the rows whose age none in the ward had, by more than a year."""
    low, high = (rows["ward"].map({w: ends[k] for w, ends in AGES.items()}).astype(int) for k in (0, 1))
    return ((rows["age"] < low - 1) | (rows["age"] > high)).mean()


def test_numbers_keep_to_the_range_of_a_level(model):
    loose = GMMGAN(**PRIOR, enforce_bounds=False).fit(visits())
    assert strayed(loose.sample(5000)[0]) > 0.02
    assert strayed(model.sample(5000)[0]) < 0.001
    first = GMMGAN(**PRIOR).fit(visits()[["ward", "temperature", "age"]])
    assert strayed(first.sample(5000)[0]) < 0.001


def test_the_density_is_that_of_the_rows_that_are_drawn():
    """Where rows are drawn it takes the share of the others, which have next to nothing."""
    X = visits()[["age", "ward"]]
    model, loose = GMMGAN(**PRIOR).fit(X), GMMGAN(**PRIOR, enforce_bounds=False).fit(X)
    ages = pd.MultiIndex.from_product([range(-50, 150), AGES], names=["age", "ward"]).to_frame(index=False)
    grid = ages.astype(X.dtypes)
    ratio = model.score_samples(grid) - loose.score_samples(grid)
    log_within = model._model.log_within(model._values(grid))
    drawn = np.isclose(ratio, -log_within)
    assert ratio[~drawn] == pytest.approx(-log_within[~drawn] - np.log(2001))
    assert np.exp(loose.score_samples(grid) - log_within)[drawn].sum() == pytest.approx(1.0, abs=0.015)
    mass = pd.Series(np.exp(loose.score_samples(grid))).groupby(np.array(grid["ward"]))
    for ward, rows in mass:
        kept = rows[drawn[rows.index]].sum() / rows.sum()
        assert log_within[rows.index] == pytest.approx(np.log(kept), abs=0.03), ward
    assert log_within.min() < -0.02
    assert strayed(grid[drawn & grid["age"].between(0, 97)]) == 0.0
    by_column = model.score_columns(pd.DataFrame({"age": [30, 80], "ward": "maternity"}).astype(X.dtypes))
    assert by_column[1].sum() < by_column[0].sum() - 5
    assert by_column[0, -1] == by_column[1, -1]  # it is told of the age, not of the discriminators


def test_held_out_rows_are_more_likely():
    X, test = visits(), visits(seed=1)
    loose = GMMGAN(**PRIOR, enforce_bounds=False).fit(X)
    assert GMMGAN(**PRIOR).fit(X).score(test) > loose.score(test) + 0.02


def test_conditions(model):
    """A level brings its range with it; a number outside that is asked for is given."""
    rows = model.sample(500, conditions={"ward": "maternity"})[0]
    assert rows["age"].between(17, 45).all()
    rows = model.sample(500, conditions={"age": 5})[0]
    assert (rows["ward"] == "paediatrics").all()
    rows = model.sample(50, conditions={"ward": "maternity", "age": 60})[0]
    assert (rows["age"] == 60).all()
    assert (rows["ward"] == "maternity").all()
    X = visits(20).assign(age=60, ward="maternity").astype({"ward": visits()["ward"].dtype, "age": "Int64"})
    X["temperature"] = np.nan
    assert GMMGAN(**PRIOR).fit(visits()).impute(X)["temperature"].notna().all()


def test_saved_and_loaded(model, tmp_path):
    pytest.importorskip("skops")
    save(model, tmp_path / "model")
    assert load(tmp_path / "model").score(visits()) == model.score(visits())


def test_bounds_lie_beyond_the_outermost_numbers():
    """By the distance of the next ten rows, and only where enough other rows could have told that there is none."""
    rng = np.random.RandomState(0)
    codes = np.repeat([0, 1, 2], [1000, 500, 15])
    x = np.concatenate([rng.normal(0, 1, 1000), np.linspace(0, 0.5, 500), np.zeros(15)])
    x[0], codes[1] = np.nan, -1
    (found,) = find_ranges(np.column_stack([codes, x]), {0: (codes, 3)}, [0, 1])
    assert (found.column, found.source) == (1, 0)
    assert np.isinf([found.low, found.high])[:, [0, 2, 3]].all()
    assert found.low[1] == pytest.approx(-0.5 * 10 / 499)
    assert found.high[1] == pytest.approx(0.5 + 0.5 * 10 / 499)
    rows = np.array([[1, -0.1], [1, 0.2], [1, 0.6], [0, 9.0], [2, 9.0], [1, np.nan], [-1, 9.0]])
    assert found.excludes(rows, {0: rows[:, 0].astype(int)}).tolist() == [True, False, True] + 4 * [False]


def test_levels_that_do_not_matter_have_no_ranges():
    rng = np.random.RandomState(0)
    codes = rng.randint(0, 50, 20_000)
    assert not find_ranges(np.column_stack([codes, rng.exponential(size=20_000)]), {0: (codes, 50)}, [1])


def test_bounds_of_many_rows_hold_all_of_them():
    """They are found in every other row, and the odd ones may lie farther out."""
    codes = np.arange(40_000) // 4 % 2
    x = np.where(codes == 1, 0.1, 1.0) * np.random.RandomState(0).uniform(size=40_000)
    x[5] = 0.3
    assert codes[5] == 1
    (found,) = find_ranges(np.column_stack([codes, x]), {0: (codes, 2)}, [1])
    assert found.high[1] == 0.3


def test_ranges_leave_enough_rows():
    """Of many that nearly all rows break together, some are kept, and those in all drawn rows."""
    rng = np.random.RandomState(0)
    levels = rng.randint(0, 4, size=(1500, 15))
    X = pd.DataFrame({f"c{i}": pd.Categorical(levels[:, i]) for i in range(15)})
    X = X.assign(**{f"x{i}": levels[:, i] + rng.uniform(size=1500) for i in range(15)})
    model = GMMGAN(**PRIOR).fit(X)
    assert model._model.limits
    assert model._model.strata.log_within[-1] > np.log(0.25)
    assert model._model.beyond(model._values(model.sample(2000)[0])).mean() < 0.005


def test_only_what_is_broken_is_kept():
    """Of two bounds that the same rows break the one that more do; none that too few do."""
    levels = np.arange(1000) % 2
    drawn = np.column_stack([levels, np.arange(1000.0), np.arange(1000.0)])
    bounds = {"low": np.full(3, -np.inf)}
    wide = Range(1, 0, high=np.array([500.0, 998.0, np.inf]), **bounds)
    narrow = Range(2, 0, high=np.array([400.0, 998.0, np.inf]), **bounds)
    (kept,) = worth_keeping([wide, narrow], {0: levels}, drawn, n_rows=1000)
    assert kept.column == 2
    assert kept.high.tolist() == [400.0, np.inf, np.inf]
