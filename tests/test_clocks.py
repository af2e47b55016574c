"""Hours and weekdays at which there are many rows."""

import numpy as np
import pytest

from skgmmgan import GMMGAN, GMMGANClassifier
from skgmmgan._clocks import Clock, Rhythm, find_rhythm

pd = pytest.importorskip("pandas")

PRIOR = {"n_components": 1, "max_epochs": 0, "adversarial_rounds": 0, "random_state": 0}
DAY = 86_400
CLOCK = Clock(1_672_531_200, DAY)  # seconds from 2023-01-01, a Sunday
DTYPES = [
    "datetime64[s]",
    "datetime64[ns]",
    "datetime64[us, UTC]",
    "datetime64[us, UTC+05:30]",
    "timestamp[us][pyarrow]",
]


@pytest.fixture
def visits(rng):
    """Quarters of working hours of two years."""
    day = pd.Series(rng.choice(pd.bdate_range("2023-01-01", "2024-12-31"), 800))
    return day + pd.to_timedelta((9 * 60 + 8 * 60 * rng.beta(2, 2, 800)).astype(int) // 15 * 15, "min")


def are_at_work(times):
    return (times.dt.day_of_week < 5) & times.dt.hour.between(9, 16)


@pytest.mark.parametrize("dtype", DTYPES)
def test_visits_are_drawn_in_working_hours(visits, dtype):
    zone = dtype.partition(", ")[2].removesuffix("]")
    times = visits.dt.tz_localize(zone).astype(dtype) if zone else visits.astype(dtype)
    X = pd.DataFrame({"at": times.mask(times.index % 9 == 0), "x": np.arange(800) % 7})
    rows = GMMGAN(**PRIOR).fit(X).sample(5000)[0]["at"]
    assert rows.dtype == X["at"].dtype
    drawn = rows.dropna()
    assert are_at_work(drawn).all()
    assert drawn.dt.minute.isin([0, 15, 30, 45]).all()
    shares = [at.dt.hour.value_counts(normalize=True) for at in (drawn, times)]
    assert (shares[0] - shares[1]).abs().max() < 0.04


def test_rows_of_classes_are_drawn_in_working_hours(visits):
    X = pd.DataFrame({"x": np.arange(800) % 7, "at": visits})
    model = GMMGANClassifier(**PRIOR).fit(X, visits.dt.year)
    rows, labels = model.sample(500)
    assert are_at_work(rows["at"]).all()
    assert (rows["at"].dt.year == labels).mean() > 0.95


def test_days_of_a_year_are_working_days(rng):
    days = rng.choice(pd.bdate_range("2004-01-01", "2024-12-31"), 400)
    rows, _ = GMMGAN(**PRIOR).fit(pd.DataFrame({"hired": days, "x": np.arange(400) % 7})).sample(2000)
    assert (rows["hired"].dt.day_of_week < 5).mean() > 0.995


def test_probabilities_of_days_add_up_to_one(rng):
    days = pd.date_range("2024-01-01", "2024-03-31")
    working = days[days.day_of_week < 5]
    X = pd.DataFrame({"day": np.append(rng.choice(working, 200), days[[5, 90]]).astype("M8[s]")})
    model = GMMGAN(**PRIOR).fit(X)
    assert model._model.codec.columns[0].rhythm is not None
    scores = model.score_samples(pd.DataFrame({"day": days.astype("M8[s]")}))
    assert np.exp(scores + np.log(DAY)).sum() == pytest.approx(1, abs=0.02)
    assert scores[days.day_of_week >= 5].max() < scores[days.day_of_week < 5].min()


def test_a_night_can_be_asked_for(visits):
    model = GMMGAN(**PRIOR).fit(pd.DataFrame({"at": visits, "x": np.arange(800) % 7}))
    night = pd.Timestamp("2024-03-02 03:15")
    rows, _ = model.sample(3, conditions={"at": night})
    assert (rows["at"] == night).all()
    assert -60 < model.score(rows) < model.score(model.sample(100)[0]) - 5


@pytest.mark.parametrize("n_parts", [7, 168, 672])
def test_a_rhythm_goes_both_ways(rng, n_parts):
    rhythm = Rhythm(7.0 * DAY, 5.5, rng.dirichlet(np.full(n_parts, 0.3)).clip(1e-9))
    rhythm = rhythm._replace(shares=rhythm.shares / rhythm.shares.sum())
    x = np.sort(rng.uniform(-20 * DAY, 20 * DAY, 500))
    weeks, log_slope = rhythm.forward(x)
    assert (np.diff(weeks) >= 0).all()
    inner = log_slope > np.log(1e-4 / DAY)  # elsewhere a week has no digits left
    np.testing.assert_allclose(rhythm.inverse(weeks)[inner], x[inner], atol=1e-3)
    ahead = rhythm.forward(x + 1e-3)[0]
    in_one_part = inner & (np.floor((x + 5.5) * n_parts / (7 * DAY)) == np.floor((x + 5.501) * n_parts / (7 * DAY)))
    np.testing.assert_allclose((ahead - weeks)[in_one_part] / 1e-3, np.exp(log_slope)[in_one_part], rtol=1e-2)


@pytest.mark.parametrize("n", [60, 500, 5000])
@pytest.mark.parametrize("n_days", [1, 20, 700])
def test_even_times_have_no_rhythm(rng, n, n_days):
    assert find_rhythm(rng.randint(0, n_days * DAY, n).astype(float), CLOCK, 1.0) is None
    assert find_rhythm(900.0 * np.arange(n), CLOCK, 900.0) is None


def test_a_busy_day_is_no_rhythm(rng):
    """Half of the rows are of one afternoon."""
    even, busy = rng.randint(0, 300 * DAY, 500), 100 * DAY + rng.randint(12 * 3600, 18 * 3600, 500)
    assert find_rhythm(np.append(even, busy).astype(float), CLOCK, 1.0) is None


def test_a_rhythm_begins_on_monday(rng):
    times = 7 * rng.randint(0, 100, 400) + np.array([1, 2])[rng.randint(0, 2, 400)]  # Mondays and Tuesdays
    shares = find_rhythm(times * float(DAY), CLOCK, float(DAY)).shares
    assert shares[:2].sum() > 0.999
    assert len(shares) == 7
