"""Every dtype comes back as it was, gaps included, from pandas and from polars."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from skgmmgan import GMMGAN
from skgmmgan._table import Table
from skgmmgan.metrics import shape_error

pd = pytest.importorskip("pandas")

PRIOR = {"covariance_type": "full", "reg_covar": 1e-3, "max_epochs": 0, "adversarial_rounds": 0}
N = 120
HOURS = pd.date_range("2024-03-29 08:00", periods=N, freq="h", tz="Europe/Berlin")  # across the change to summer time
NAIVE = HOURS.tz_localize(None)


def objects(values):
    return pd.Series(list(values), dtype=object)


def pandas_columns():
    rng = np.random.default_rng(0)
    whole, real, flag = rng.integers(0, 500, N), rng.normal(size=N), rng.uniform(size=N) < 0.3
    text, seconds = rng.choice(["a", "b"], N), rng.integers(0, 10**6, N)
    columns = {
        "int16": whole.astype("int16"),
        "uint8": (whole % 250).astype("uint8"),
        "float32": real.astype("float32"),
        "bool": flag,
        "Int64": pd.array(whole, dtype="Int64"),
        "UInt16": pd.array(whole, dtype="UInt16"),
        "Float32": pd.array(real, dtype="Float32"),
        "boolean": pd.array(flag, dtype="boolean"),
        "string": pd.array(text, dtype="string"),
        "str": pd.Series(text),
        "category": pd.Categorical(text, categories=["never", "b", "a"]),
        "ordered": pd.Categorical(whole % 3, categories=[2, 1, 0], ordered=True),
        "category of times": pd.Categorical(NAIVE[whole % 3]),
        "interval": pd.cut(real, 4),
        "period": pd.period_range("2020-01", periods=N, freq="M"),
        "datetime": NAIVE,
        "datetime in nanoseconds": NAIVE.as_unit("ns") + pd.to_timedelta(seconds, unit="ns"),
        "datetime in seconds": NAIVE.as_unit("s"),
        "datetime with zone": HOURS,
        "timedelta": pd.to_timedelta(seconds, unit="s"),
        "dates": objects(HOURS.date),
        "Python's datetimes": objects(NAIVE.to_pydatetime()),
        "Python's times of day": objects((dt.datetime.min + dt.timedelta(seconds=int(s))).time() for s in seconds),
        "Python's timedeltas": objects(dt.timedelta(seconds=int(s)) for s in seconds),
        "Python's integers": objects(seconds.tolist()),
        "Python's floats": objects(real.tolist()),
        "Python's booleans": objects(flag.tolist()),
        "decimals": objects(Decimal(int(v)) / 100 for v in whole),
        "mixed": objects(["x", 1, 2.5, True][i % 4] for i in whole),
        "bytes": objects([b"x", b"y"][i % 2] for i in whole),
        "constant": np.full(N, 7),
        "large": 2**60 + whole,
    }
    if HAS_ARROW:
        columns |= {
            "int32[pyarrow]": pd.array(whole, dtype="int32[pyarrow]"),
            "double[pyarrow]": pd.array(real, dtype="double[pyarrow]"),
            "bool[pyarrow]": pd.array(flag, dtype="bool[pyarrow]"),
            "string[pyarrow]": pd.array(text, dtype="string[pyarrow]"),
            "date32[pyarrow]": pd.array(HOURS.date, dtype="date32[pyarrow]"),
            "timestamp[pyarrow]": pd.array(NAIVE, dtype="timestamp[us][pyarrow]"),
            "timestamp with zone[pyarrow]": pd.array(HOURS, dtype="timestamp[ms, tz=Europe/Berlin][pyarrow]"),
            "duration[pyarrow]": pd.array(NAIVE - NAIVE[0], dtype="duration[s][pyarrow]"),
        }
    return {name: pd.Series(values) for name, values in columns.items()}


try:
    import pyarrow  # noqa: F401

    HAS_ARROW = True
except ImportError:
    HAS_ARROW = False

COLUMNS = pandas_columns()
NO_GAPS = ("int16", "uint8", "bool", "constant", "large")  # dtypes without a missing value


def same_missing_value(a, b):
    return a is b or (a != a and b != b)


def bounds(series):
    """Least and greatest value; None if the values have no order."""
    try:
        return series.min(), series.max()
    except TypeError:
        return None


@pytest.mark.parametrize("gaps", [False, True], ids=["complete", "gaps"])
@pytest.mark.parametrize("name", COLUMNS)
def test_pandas_dtypes(name, gaps):
    if gaps and name in NO_GAPS:
        pytest.skip("the dtype has no missing value")
    series = COLUMNS[name].copy()
    if gaps:
        series.iloc[::5] = None
    X = pd.DataFrame({name: series, "v": np.arange(N, dtype=float)}).set_axis(np.arange(N)[::-1] + 900)
    before = X.copy(deep=True)
    model = GMMGAN(1, random_state=0, **PRIOR).fit(X)
    rows, _ = model.sample(400, random_state=0)
    seen, drawn = X[name].dropna(), rows[name].dropna()
    pd.testing.assert_frame_equal(X, before)
    assert rows.dtypes.equals(X.dtypes)
    assert rows.index.equals(pd.RangeIndex(400))
    assert {type(v) for v in drawn} <= {type(v) for v in seen}
    assert bounds(seen) is None or bounds(drawn)[0] >= bounds(seen)[0]
    assert bounds(seen) is None or bounds(drawn)[1] <= bounds(seen)[1]
    assert 0.08 < rows[name].isna().mean() < 0.35 if gaps else not rows[name].isna().any()
    assert np.isfinite(model.score_samples(X)).all()
    assert model.sample(0)[0].dtypes.equals(X.dtypes)
    if gaps:
        assert same_missing_value(rows[name][rows[name].isna()].iloc[0], X[name][X[name].isna()].iloc[0])
        filled = model.impute(X, random_state=0)
        assert filled.dtypes.equals(X.dtypes)
        assert not filled[name].isna().any()
        assert filled[name][X[name].notna()].equals(seen)


@pytest.mark.parametrize("name", COLUMNS)
def test_pandas_round_trip(name):
    X = pd.DataFrame({name: COLUMNS[name]})
    table = Table(X)
    pd.testing.assert_frame_equal(table.decode(table.encode(X)), X)


@pytest.mark.parametrize("dtype", ["datetime64[us]", "timedelta64[s]", "Int8", "float64", "object", "category"])
def test_a_column_without_any_value_comes_back_without_any(dtype):
    X = pd.DataFrame({"a": pd.Series([None] * 30).astype(dtype), "v": np.arange(30.0)})
    model = GMMGAN(1, random_state=0, **PRIOR).fit(X)
    rows, _ = model.sample(20)
    assert rows["a"].isna().all()
    assert rows.dtypes.equals(X.dtypes)
    assert model.impute(X)["a"].isna().all()


def test_times_depend_on_one_another_and_keep_their_grid():
    X = pd.DataFrame({"seen": HOURS, "day": NAIVE.normalize(), "v": np.arange(float(N))})
    short = {"max_epochs": 10, "adversarial_rounds": 1, "hidden_layer_sizes": 64}
    rows, _ = GMMGAN(2, random_state=0, **short).fit(X).sample(500, random_state=0)
    assert rows["seen"].astype("int64").corr(rows["v"], method="spearman") > 0.9
    assert (rows["seen"] == rows["seen"].dt.floor("h")).all()
    assert (rows["day"] == rows["day"].dt.normalize()).all()


@pytest.mark.parametrize("unit", ["s", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "+02:00"])
def test_times_keep_a_grid_that_does_not_begin_with_their_ticks(unit, zone):
    """Mondays stay Mondays, and midnights of a zone midnights."""
    weeks = np.random.RandomState(0).randint(0, 200, 400)
    mondays = (pd.Timestamp("2019-01-07", tz=zone) + pd.to_timedelta(7 * weeks, "D")).as_unit(unit)
    X = pd.DataFrame({"t": mondays, "v": np.arange(400.0)})
    model = GMMGAN(1, random_state=0, **PRIOR).fit(X)
    rows, _ = model.sample(500)
    assert rows["t"].dtype == X["t"].dtype
    assert (rows["t"] == rows["t"].dt.normalize()).all()
    assert (rows["t"].dt.day_of_week == 0).all()
    assert rows["t"].nunique() > 100
    assert (model.sample(3, conditions={"t": mondays[0]})[0]["t"] == mondays[0]).all()
    with pytest.raises(ValueError, match="'t'"):
        model.sample(3, conditions={"t": mondays[0] + pd.Timedelta(days=1)})


@pytest.mark.parametrize("unit", ["s", "us"])
def test_relations_between_times_of_other_grids(unit):
    """A date that another column tells is not rounded to weeks if that does not count in weeks; durations multiply."""
    rng = np.random.RandomState(0)
    days = 18_000 + rng.randint(0, 700, 1000)
    mondays = days + 7 - (days + 3) % 7

    def dates(days):
        return pd.Series((days * 86_400).astype("datetime64[s]")).astype(f"datetime64[{unit}]")

    minutes = 60 * (2 * rng.randint(5, 100, 1000) + 1)
    X = pd.DataFrame({"seconds": 86_400 * mondays, "date": dates(mondays), "v": rng.normal(size=1000)})
    rows, _ = GMMGAN(2, random_state=0, **PRIOR).fit(X).sample(500)
    assert (rows["date"] == pd.to_datetime(rows["seconds"], unit="s")).all()
    X = pd.DataFrame({"start": dates(days), "left": mondays - days, "deadline": dates(mondays)})
    rows, _ = GMMGAN(2, random_state=0, **PRIOR).fit(X).sample(500)
    assert (rows["start"] + pd.to_timedelta(rows["left"], "D") == rows["deadline"]).all()
    X = X.drop(columns="left")
    rows, _ = GMMGAN(2, random_state=0, **PRIOR).fit(X).sample(500)
    assert (rows["deadline"] - rows["start"]).between("1D", "7D").all()
    each = pd.Series(minutes.astype("timedelta64[s]"))
    X = pd.DataFrame({"each": each, "n": rng.randint(1, 9, 1000)})
    X["total"] = X["each"] * X["n"]
    rows, _ = GMMGAN(2, random_state=0, **PRIOR).fit(X).sample(500)
    assert (rows["each"] * rows["n"] == rows["total"]).all()


def test_a_model_scores_another_resolution_and_zone():
    X = pd.DataFrame({"t": HOURS})
    model = GMMGAN(1, random_state=0, **PRIOR).fit(X)
    other = pd.DataFrame({"t": HOURS.tz_convert("UTC").as_unit("ns")})
    assert np.array_equal(model.score_samples(other), model.score_samples(X))
    with pytest.raises(ValueError, match="'t'"):
        model.score(pd.DataFrame({"t": np.arange(3.0)}).astype(str) + "x")


def test_times_where_numbers_were_raise():
    model = GMMGAN(1, random_state=0, **PRIOR).fit(pd.DataFrame({"a": np.arange(30)}))
    with pytest.raises(ValueError, match=r"'a'.*times, not numbers"):
        model.score(pd.DataFrame({"a": NAIVE}))


@pytest.mark.parametrize(
    "columns", [[0, 1], ["a b", " c"], [("x", 1), ("y", 2)], pd.Index(["p", "q"], name="names"), [3.5, -1.0]], ids=str
)
def test_any_column_names(columns):
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 2)), columns=columns)
    rows, _ = GMMGAN(1, random_state=0, **PRIOR).fit(X).sample(5)
    assert rows.columns.equals(X.columns)
    assert rows.columns.names == X.columns.names


def test_numbers_of_the_rows_get_a_warning_and_days_do_not():
    n = 250
    X = pd.DataFrame(
        {"visit": np.random.RandomState(0).permutation(n) + 1000, "day": pd.date_range("2024-01-01", periods=n)}
    )
    with pytest.warns(UserWarning, match="Column 'visit' numbers the rows") as told:
        GMMGAN(max_epochs=0, adversarial_rounds=0).fit(X)
    assert len(told) == 1


def test_identifiers_get_one_warning_that_names_them():
    index = pd.Series(range(2000)).astype(str)
    X = pd.DataFrame({"id": "u" + index, "v": np.arange(2000) % 7, "mail": "m" + index})
    with pytest.warns(UserWarning, match=r"'id', 'mail' differs.*drop") as caught:
        model = GMMGAN(1, random_state=0, **PRIOR).fit(X)
    assert len(caught) == 1
    assert set(model.sample(100)[0]["id"]) <= set(X["id"])


@pytest.mark.parametrize(
    ("X", "remedy"),
    [
        ("orders.csv", "read the file first"),
        (Path("orders.csv"), "read the file first"),
        ({"a": [1, 2]}, r"a dict; pass pandas.DataFrame\(X\)"),
        ([{"a": 1}, {"a": 2}], r"a list of dict; pass pandas.DataFrame\(X\)"),
        (np.array([(1, 2.0)], dtype=[("a", int), ("b", float)]), r"pass pandas.DataFrame\(X\)"),
    ],
)
def test_other_tables_are_refused_with_a_remedy(X, remedy):
    with pytest.raises(TypeError, match=remedy):
        GMMGAN().fit(X)
    with pytest.raises(TypeError, match=remedy):
        shape_error(X, X)


def test_arrow_tables_are_refused_with_a_remedy():
    table = pytest.importorskip("pyarrow").table({"a": [1.0, 2.0], "b": ["u", "v"]})
    with pytest.raises(TypeError, match=r"a Table; pass X.to_pandas\(\)"):
        GMMGAN().fit(table)


def test_addresses_that_repeat_are_told():
    X = pd.DataFrame({"mail": [f"a{i % 50}@mail.org" for i in range(300)], "at": [f"@{i % 50}" for i in range(300)]})
    with pytest.warns(UserWarning, match="Column 'mail' holds addresses of e-mail") as caught:
        GMMGAN(1, random_state=0, **PRIOR).fit(X)
    assert len(caught) == 1


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d-%b-%y", "%B %d, %Y"])
def test_times_as_text_are_told(form):
    days = pd.Series(pd.date_range("2020-01-01", periods=300).strftime(form))
    with pytest.warns(UserWarning, match=r"'day' holds times as text.*to_datetime") as caught:
        GMMGAN(1, random_state=0, **PRIOR).fit(pd.DataFrame({"day": days, "v": np.arange(300) % 7}))
    assert len(caught) == 1


# ---- filling


def filled_by(frame, fitted, given):
    """The given column with its gap filled by a model of the fitted one."""
    model = GMMGAN(1, random_state=0, **PRIOR).fit(frame({"a": fitted, "v": np.arange(len(fitted)) % 7}))
    return model.impute(frame({"a": given, "v": [1, 2]}), random_state=0)["a"]


@pytest.mark.parametrize(
    ("dtype", "given"),
    [
        ("int64", [2.7, np.nan]),
        ("int8", [300, np.nan]),
        ("bool", ["x", None]),
        ("timedelta64[s]", [np.timedelta64(1500, "ms"), np.timedelta64("NaT", "ms")]),
        ("float16", [1e6, np.nan]),
        ("category", ["new", None]),
        ("Sparse[float]", [0.3, np.nan]),
    ],
    ids=str,
)
def test_cells_without_a_gap_never_change(dtype, given):
    filled = filled_by(pd.DataFrame, pd.Series(np.arange(100) % 50).astype(dtype), given)
    assert filled[0] == given[0]
    assert filled.notna().all()


def test_filled_columns_have_the_dtype_of_fit_where_it_holds_them():
    assert filled_by(pd.DataFrame, np.arange(100), [2.0, np.nan]).dtype == "int64"
    assert filled_by(pd.DataFrame, np.arange(100) % 2 == 0, [True, None]).dtype == bool


def test_categories_that_were_not_seen_stay_as_they_are():
    X = pd.DataFrame({"k": [1, 2, 3] * 20, "v": np.arange(60.0)})
    model = GMMGAN(1, categorical_features=["k"], random_state=0, **PRIOR).fit(X)
    filled = model.impute(pd.DataFrame({"k": [9, 1], "v": [np.nan, 1.0]}))
    assert filled["k"].tolist() == [9, 1]
    assert filled["v"].notna().all()


def test_rows_with_a_number_far_outside_are_filled():
    X = np.random.default_rng(0).normal(size=(200, 3))
    filled = GMMGAN(1, random_state=0, **PRIOR).fit(X).impute([[1e300, np.nan, 0.0], [np.nan, 1e19, 0.0]])
    assert np.isfinite(filled).all()


def test_masked_cells_are_missing():
    X = np.ma.masked_greater(np.arange(60)[:, None], 30)
    rows, _ = GMMGAN(1, random_state=0, **PRIOR).fit(X).sample(300)
    assert np.nanmax(rows) <= 30
    assert 0.3 < np.isnan(rows).mean() < 0.7


def test_dates_among_datetimes_are_refused():
    days = [dt.date(2020, 1, 1) + dt.timedelta(i) for i in range(30)]
    with pytest.raises(ValueError, match="'a': it mixes dates and datetimes"):
        GMMGAN().fit(pd.DataFrame({"a": objects([*days, dt.datetime(2020, 1, 1, 13)])}))


def test_dates_with_gaps_that_are_not_a_time():
    days = [dt.date(2020, 1, 1 + i % 28) if i % 5 else pd.NaT for i in range(60)]
    X = pd.DataFrame({"day": pd.Series(days, dtype=object), "n": np.arange(60)})
    rows, _ = GMMGAN(1, random_state=0, **PRIOR).fit(X).sample(200)
    assert {type(day) for day in rows["day"].dropna()} == {dt.date}
    assert rows["day"].isna().mean() == pytest.approx(0.2, abs=0.1)


def test_a_column_named_nan():
    X = pd.DataFrame(np.arange(60.0).reshape(30, 2), columns=[1.0, np.nan])
    assert np.isfinite(GMMGAN(1, **PRIOR).fit(X).score(X.copy()))


# ---- polars


def test_polars_cells_without_a_gap_never_change():
    pl = pytest.importorskip("polars")
    assert filled_by(pl.DataFrame, np.arange(100), [2.7, None])[0] == 2.7
    assert filled_by(pl.DataFrame, np.arange(100), [2, None]).dtype == pl.Int64
    assert filled_by(pl.DataFrame, [None] * 30, pl.Series([None, None])).is_null().all()
    with pytest.raises(ValueError, match="'a' of dtype Int64 cannot hold"):
        filled_by(pl.DataFrame, ["a", "b"] * 50, [5, None])


@pytest.mark.parametrize("as_frame", [False, True])
def test_polars_times_that_a_column_would_change_are_refused(as_frame):
    pl = pytest.importorskip("polars")
    start = dt.datetime(2024, 1, 1)
    times = pl.datetime_range(start, start + dt.timedelta(5), "1h", eager=True, time_unit="ms")
    for column, asked in (
        (times, start + dt.timedelta(microseconds=5)),
        (times.dt.replace_time_zone("Europe/Berlin"), start),
        (times - start, dt.timedelta(microseconds=5)),
    ):
        model = GMMGAN(1, random_state=0, **PRIOR).fit(pl.DataFrame({"t": column}))
        assert model.sample(2, conditions={"t": column[3]})[0]["t"].to_list() == [column[3]] * 2
        with pytest.raises(ValueError, match="would hold"):
            model.sample(2, conditions=pl.DataFrame({"t": [asked]}) if as_frame else {"t": asked})


def test_polars_times_of_day_stay_in_the_day():
    pl = pytest.importorskip("polars")
    X = pl.DataFrame({"t": [dt.time(i % 24) for i in range(200)]})
    rows, _ = GMMGAN(1, enforce_bounds=False, random_state=0, **PRIOR).fit(X).sample(300)
    assert rows.schema == X.schema


def polars_frame(pl):
    rng = np.random.default_rng(0)
    start = dt.datetime(2024, 3, 29, 8)
    times = [start + dt.timedelta(hours=i) for i in range(N)]
    frame = pl.DataFrame(
        {
            "whole": pl.Series(rng.integers(0, 500, N), dtype=pl.UInt16),
            "real": pl.Series(rng.normal(size=N), dtype=pl.Float32),
            "flag": rng.uniform(size=N) < 0.3,
            "text": rng.choice(["a", "b"], N),
            "level": pl.Series(rng.choice(["a", "b"], N), dtype=pl.Enum(["never", "b", "a"])),
            "category": pl.Series(rng.choice(["a", "b"], N), dtype=pl.Categorical),
            "time": times,
            "day": [t.date() for t in times],
            "clock": [t.time() for t in times],
            "duration": [t - start for t in times],
            "money": pl.Series([Decimal(int(v)) / 100 for v in rng.integers(0, 9999, N)], dtype=pl.Decimal(10, 2)),
            "large": 2**60 + rng.integers(0, 500, N),
        }
    )
    return frame.with_columns(zone=pl.col("time").dt.replace_time_zone("UTC").dt.convert_time_zone("Europe/Berlin"))


@pytest.mark.parametrize("gaps", [False, True], ids=["complete", "gaps"])
def test_polars(gaps):
    pl = pytest.importorskip("polars")
    X = polars_frame(pl)
    if gaps:
        missing = pl.int_range(pl.len()) % 5 == 0
        X = X.with_columns(pl.when(~missing).then(pl.col(name)).alias(name) for name in X.columns)
    table = Table(X)
    assert table.decode(table.encode(X)).equals(X)
    model = GMMGAN(1, random_state=0, **PRIOR).fit(X)
    rows, _ = model.sample(400, random_state=0)
    assert rows.schema == X.schema
    shares = np.array(rows.null_count().row(0)) / 400
    assert ((shares > 0.05) & (shares < 0.4) if gaps else shares == 0).all()
    for name in X.columns:
        if X[name].dtype not in (pl.Categorical, pl.Enum):
            assert rows[name].min() >= X[name].min()
            assert rows[name].max() <= X[name].max()
    assert np.isfinite(model.score_samples(X)).all()
    filled = model.impute(X, random_state=0)
    assert filled.schema == X.schema
    assert sum(filled.null_count().row(0)) == 0
    for name in X.columns:
        assert filled[name].filter(X[name].is_not_null()).equals(X[name].drop_nulls())
    fixed = {"text": "b", "day": dt.date(2024, 3, 30)}
    rows, _ = model.sample(20, conditions=fixed, where=lambda d: d["real"] > -2)
    assert all((rows[name] == value).all() for name, value in fixed.items())


def test_polars_columns_that_cannot_be_learned_are_named():
    pl = pytest.importorskip("polars")
    with pytest.raises(ValueError, match="'a': dtype List"):
        GMMGAN().fit(pl.DataFrame({"a": [[1], [2], [3]]}))


def test_pandas_and_polars_do_not_mix():
    pl = pytest.importorskip("polars")
    X = pd.DataFrame({"a": np.arange(30), "v": np.arange(30.0)})
    model = GMMGAN(1, random_state=0, **PRIOR).fit(X)
    for use in (model.score, model.impute):
        with pytest.raises(ValueError, match="convert it to pandas"):
            use(pl.DataFrame({"a": [1, 2], "v": [0.5, None]}))
    with pytest.raises(TypeError, match="DataFrame of pandas"):
        model.sample(2, conditions=pl.DataFrame({"a": [1]}))
    with pytest.raises(TypeError, match="collect"):
        GMMGAN().fit(pl.LazyFrame({"a": [1, 2]}))


def test_polars_column_without_any_value():
    pl = pytest.importorskip("polars")
    X = pl.DataFrame({"a": [None] * 30, "v": np.arange(30.0)})
    rows, _ = GMMGAN(1, random_state=0, **PRIOR).fit(X).sample(5)
    assert rows.schema == X.schema
    assert rows["a"].is_null().all()


def test_duplicate_names_raise_before_anything_else():
    X = pd.DataFrame(np.zeros((9, 2)), columns=["a", "a"])
    with pytest.raises(ValueError, match="'a' occurs more than once; rename"):
        GMMGAN().fit(X)


def test_objects_with_a_time_zone_are_refused():
    with pytest.raises(ValueError, match="'a': objects with a time zone"):
        GMMGAN().fit(pd.DataFrame({"a": objects(HOURS.to_pydatetime())}))
