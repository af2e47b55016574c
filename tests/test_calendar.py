"""What dates and times tell of other columns: months, weekdays, hours."""

import datetime as dt
import pickle
import re
import warnings

import numpy as np
import pytest

from skgmmgan import GMMGAN
from skgmmgan._calendar import PARTS
from skgmmgan._clocks import Clock

pd = pytest.importorskip("pandas")

PRIOR = {"covariance_type": "full", "reg_covar": 1e-3, "max_epochs": 0, "adversarial_rounds": 0, "random_state": 0}
N = 1500


@pytest.mark.parametrize("names", ["day clock time", "time day clock", "clock time day", "time day"])
def test_a_time_beside_its_day_and_time_of_day(names):
    """In any order of the columns; the step of a day is none of the times', so days are not computed from these."""
    time = pd.Series(
        pd.Timestamp("2023-01-01") + pd.to_timedelta(np.random.RandomState(0).randint(0, 525_600, 400), "m")
    )
    day = time.dt.normalize()
    X = pd.DataFrame({"time": time, "day": day, "clock": time - day})[names.split()]
    rows, _ = GMMGAN(1, **PRIOR).fit(X).sample(2000, random_state=0)
    assert (rows["day"] == rows["time"].dt.normalize()).all()
    if "clock" in rows:
        assert (rows["day"] + rows["clock"] == rows["time"]).all()


@pytest.mark.parametrize("names", ["start day clock end", "start day end end_day", "start day clock end end_day"])
def test_a_start_and_its_end_beside_their_days(names):
    """The day is a rounded sum of the end and the time of day, too."""
    rng = np.random.RandomState(0)
    start = pd.Series(pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.randint(0, 365 * 86_400, 600), "s"))
    end = start + pd.to_timedelta(rng.randint(1, 90, 600), "min")
    day, end_day = start.dt.normalize(), end.dt.normalize()
    X = pd.DataFrame({"start": start, "day": day, "clock": start - day, "end": end, "end_day": end_day})[names.split()]
    rows, _ = GMMGAN(1, **PRIOR).fit(X).sample(500, random_state=0)
    assert (rows["start"] < rows["end"]).all()
    assert (rows["day"] == rows["start"].dt.normalize()).all()
    if "end_day" in rows:
        assert (rows["end_day"] == rows["end"].dt.normalize()).all()


@pytest.fixture(scope="module")
def sales():
    """Days of two years, most of what is derived of them, and sales that hang on it; the date stands between."""
    rng = np.random.default_rng(0)
    date = pd.Series(pd.to_datetime("2022-01-01") + pd.to_timedelta(rng.integers(0, 731, N), unit="D"))
    day, month = date.dt.day_of_week, date.dt.month
    return pd.DataFrame(
        {
            "year": date.dt.year,
            "month": date.dt.month_name(),
            "date": date,
            "weekday": day,
            "weekend": day >= 5,
            "day": date.dt.day,
            "week": date.dt.isocalendar().week,
            "sales": rng.poisson(20 + 30 * (day >= 5) + 2 * month),
            "season": pd.Categorical(np.select([month < 4, month < 7, month < 10], ["a", "b", "c"], "d")),
        }
    )


def agrees(rows):
    """Mask of the rows in which all columns go with the date."""
    date = rows["date"]
    told = {
        "year": date.dt.year,
        "month": date.dt.month_name(),
        "weekday": date.dt.day_of_week,
        "weekend": date.dt.day_of_week >= 5,
        "day": date.dt.day,
        "week": date.dt.isocalendar().week,
        "season": date.dt.month.map(lambda month: "abcd"[(month - 1) // 3]),
    }
    return np.all([rows[name].astype(object) == x.astype(object) for name, x in told.items()], axis=0)


@pytest.fixture(scope="module")
def model(sales):
    return GMMGAN(**PRIOR).fit(sales)


def parts_of(model):
    columns = model._table.names
    told = [pair for pair in model._model.codec.told_levels() if pair[0] < len(columns)]
    return {columns[j]: (columns[line.sources[0]], line.part.name) for j, line in told}


@pytest.mark.parametrize("part", PARTS)
def test_parts_are_those_of_pandas(part):
    times = pd.Series(pd.to_datetime("1899-12-30 23:00") + pd.to_timedelta(np.arange(200_000) * 307, unit="min"))
    year, month = times.dt.year, times.dt.month
    expected = {
        "weekday": times.dt.day_of_week,
        "month": month,
        "hour": times.dt.hour,
        "year": year,
        "day of the month": times.dt.day,
        "week": times.dt.isocalendar().week,
        "minute": times.dt.minute,
        "year and month": 100 * year + month,
        "hour of the week": 24 * times.dt.day_of_week + times.dt.hour,
        "day of the year": times.dt.day_of_year,
        "year, month and day": 10_000 * year + 100 * month + times.dt.day,
        "day": 10**7 * times.dt.day_of_week + times.astype("datetime64[s]").astype("int64") // 86_400,
    }
    seconds = times.astype("datetime64[s]").astype("int64").to_numpy()
    for per_second in (1, 10**6, 10**9):
        minutes, of = PARTS[part]
        clock = Clock(1000 * per_second, 86_400 * per_second)
        x = (seconds - 1000).astype(float) * per_second
        assert np.array_equal(of(clock.periods(x, minutes)), expected[part].astype(int))
        assert (clock.starts(clock.periods(x, minutes), minutes) <= x).all()
        assert (clock.starts(clock.periods(x, minutes) + 1, minutes) > x).all()


def test_drawn_rows_agree_with_their_dates(model, sales):
    assert parts_of(model) == {
        "year": ("date", "year"),
        "month": ("date", "month"),
        "weekday": ("date", "weekday"),
        "weekend": ("date", "weekday"),
        "day": ("date", "day of the month"),
        "week": ("date", "week"),
        "season": ("date", "month"),
    }
    rows, _ = model.sample(2000)
    assert (rows.dtypes == sales.dtypes).all()
    assert agrees(rows).all()
    assert rows["date"].between(sales["date"].min(), sales["date"].max()).all()
    means = [X.groupby("weekend")["sales"].mean().to_numpy() for X in (sales, rows)]
    assert np.allclose(*means, rtol=0.15)


def test_what_dates_tell_adds_nothing_to_the_density(model, sales):
    parts = model.score_columns(sales)
    assert np.allclose(parts[:, [0, 1, 3, 4, 5, 6, 8]], np.log(N / (N + 1)))
    wrong = sales.assign(month=np.roll(sales["month"], 1))
    others = wrong["month"] != sales["month"]
    assert np.allclose(model.score_columns(wrong)[others, 1], -np.log(N + 1))


@pytest.mark.parametrize(
    "conditions",
    [
        {"month": "May"},
        {"year": 2023, "weekend": True},
        {"year": 2023, "month": "February", "day": 28},
        {"season": "b", "weekday": 2},
        {"date": pd.Timestamp("2022-02-14")},
        {"week": 52, "sales": 70},
    ],
    ids=str,
)
def test_conditions(model, conditions):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rows, _ = model.sample(40, conditions=conditions, random_state=1)
    assert all((rows[name] == value).all() for name, value in conditions.items())
    assert agrees(rows).all()


def test_all_days_of_a_condition_are_drawn(model):
    rows, _ = model.sample(400, conditions={"month": "May", "weekday": 0}, random_state=0)
    mondays = pd.date_range("2022-01-01", "2023-12-31", freq="W-MON")
    assert set(rows["date"]) == {day for day in mondays if day.month == 5}
    assert rows["date"].value_counts().max() < 120


def test_conditions_that_no_day_meets(model):
    with pytest.warns(UserWarning, match="'month' goes with 'date'|contradict"):
        model.sample(5, conditions={"month": "February", "day": 30})


def test_missing_dates_are_filled_by_what_is_known_of_them(model, sales):
    gaps = sales.head(200).copy()
    gaps.loc[:99, "date"] = pd.NaT
    gaps.loc[100:, ["month", "weekday"]] = None
    gaps.loc[50:99, ["year", "week"]] = None
    filled = model.impute(gaps, random_state=0)
    assert agrees(filled[sales.columns]).all()
    assert (filled["date"][:50] == sales["date"][:50]).all()


def test_a_missing_part_asks_for_a_missing_date(sales):
    sales = sales.mask(np.tile(np.random.default_rng(1).random((N, 1)) < 0.2, sales.shape[1]))
    model = GMMGAN(1, **PRIOR).fit(sales)
    assert parts_of(model)["month"] == ("date", "month")
    rows, _ = model.sample(500)
    assert (rows["date"].isna() == rows["month"].isna()).all()
    assert agrees(rows[rows["date"].notna()]).all()
    rows, _ = model.sample(5, conditions={"month": None})
    assert rows["date"].isna().all()


def test_hours_of_times_with_seconds():
    rng = np.random.default_rng(0)
    time = pd.Series(pd.to_datetime("2024-01-01") + pd.to_timedelta(rng.integers(0, 366 * 86_400, N), unit="s"))
    table = pd.DataFrame({"hour": time.dt.hour, "at": time, "shift": np.where(time.dt.hour < 12, "early", "late")})
    table["load"] = np.round(rng.normal(10 + 5 * (table["shift"] == "late"), 1), 1)
    model = GMMGAN(max_epochs=3, adversarial_rounds=1, random_state=0).fit(table)
    rows, _ = model.sample(1000)
    assert (rows["hour"] == rows["at"].dt.hour).all()
    assert ((rows["shift"] == "early") == (rows["hour"] < 12)).all()
    assert rows["at"].dt.second.nunique() == 60
    asked, _ = model.sample(30, conditions={"hour": 7})
    assert (asked["at"].dt.hour == 7).all()
    assert asked["at"].nunique() > 20


@pytest.mark.parametrize(
    "kind",
    [
        *("datetime64[ns]", "datetime64[s]", "utc", "fixed", "dates"),
        *("date32[day][pyarrow]", "timestamp[us][pyarrow]", "timestamp[us, tz=+05:30][pyarrow]"),
    ],
)
def test_types_of_dates(sales, kind):
    date = sales["date"]
    if kind == "dates":
        date = date.dt.date
    elif kind == "utc":
        date = date.dt.tz_localize("UTC")
    elif kind == "fixed":
        date = date.dt.tz_localize(dt.timezone(dt.timedelta(hours=5, minutes=30)))
    else:
        if "pyarrow" in kind:
            pytest.importorskip("pyarrow")
        zone = re.search(r"tz=(.*?)\]", kind)
        date = (date.dt.tz_localize(zone[1]) if zone else date).astype(kind)
    table = pd.DataFrame({"date": date, "month": sales["date"].dt.month})
    rows, _ = GMMGAN(1, **PRIOR).fit(table).sample(200)
    assert (rows["month"] == pd.to_datetime(rows["date"].astype(str)).dt.month).all()
    assert rows["date"].dtype == date.dtype


def test_dates_of_polars(sales):
    pl = pytest.importorskip("polars")
    pytest.importorskip("narwhals")
    for date in (pl.Series(sales["date"].dt.date.tolist()), pl.Series(sales["date"].tolist())):
        table = pl.DataFrame({"date": date, "month": sales["date"].dt.month.tolist()})
        rows, _ = GMMGAN(1, **PRIOR).fit(table).sample(200)
        assert (rows["month"] == rows["date"].dt.month()).all()


def test_what_is_no_level_is_computed():
    """Of days that are computed from times or lie near others, and of more values than levels."""
    rng = np.random.default_rng(0)
    at = pd.Series(pd.to_datetime("2023-01-01") + pd.to_timedelta(rng.integers(0, 500 * 86_400, N), unit="s"))
    day = at.dt.normalize()
    sent = day + pd.to_timedelta(rng.poisson(3, N), unit="D")
    table = pd.DataFrame({"key": day.dt.strftime("%Y%m%d").astype(int), "at": at, "minute": at.dt.minute, "sent": sent})
    table = table.assign(of_year=day.dt.day_of_year, sent_on=sent.dt.day_name(), day=day)
    model = GMMGAN(2, **PRIOR).fit(table)
    rows, _ = model.sample(1000)
    assert (rows["key"].astype(str) == rows["at"].dt.strftime("%Y%m%d")).all()
    assert (rows["minute"] == rows["at"].dt.minute).all()
    assert (rows["of_year"] == rows["at"].dt.day_of_year).all()
    assert (rows["sent_on"] == rows["sent"].dt.day_name()).all()
    assert np.isfinite(model.score_samples(table)).all()
    asked, _ = model.sample(20, conditions={"sent_on": "Monday"})
    assert (asked["sent_on"] == "Monday").all()
    assert (asked["sent"].dt.day_name() == "Monday").all()
    asked, _ = model.sample(20, conditions={"key": 20240229})
    assert (asked["day"] == pd.Timestamp("2024-02-29")).all()
    asked, _ = model.sample(20, conditions={"minute": 30}, random_state=0)
    assert (asked["at"].dt.minute == 30).all()
    with pytest.raises(ValueError, match=r"Funday.*'Monday'"):
        model.sample(1, conditions={"sent_on": "Funday"})
    filled = model.impute(table.head(50).assign(sent_on=None, key=np.nan), random_state=0)
    assert (filled[["sent_on", "key"]] == table[["sent_on", "key"]].head(50)).all(axis=None)


@pytest.mark.parametrize("n", [365, 900])
def test_numbers_of_days(n, rng):
    """Also where each day comes once; and the last of them can be asked for."""
    date = pd.Series(pd.date_range("2024-01-01", periods=n))
    date = date.sample(900, replace=n < 900, random_state=0).reset_index(drop=True)
    table = pd.DataFrame({"date": date, "key": date.dt.strftime("%Y%m%d").astype(int), "x": rng.standard_normal(900)})
    model = GMMGAN(1, **PRIOR).fit(table)
    rows, _ = model.sample(200, random_state=0)
    assert (rows["key"].astype(str) == rows["date"].dt.strftime("%Y%m%d")).all()
    rows, _ = model.sample(5, conditions={"key": table["key"].max()}, random_state=0)
    assert (rows["date"] == date.max()).all()


def test_business_days_of_which_each_comes_often():
    rng = np.random.default_rng(0)
    days = pd.bdate_range("2024-01-01", periods=120)
    date = pd.Series(rng.choice(days, N))
    table = pd.DataFrame({"date": date, "weekday": date.dt.day_name(), "closed": date.isin(days[::9])})
    model = GMMGAN(2, **PRIOR).fit(table)
    rows, _ = model.sample(1000)
    assert (rows["weekday"] == rows["date"].dt.day_name()).all()
    assert (rows["closed"] == rows["date"].isin(days[::9])).all()
    asked, _ = model.sample(50, conditions={"weekday": "Friday"})
    assert (asked["date"].dt.day_name() == "Friday").all()


def test_months_and_quarters_that_were_not_there(sales):
    kept = sales[~((sales["date"].dt.year == 2023) & (sales["date"].dt.month == 6))].reset_index(drop=True)
    table = pd.DataFrame({"date": kept["date"], "month": kept["date"].dt.strftime("%Y-%m"), "day": kept["day"]})
    rows, _ = GMMGAN(1, **PRIOR).fit(table).sample(500)
    there = rows["date"].dt.strftime("%Y-%m") != "2023-06"
    assert (rows["month"] == rows["date"].dt.strftime("%Y-%m"))[there].all()
    assert set(rows["month"][~there]) <= {"2023-05"}


def test_few_rows_and_chance(sales):
    few = sales.head(60)
    model = GMMGAN(1, **PRIOR).fit(few)
    assert parts_of(model)["year"] == ("date", "year")
    assert parts_of(model)["weekday"] == ("date", "weekday")
    shuffled = sales.assign(month=sales["month"].sample(frac=1, random_state=0).to_numpy())
    assert "month" not in parts_of(GMMGAN(1, **PRIOR).fit(shuffled))
    nearly = sales.assign(weekend=sales["weekend"].where(sales.index != 3, ~sales["weekend"]))
    assert "weekend" not in parts_of(GMMGAN(1, **PRIOR).fit(nearly))


def test_saved_models_keep_calendars(model, sales, tmp_path):
    again = [pickle.loads(pickle.dumps(model))]
    if pytest.importorskip("skops"):
        from skgmmgan import load, save

        save(model, tmp_path / "model")
        again.append(load(tmp_path / "model"))
    for other in again:
        assert other.score(sales) == model.score(sales)
        assert agrees(other.sample(200)[0]).all()


def test_rules_of_a_report(sales):
    from skgmmgan.metrics import rule_errors

    wrong = sales.assign(month=np.where(sales.index < N // 10, "May", sales["month"]))
    errors = dict(rule_errors(sales, wrong))
    assert errors["month", "date"] == pytest.approx((wrong["month"] != sales["month"]).mean())


def test_bounds_and_decimals_that_are_not_kept(sales):
    model = GMMGAN(1, enforce_bounds=False, enforce_decimals=False, **PRIOR).fit(sales)
    assert agrees(model.sample(500)[0]).all()


def test_a_day_of_many_rows_beside_a_list_of_days():
    rng = np.random.default_rng(0)
    days = pd.bdate_range("2024-01-01", periods=100)
    date = pd.Series(np.where(rng.random(3 * N) < 0.4, days[5], rng.choice(days, 3 * N)))
    table = pd.DataFrame({"date": date, "weekday": date.dt.day_name()})
    model = GMMGAN(2, **PRIOR).fit(table)
    assert days[5].as_unit("s") in pd.to_datetime(model.sample(100)[0]["date"]).tolist()
    asked, _ = model.sample(300, conditions={"weekday": days[5].day_name()}, random_state=0)
    expected = (table["date"] == days[5]).sum() / (table["weekday"] == days[5].day_name()).sum()
    assert (asked["date"] == days[5]).mean() == pytest.approx(expected, abs=0.1)


def test_rare_categories_are_not_told_as_missing(sales):
    march = (sales["date"].dt.month == 3) & (sales["year"] == 2022)
    table = pd.DataFrame({"date": sales["date"], "kind": np.where(march, "A", sales["year"].astype(str))})
    model = GMMGAN(2, min_category_count=march.sum() + 1, **PRIOR).fit(table)
    assert parts_of(model) == {"kind": ("date", "year")}
    assert set(model.sample(500)[0]["kind"]) == {"2022", "2023"}


def test_numbers_that_are_computed_from_dates_have_no_list(sales):
    days = (sales["date"] - sales["date"].min()).dt.days
    table = pd.DataFrame({"date": sales["date"], "serial": days + 44_562, "week": days // 7, "since": days})
    table["since"] = pd.to_timedelta(days, unit="D")
    model = GMMGAN(1, **PRIOR).fit(table)
    assert parts_of(model) == {}
    rows, _ = model.sample(1000)
    days = (rows["date"] - sales["date"].min()).dt.days
    assert (rows["serial"] == days + 44_562).all()
    assert (rows["since"].dt.days == days).all()


def test_a_category_that_tells_two_parts(sales):
    """Courses of a year and a weekday each, half of whose pairs are none."""
    rng = np.random.default_rng(1)
    pairs = rng.permutation([(year, day) for year in (2022, 2023) for day in range(7)])[:7]
    index = {tuple(pair): k for k, pair in enumerate(pairs)}
    course = [index.get(pair, -1) for pair in zip(sales["year"], sales["weekday"])]
    table = sales[["date", "year", "weekday"]].assign(course=[f"c{k}{rng.integers(2)}" for k in course])
    table = table[np.array(course) >= 0].reset_index(drop=True)
    told = table.groupby("course")[["year", "weekday"]].first()
    rows, _ = GMMGAN(2, **PRIOR).fit(table).sample(500)
    assert (told.loc[rows["course"]].to_numpy() == rows[["year", "weekday"]].to_numpy()).all()
    assert (rows["weekday"] == rows["date"].dt.day_of_week).all()


def test_days_that_were_not_there_are_like_those_of_their_weekday():
    rng = np.random.default_rng(0)
    date = pd.Series(pd.to_datetime("2020-01-01") + pd.to_timedelta(rng.integers(0, 1000, N), unit="D"))
    winter, weekend = date.dt.month.isin([12, 1, 2]), date.dt.day_of_week >= 5
    table = pd.DataFrame({"date": date, "weekend": weekend, "rate": np.where(weekend, "w", np.where(winter, "p", "o"))})
    rows, _ = GMMGAN(1, **PRIOR).fit(table).sample(2000)
    assert ((rows["rate"] == "w") == rows["weekend"]).all()


def test_hours_in_nanoseconds_over_many_years():
    rng = np.random.default_rng(0)
    seconds = rng.integers(0, 6 * 365 * 86_400, N)
    seconds[::20] = seconds[::20] // 3600 * 3600
    noise = np.where(np.arange(N) % 20 == 0, 0, rng.integers(0, 10**6, N))
    at = pd.Series(
        pd.to_datetime("2018-01-01") + pd.to_timedelta(seconds, unit="s") + pd.to_timedelta(noise, unit="us")
    )
    table = pd.DataFrame({"at": at.astype("datetime64[ns]"), "hour": at.dt.hour})
    rows, _ = GMMGAN(1, **PRIOR).fit(table).sample(500)
    assert (rows["hour"] == rows["at"].dt.hour).all()


def test_a_missing_day_of_the_year_asks_for_a_missing_date(sales):
    gaps = np.tile(np.random.default_rng(1).random((N, 1)) < 0.2, (1, 2))
    table = sales[["date"]].assign(of_year=sales["date"].dt.day_of_year).mask(gaps)
    model = GMMGAN(1, **PRIOR).fit(table)
    rows, _ = model.sample(20, conditions={"of_year": None})
    assert rows["date"].isna().all()
    rows, _ = model.sample(20, conditions={"of_year": 60})
    assert (rows["date"].dt.day_of_year == 60).all()


# ---- hidden parts: what hangs on the hour, where that is no column


def openings(n=N, seed=0):
    """Times of six years, and what hangs on their hour, month or weekday: guests, warmth and the shift."""
    rng = np.random.default_rng(seed)
    at = pd.Series(pd.to_datetime("2018-01-01") + pd.to_timedelta(rng.integers(0, 6 * 8766, n), unit="h"))
    hour, is_free = at.dt.hour, at.dt.day_of_week >= 5
    return pd.DataFrame(
        {
            "shift": np.where(rng.random(n) < 0.1, "extra", np.where(hour < 12, "early", "late")),
            "guests": rng.poisson(np.where(is_free, 20, 10) + 30 * (hour // 6 == 2)),
            "at": at,
            "warmth": (15 - 10 * np.cos(2 * np.pi * (at.dt.month - 1) / 12) + rng.normal(0, 3, n)).round(1),
        }
    )


@pytest.fixture(scope="module")
def guests():
    return GMMGAN(6, **PRIOR).fit(openings())


def test_columns_hang_on_parts_that_the_table_does_not_have(guests, monkeypatch):
    hidden = [part.name for _, part in guests._model.codec.hidden.values()]
    assert hidden == ["hour", "weekday", "month"]
    X, test = openings(), openings(seed=1)
    rows, _ = guests.sample(4000)
    assert list(rows) == list(X)

    def by(X, part, column):
        return X.groupby(getattr(X["at"].dt, part))[column].mean()

    for part, column in (("hour", "guests"), ("month", "warmth")):
        assert np.corrcoef(by(rows, part, column), by(X, part, column))[0, 1] > 0.8
    monkeypatch.setattr("skgmmgan._codec.find_hidden", lambda *_: [])
    assert guests.score(test) > GMMGAN(6, **PRIOR).fit(X).score(test) + 0.5


def test_levels_go_with_hidden_parts(guests):
    rows, _ = guests.sample(2000)
    assert not ((rows["shift"] == "early") & (rows["at"].dt.hour >= 12)).any()
    assert not ((rows["shift"] == "late") & (rows["at"].dt.hour < 12)).any()
    rows, _ = guests.sample(50, conditions={"shift": "late"})
    assert (rows["at"].dt.hour >= 12).all()
    with pytest.warns(UserWarning, match="'shift' goes with 'at'"):
        guests.sample(5, conditions={"shift": "late", "at": "2020-01-01 07:00"})


def test_rules_name_the_times():
    from skgmmgan.metrics import rule_errors

    X = openings()
    errors = dict(rule_errors(X, X.assign(shift="late")))
    assert errors["shift", "at"] == pytest.approx((X["at"].dt.hour < 12).mean())
    assert all(len(columns) > 1 for columns in errors)


def test_missing_times_and_saved_models(tmp_path):
    X = openings()
    X["at"] = X["at"].mask(X.index % 5 == 0)
    model = GMMGAN(2, **PRIOR).fit(X)
    assert model._model.codec.hidden
    assert np.isfinite(model.score_samples(X)).all()
    assert model.score_columns(X).shape == (N, 5)
    assert model.sample(20, conditions={"at": None})[0]["at"].isna().all()
    filled = model.impute(X[:40])
    assert filled["at"].notna().all()
    assert not ((filled["shift"] == "early") & (filled["at"].dt.hour >= 12)).any()
    again = [pickle.loads(pickle.dumps(model))]
    if pytest.importorskip("skops"):
        from skgmmgan import load, save

        save(model, tmp_path / "model")
        again.append(load(tmp_path / "model"))
    assert all(other.score(X) == model.score(X) for other in again)


def test_parts_are_hidden_only_where_something_hangs_on_them(sales):
    X = openings()
    shuffled = X.assign(at=X["at"].sample(frac=1, random_state=0).to_numpy())
    days = X.assign(hour=X["at"].dt.hour, day=X["at"].dt.day_name(), month=X["at"].dt.month)
    few = X.assign(at=pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(N) % 1440, unit="min"))
    for table in (shuffled, days, few, sales):
        assert not GMMGAN(1, **PRIOR).fit(table)._model.codec.hidden
