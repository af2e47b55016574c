"""Columns that are a multiple of another, and rounding or little noise."""

import warnings
from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import poisson

from skgmmgan import GMMGAN
from skgmmgan._codec import Codec
from skgmmgan._differences import linear_noise, plainest
from skgmmgan.metrics import rule_errors

PRIOR = {"max_epochs": 0, "adversarial_rounds": 0}


def differences(X, n_knots=5):
    """Pairs of a column and its base that the codec of a matrix takes differences of."""
    mask = [False] * X.shape[1]
    codec = Codec(X, mask, mask, n_knots=n_knots, rng=np.random.RandomState(0))
    return [(difference.j, difference.base) for difference in codec.differences]


@pytest.fixture(scope="module")
def orders():
    """Orders that are shipped and delivered a few days later, or not yet, and the prior of them."""
    pd = pytest.importorskip("pandas")
    rng = np.random.RandomState(0)
    order = pd.Series(pd.Timestamp("2023-01-05") + pd.to_timedelta(rng.randint(0, 695, 2000), "D"))
    ship = (order + pd.to_timedelta(1 + rng.poisson(4, 2000), "D")).mask(rng.uniform(size=2000) < 0.1)
    deliver = (ship + pd.to_timedelta(rng.poisson(6, 2000), "D")).mask(rng.uniform(size=2000) < 0.2)
    X = pd.DataFrame({"order": order, "ship": ship, "deliver": deliver, "x": rng.gamma(2, 50, 2000).round(2)})
    return X, GMMGAN(random_state=0, **PRIOR).fit(X)


def days(later, earlier):
    return (later - earlier).dropna().dt.days


def test_dates_keep_their_order_and_their_distance(orders):
    X, model = orders
    rows, _ = model.sample(4000, random_state=0)
    for later, earlier in (("ship", "order"), ("deliver", "ship")):
        real, drawn = days(X[later], X[earlier]), days(rows[later], rows[earlier])
        assert drawn.between(real.min(), real.max()).all()
        assert drawn.mean() == pytest.approx(real.mean(), abs=0.15)
        assert drawn.std() == pytest.approx(real.std(), rel=0.1)
    assert not (rows["deliver"].notna() & rows["ship"].isna()).any()
    assert rows.isna().mean().to_numpy() == pytest.approx(X.isna().mean().to_numpy(), abs=0.03)
    for name in ("order", "ship", "deliver"):
        assert rows[name].min() >= X[name].min()
        assert rows[name].max() <= X[name].max()


@pytest.mark.parametrize("n", [150, 2000])
def test_few_distances_are_kept_however_far_they_are(n):
    """Terms of payment and surcharges, in columns that vary little more than these."""
    pd = pytest.importorskip("pandas")
    rng = np.random.RandomState(0)
    order = pd.Series(pd.Timestamp("2023-01-05") + pd.to_timedelta(rng.randint(0, 90, n), "D"))
    cost = rng.lognormal(3, 0.5, n).round(2)
    X = pd.DataFrame({"order": order, "cost": cost})
    X["due"] = order + pd.to_timedelta(rng.choice([14, 30, 60], n), "D")
    X["price"] = (cost + rng.choice([5.0, 10.0, 20.0], n)).round(2)
    X["other"] = rng.lognormal(3, 0.5, n).round(2)
    rows, _ = GMMGAN(1, covariance_type="full", reg_covar=1e-3, random_state=0, **PRIOR).fit(X).sample(500)
    assert set(days(rows["due"], rows["order"])) == {14, 30, 60}
    assert set((rows["price"] - rows["cost"]).round(2)) == {5.0, 10.0, 20.0}
    assert (rows["other"] - rows["price"]).round(2).nunique() > 300


def test_numbers_of_a_small_range_are_at_no_few_distances(rng):
    assert differences(rng.randint(0, 12, (2000, 4)).astype(float)) == []


def test_scores_are_densities_in_the_units_of_the_table(rng):
    order = rng.randint(0, 695, 4000).astype(float)
    gap = 1 + rng.poisson(4, 4000)
    model = GMMGAN(1, random_state=0, **PRIOR).fit(np.column_stack([order, order + gap])[:2000])
    true = -np.log(695) + poisson.logpmf(gap[2000:] - 1, 4)
    score = model.score(np.column_stack([order, order + gap])[2000:])
    assert score == pytest.approx(true.mean(), abs=0.1)
    in_hours = GMMGAN(1, random_state=0, **PRIOR).fit(np.column_stack([order, order + gap])[:2000] * 24)
    assert in_hours.score(np.column_stack([order, order + gap])[2000:] * 24) == pytest.approx(
        score - 2 * np.log(24), abs=0.02
    )


def test_columns_tell_their_part_of_the_score(orders):
    X, model = orders
    parts = model.score_columns(X)
    assert parts.shape == (2000, 5)
    assert parts.sum(axis=1) == pytest.approx(model.score_samples(X))


@pytest.mark.parametrize(
    ("conditions", "least", "most"),
    [
        ({"order": "2024-03-01"}, 1, 16),
        ({"ship": "2024-03-01"}, 1, 16),
        ({"deliver": "2024-03-01"}, 1, 16),
        ({"deliver": "2024-03-01", "order": "2024-02-22"}, 1, 8),
        ({"deliver": "2024-03-01", "ship": "2024-02-22"}, 1, 16),
    ],
    ids=str,
)
def test_conditions_on_dates(orders, conditions, least, most):
    _, model = orders
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rows, _ = model.sample(300, conditions=conditions, random_state=0)
    for name, value in conditions.items():
        assert (rows[name] == value).all()
    gaps = days(rows["ship"], rows["order"])
    assert gaps.between(least, most).all()
    assert gaps.nunique() > 4
    if "deliver" in conditions:
        assert len(gaps) == 300
        assert (days(rows["deliver"], rows["ship"]) >= 0).all()


def test_a_gap_can_be_asked_for(orders):
    _, model = orders
    rows, _ = model.sample(300, conditions={"ship": None}, random_state=0)
    assert rows["order"].notna().all()
    assert rows["order"].nunique() > 100
    assert rows[["ship", "deliver"]].isna().all(axis=None)


def test_an_order_that_never_was_is_warned_of(orders):
    _, model = orders
    with pytest.warns(UserWarning, match="contradict what held in every row at fit .'ship' is near 'order'"):
        rows, _ = model.sample(5, conditions={"order": "2024-03-05", "ship": "2024-03-01"}, random_state=0)
    assert (days(rows["ship"], rows["order"]) == -4).all()


def test_gaps_are_filled_in_order(orders):
    X, model = orders
    lost = X.dropna().head(300).reset_index(drop=True)
    known = lost.copy()
    known.loc[::3, "order"] = None
    known.loc[1::3, "ship"] = None
    known.loc[2::3, "deliver"] = None
    filled = model.impute(known, random_state=0)
    assert filled.notna().all(axis=None)
    assert days(filled["ship"], filled["order"]).between(1, 16).all()
    assert days(filled["deliver"], filled["ship"]).min() >= 0
    assert (filled[known.notna()] == lost[known.notna()]).sum().sum() == known.notna().sum().sum()


def test_columns_near_a_finer_one_keep_their_grid():
    """Days of shipping and times of orders; also where they are asked for, or missing."""
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    order = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 365 * 86_400, 800), "s")
    ship = (order + pd.to_timedelta(rng.integers(1, 6, 800), "D")).normalize()
    table = pd.DataFrame({"order": order, "ship": ship})
    model = GMMGAN(2, max_epochs=0, adversarial_rounds=0, random_state=0).fit(table)
    day = pd.Timestamp("2024-06-01")
    rows, asked = model.sample(1000)[0], model.sample(100, conditions={"ship": day})[0]
    filled = model.impute(table.assign(ship=table["ship"].mask(np.arange(800) % 3 == 0)))
    for some in (rows, asked, filled):
        assert (some["ship"] == some["ship"].dt.normalize()).all()
        assert (some["ship"] > some["order"]).all()
        assert (some["ship"] - some["order"]).max() < pd.Timedelta(5, "D")
    assert (asked["ship"] == day).all()
    days = table["order"].head(60).dt.normalize()
    around = [table[["order"]].head(60).assign(ship=days + pd.Timedelta(k, "D")) for k in range(-1, 7)]
    in_ticks = pd.Timedelta(1, "D") // pd.Timedelta(1, table["ship"].dt.unit)
    total = sum(np.exp(model.score_columns(some.astype(table.dtypes))[:, 1]) * in_ticks for some in around)
    assert total.mean() == pytest.approx(1, abs=0.03)
    assert np.abs(np.log(total)).max() < 0.4


def test_an_uneven_base_is_filled(rng):
    """Differences that are made up to suit a grid, and cannot be, are no way to fill it."""
    start = rng.randint(32, 68, 700) * 15.0
    near = np.where(rng.uniform(size=700) < 0.1, np.nan, start - rng.randint(0, 25, 700))
    table = np.column_stack([start, near])
    gappy = np.column_stack([np.where(rng.uniform(size=700) < 0.15, np.nan, start), near])
    model = GMMGAN(2, max_epochs=0, adversarial_rounds=0, random_state=0).fit(table)
    filled = model.impute(gappy)
    waits = (filled[:, 0] - filled[:, 1])[~np.isnan(near)]
    assert (filled[:, 0] % 15 == 0).all()
    assert waits.min() >= 0
    assert waits.max() <= 24


def test_rows_off_the_grid_are_scored(orders):
    pd = pytest.importorskip("pandas")
    X, model = orders
    X = X.dropna().head(5)
    later = X.assign(ship=X["ship"] + pd.Timedelta(hours=5))
    assert np.isfinite(model.score_samples(later)).all()


@pytest.mark.parametrize("refinement", [PRIOR, {"max_epochs": 2, "adversarial_rounds": 2}], ids=["prior", "refined"])
def test_what_is_rounded_is_so_in_samples(refinement, rng):
    pd = pytest.importorskip("pandas")
    net = np.exp(rng.normal(4, 1, 1000)).round(2)
    birth = pd.Timestamp("1930-01-01") + pd.to_timedelta(rng.randint(0, 365 * 80, 1000), "D")
    X = pd.DataFrame({"age": ((pd.Timestamp("2024-06-01") - birth).days / 365.25).astype(int), "birth": birth})
    X = X.assign(net=net, tax=(0.19 * net).round(2), seconds=rng.randint(0, 10**5, 1000))
    X = X.assign(total=(X["net"] + X["tax"]).round(2), weeks=X["seconds"] // 7)
    model = GMMGAN(random_state=0, **refinement).fit(X)
    rows, _ = model.sample(2000, random_state=0)
    assert (rows["tax"] - 0.19 * rows["net"]).abs().max() < 0.005 + 1e-6
    assert (rows["total"] == (rows["net"] + rows["tax"]).round(2)).all()
    assert (rows["weeks"] == rows["seconds"] // 7).all()
    years = (pd.Timestamp("2024-06-01") - rows["birth"]).dt.days / 365.25
    assert (years - rows["age"]).between(0, 1).mean() > 0.995
    tax, age = X.loc[0, ["tax", "age"]]
    rows, _ = model.sample(50, conditions={"tax": tax, "age": age}, random_state=0)
    assert (rows[["tax", "age"]] == [tax, age]).all(axis=None)
    assert (rows["tax"] - 0.19 * rows["net"]).abs().max() < 0.005 + 1e-6
    assert rows["net"].nunique() > 1


def test_what_is_asked_of_rounding_has_all_its_sources(rng):
    pd = pytest.importorskip("pandas")
    birth = pd.Timestamp("1940-01-01") + pd.to_timedelta(rng.randint(0, 365 * 60, 1000), "D")
    X = pd.DataFrame({"birth": birth, "age": ((pd.Timestamp("2024-01-01") - birth).days / 365.25).astype(int)})
    kg = rng.gamma(2, 5, 1000).round(2) + 0.1
    X = X.assign(lb=(2.20462 * kg).round(2), kg=kg.round(2))
    model = GMMGAN(1, random_state=0, **PRIOR).fit(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rows, _ = model.sample(1000, conditions={"age": 30}, random_state=0)
        assert rows["birth"].nunique() > 300
        for conditions in ({"kg": X["kg"][0]}, {"lb": X["lb"][1]}):
            rows, _ = model.sample(500, conditions=conditions, random_state=0)
            assert ((2.20462 * rows["kg"]).round(2) == rows["lb"]).all()
            assert rows["birth"].nunique() > 300
    rows, _ = model.sample(2000, random_state=0)
    assert ((2.20462 * rows["kg"]).round(2) == rows["lb"]).mean() > 0.999


def test_what_is_rounded_can_be_missing(rng):
    """Also where its source is not: a column and its copy with gaps."""
    x = np.round(rng.lognormal(5, 1, 1000), 2)
    weeks = np.where(rng.uniform(size=1000) < 0.2, np.nan, np.floor(x / 7))
    model = GMMGAN(2, **PRIOR).fit(np.column_stack([x, weeks]))
    rows, _ = model.sample(2000, random_state=0)
    is_there = ~np.isnan(rows[:, 1])
    assert 0.75 < is_there.mean() < 0.85
    np.testing.assert_array_equal(rows[is_there, 1], np.floor(rows[is_there, 0] / 7))
    assert np.isnan(model.sample(20, conditions={1: np.nan}, random_state=0)[0][:, 1]).all()


def test_few_numbers_can_be_rounded(rng):
    day = rng.randint(0, 2200, 800).astype(float)
    X = np.column_stack([(day + 0.1) * 4 // 1461 + 2019, day, rng.normal(size=800)])
    model = GMMGAN(1, **PRIOR).fit(X)
    rows, _ = model.sample(1000, random_state=0)
    assert (rows[:, 0] == (rows[:, 1] + 0.1) * 4 // 1461 + 2019).mean() > 0.995


def test_times_and_their_days(rng):
    pd = pytest.importorskip("pandas")
    at = pd.Series(pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.randint(0, 500 * 24, 800), "h"))
    X = pd.DataFrame({"day": at.dt.floor("D"), "at": at, "noise": rng.normal(size=800)})
    model = GMMGAN(1, random_state=0, **PRIOR).fit(X)
    (difference,) = model._model.codec.differences
    assert difference[:3] == (0, 1, 1.0)
    rows, _ = model.sample(2000, random_state=0)
    assert (rows["day"] == rows["at"].dt.floor("D")).all()
    rows, _ = model.sample(500, conditions={"day": "2024-06-05"}, random_state=0)
    assert (rows["at"].dt.floor("D") == "2024-06-05").all()
    assert rows["at"].nunique() > 20


def test_what_only_looks_like_a_difference_is_none(rng):
    a = rng.uniform(0, 1000, 1000).round(1)
    noise = rng.normal(0, 10, 1000).round(1)
    gap = np.where(rng.uniform(size=1000) < 0.1, np.nan, 0.0)
    for pair in (
        [a, (a + 30 * noise).round(1)],  # too much noise
        [a, (a * (1 + noise / 100)).round(1)],  # noise that grows with the number
        [a + gap, a + noise],  # nothing to compute it from
        [rng.randint(0, 3, 1000), rng.randint(0, 3, 1000)],
        [a, np.exp(a / 200).round()],
    ):
        assert differences(np.column_stack(pair)) == []


def test_columns_are_computed_from_what_is_not(rng):
    a = rng.uniform(0, 1000, 1000).round(2)
    noise = rng.normal(0, 5, (2, 1000)).round(2)
    assert differences(np.column_stack([a, a + noise[0], a + noise.sum(axis=0)])) == [(1, 0), (2, 1)]
    assert differences(np.column_stack([a.round(), a, a.round(1)])) == [(0, 1), (2, 1)]
    b = a + 3 * noise[0]
    near = np.column_stack([a, b, *(b + rng.normal(0, 1, (4, 1000)))]).round(2)
    assert (1, 0) in differences(near)


def test_columns_that_many_others_tell_have_no_base(rng):
    X = np.round(rng.normal(20, 8, (1000, 1)) + rng.normal(0, 0.25, (1000, 30)), 1)
    assert len(differences(X)) < 6


def test_models_with_differences_come_back(orders, tmp_path):
    pytest.importorskip("skops")
    from skgmmgan import load, save

    X, model = orders
    save(model, tmp_path / "model")
    again = load(tmp_path / "model")
    assert again.score(X) == model.score(X)
    assert again.sample(50, random_state=0)[0].equals(model.sample(50, random_state=0)[0])


@pytest.mark.parametrize(
    ("low", "high", "found"),
    [
        ("31/100", "35/100", "1/3"),
        ("-27379/10000000", "-27378/10000000", "-100/36525"),
        ("5/2", "7/2", "3"),
        ("1/3601", "1/3598", "1/3600"),
        ("1/86402", "1/86396", "1/86400"),
        ("18999/100000", "19001/100000", "19/100"),
        ("1596637/10000000", "1596639/10000000", "19/119"),
        ("-1", "1", "0"),
    ],
)
def test_the_plainest_fraction(low, high, found):
    assert plainest(Fraction(low), Fraction(high)) == Fraction(found)


def test_noise_about_a_line(rng):
    X = rng.normal(size=(1000, 3))
    X[:, 1] = 5 - 2 * X[:, 0]
    X[:, 2] = X[:, 0] + 0.1 * X[:, 2]
    X[::3, 2] = np.nan
    noise = linear_noise(X)
    assert noise[0, 1] == pytest.approx(0, abs=1e-7)
    assert noise[0, 2] == pytest.approx(0.1, rel=0.1)
    X[50:, 2] = np.nan
    X[:, 1] = np.nan
    assert np.isinf(linear_noise(X)[:, 1]).all()


def periods(n=1000, seed=0):
    """A period by its start, its length and its end, a reading within three days, and a payment, if there is one."""
    pd = pytest.importorskip("pandas")
    rng = np.random.RandomState(seed)
    start, length = pd.Timestamp("2022-01-01") + pd.to_timedelta(rng.randint(0, 700, n), "D"), rng.randint(20, 120, n)
    X = pd.DataFrame({"start": start, "length": length, "end": start + pd.to_timedelta(length, "D")})
    wait = np.where(rng.uniform(size=n) < 0.2, np.nan, rng.poisson(12, n) + 2)
    X["read"] = X["end"] + pd.to_timedelta(rng.randint(0, 4, n), "D")
    return X.assign(wait=wait, paid=X["end"] + pd.to_timedelta(wait, "D"))


@pytest.mark.parametrize("conditions", [{}, {"paid": None}, {"paid": "2023-05-06"}, {"read": "2023-05-04"}], ids=str)
def test_dates_near_the_end_of_a_period(conditions):
    """What is near a sum, and a sum of what is missing in the same rows."""
    X = periods()
    rows, _ = GMMGAN(2, random_state=0, **PRIOR).fit(X).sample(300, conditions=conditions, random_state=0)
    assert (days(rows["end"], rows["start"]) == rows["length"]).all()
    assert days(rows["read"], rows["end"]).between(0, 3).all()
    assert (rows["paid"].isna() == rows["wait"].isna()).all()
    paid = rows.dropna()
    assert (days(paid["paid"], paid["end"]) == paid["wait"]).all()
    for name, value in conditions.items():
        assert (rows[name].isna() if value is None else rows[name] == value).all()
    if not conditions:
        assert rows["paid"].isna().mean() == pytest.approx(0.2, abs=0.07)


def test_distances_are_rules():
    X = periods()
    shifted = X.assign(read=X["read"].to_numpy()[::-1])
    assert dict(rule_errors(X, X)) == dict.fromkeys(dict(rule_errors(X, X)), 0.0)
    errors = dict(rule_errors(X, shifted))
    assert errors["read", "end"] > 0.9
    assert max(share for rule, share in errors.items() if "read" not in rule) == 0
    late = X.assign(paid=X["paid"] + np.timedelta64(1, "D"))
    assert max(share for rule, share in rule_errors(X, late) if rule[0] == "paid") > 0.7
