"""What was never less than another number stays so."""

import numpy as np
import pandas as pd
import pytest

from skgmmgan import GMMGAN, load, save
from skgmmgan._inequalities import Inequality, find_inequalities
from skgmmgan._ranges import worth_keeping
from skgmmgan.metrics import rule_errors

PRIOR = {"n_components": 3, "covariance_type": "full", "reg_covar": 1e-3, "max_epochs": 0, "adversarial_rounds": 0}


def careers(n=1000, seed=0, share_ended=0.3):
    """Dates of hire and, of some, the end, up to the day of the table; pay does not matter."""
    rng = np.random.RandomState(seed)
    hired = pd.Series(pd.Timestamp("2012-01-01") + pd.to_timedelta(rng.randint(0, 4000, n), unit="D"))
    days = ((pd.Timestamp("2024-01-01") - hired).dt.days * rng.uniform(size=n)).astype(int)
    ended = (hired + pd.to_timedelta(days, unit="D")).where(rng.uniform(size=n) < share_ended)
    return pd.DataFrame({"ended": ended, "hired": hired, "pay": rng.lognormal(10, 0.5, n).round()})


@pytest.fixture(scope="module")
def model():
    return GMMGAN(**PRIOR, random_state=0).fit(careers())


def share_before(rows):
    """Of the careers that have ended, the share that did so before they began."""
    return (rows["ended"] < rows["hired"]).sum() / rows["ended"].notna().sum()


def test_no_career_ends_before_it_begins(model):
    loose = GMMGAN(**PRIOR, enforce_bounds=False, random_state=0).fit(careers())
    assert share_before(loose.sample(3000)[0]) > 0.02
    rows, _ = model.sample(3000)
    assert share_before(rows) == 0.0
    assert rows["ended"].notna().mean() == pytest.approx(0.3, abs=0.04)


def test_the_density_is_that_of_the_rows_that_are_drawn(model):
    loose, X = GMMGAN(**PRIOR, enforce_bounds=False, random_state=0).fit(careers()), careers(seed=1)
    ratio = model.score_samples(X) - loose.score_samples(X)
    assert ratio == pytest.approx(-model._model.log_within(model._values(X)))
    assert model.score(X) > loose.score(X) + 0.005
    wrong = X.dropna().rename(columns={"ended": "hired", "hired": "ended"})[list(X)]
    wrong = wrong[wrong["ended"] < wrong["hired"]]
    ratio = model.score_samples(wrong) - loose.score_samples(wrong)
    assert ratio == pytest.approx(-model._model.log_within(model._values(wrong)) - np.log(1001))


def test_conditions(model):
    """Of a row what is free keeps to what is asked; what is asked is given."""
    day = pd.Timestamp("2018-01-01")
    rows, _ = model.sample(300, conditions={"hired": day})
    assert rows["ended"].dropna().ge(day).all()
    rows, _ = model.sample(300, conditions={"ended": day})
    assert rows["hired"].le(day).all()
    rows, _ = model.sample(10, conditions={"ended": day, "hired": day + pd.Timedelta(days=400)})
    assert (rows["ended"] == day).all()


def test_saved_and_loaded(model, tmp_path):
    pytest.importorskip("skops")
    save(model, tmp_path / "model")
    assert load(tmp_path / "model").score(careers()) == model.score(careers())


def test_the_report_tells_it():
    X = careers()
    wrong = X.assign(ended=X["ended"] - pd.Timedelta(days=500))
    (columns, share), *_ = rule_errors(X, wrong)
    assert set(columns) == {"ended", "hired"}
    assert share == pytest.approx((wrong["ended"] < wrong["hired"]).mean())
    assert not any(share for _, share in rule_errors(X, X))


def test_the_least_difference_is_told_by_the_outermost_rows():
    """Ties and dense differences keep it, sparse ones leave room; it is never negative."""
    a = np.arange(1000.0) % 50
    further = np.full((3, 1000), 30.0)
    further[0, :20] = 18.0
    further[1, :11] = np.linspace(18, 19, 11)
    further[2, :11] = np.linspace(1, 19, 11)
    values = np.column_stack([np.where(np.arange(1000) < 950, a, np.nan), *(a + further)])
    told = {i.column: i.least for i in find_inequalities(values, range(4)) if i.source == 0}
    assert told == pytest.approx({1: 18.0, 2: 17.0, 3: 0.0})


def test_an_exception_chance_and_numbers_that_never_overlap_tell_none():
    rng = np.random.RandomState(0)
    a, b = rng.uniform(size=(2, 500))
    assert [(i.column, i.source) for i in find_inequalities(np.column_stack([a, a + b]), [0, 1])] == [(1, 0)]
    assert not find_inequalities(np.column_stack([a, a + b])[:15], [0, 1])
    assert not find_inequalities(np.column_stack([a, b]), [0, 1])
    assert not find_inequalities(np.column_stack([a, 1 + b]), [0, 1])
    sums = np.where(np.arange(500) == 7, a - 0.1, a + b)
    assert not find_inequalities(np.column_stack([a, sums]), [0, 1])


def test_what_follows_from_others_is_not_kept():
    """The largest number is no less than the least one where neither is on the wrong side of the middle one."""
    low, middle, ends = Inequality(1, 0, 0.0), Inequality(2, 1, 0.0), Inequality(2, 0, 0.0)
    drawn = np.repeat([[1, 2, 3], [2, 1, 3], [1, 3, 2], [3, 2, 1]], [400, 250, 250, 100], axis=0)
    assert set(worth_keeping([ends, low, middle], {}, drawn, n_rows=1000)) == {low, middle}
    assert worth_keeping([ends, low, middle], {}, drawn[:400], n_rows=1000) == []
    assert worth_keeping([low], {}, np.repeat(drawn[[0, -1]], [200, 800], axis=0), n_rows=1000) == []
