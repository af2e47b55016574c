"""Rows given some of their cells."""

import datetime
import itertools
import pickle
import time
import warnings

import numpy as np
import pytest

from skgmmgan import GMMGAN
from skgmmgan._conditional import effective_size, systematic
from skgmmgan._relations import LinearColumn

PRIOR = {"covariance_type": "full", "reg_covar": 1e-3, "max_epochs": 0, "adversarial_rounds": 0}


def total_variation(rows, cells, probabilities):
    """Distance between the shares of cells among rows and their probabilities."""
    pd = pytest.importorskip("pandas")
    counts = rows.value_counts().reindex(pd.MultiIndex.from_frame(cells), fill_value=0).to_numpy()
    return 0.5 * np.abs(counts / len(rows) - probabilities / probabilities.sum()).sum()


@pytest.fixture(scope="module")
def discrete():
    """A refined model of three categories that hang together, all of its cells, and their probabilities."""
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    a = rng.integers(0, 3, 1500)
    b = (a + rng.integers(0, 2, 1500)) % 3
    c = np.where((a == 0) ^ (b == 2), 0, rng.integers(0, 4, 1500))
    X = pd.DataFrame({"a": a, "b": b, "c": c}).astype(str)
    model = GMMGAN(1, max_epochs=1, adversarial_rounds=2, random_state=0).fit(X)
    assert model._model.kept
    cells = pd.DataFrame(itertools.product("012", "012", "0123"), columns=["a", "b", "c"])
    return model, cells, np.exp(model.score_samples(cells))


@pytest.mark.parametrize("conditions", [{"c": "0"}, {"b": "2"}, {"a": "1"}, {"c": "3", "a": "1"}], ids=str)
def test_discrete_conditionals_match_brute_force(discrete, conditions):
    model, cells, p = discrete
    match = np.all([cells[name] == value for name, value in conditions.items()], axis=0)
    rows, _ = model.sample(10_000, conditions=conditions, random_state=0)
    assert total_variation(rows, cells[match], p[match]) < 0.03


def test_a_frame_of_conditions(discrete):
    model, cells, p = discrete
    asked = cells[["c", "a"]].iloc[np.argsort(p)[[-1, -5, -9]]].reset_index(drop=True)
    rows, _ = model.sample(4000, conditions=asked, random_state=0)
    assert len(rows) == 12_000
    for i, (c, a) in enumerate(asked.to_numpy()):
        part = rows.iloc[4000 * i : 4000 * (i + 1)]
        match = (cells["c"] == c) & (cells["a"] == a)
        assert (part[["c", "a"]] == [c, a]).all(axis=None)
        assert total_variation(part, cells[match], p[match]) < 0.03


@pytest.mark.parametrize("kind", ["object", "date32[pyarrow]", "datetime64[s]", "polars"])
def test_a_time_that_the_dtype_cuts_is_refused(kind, rng):
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    days = [datetime.date(2020, 1, 1) + datetime.timedelta(days=int(d)) for d in rng.randint(300, size=60)]
    X = pytest.importorskip("polars").DataFrame({"day": days}) if kind == "polars" else pd.DataFrame({"day": days})
    X = X if kind == "polars" else X.astype({"day": kind})
    model = GMMGAN(1, random_state=0, **PRIOR).fit(X)
    midnight = datetime.datetime(2020, 3, 1)
    for asked in (midnight, midnight.date()):
        rows, _ = model.sample(3, conditions={"day": asked})
        assert [str(day)[:10] for day in rows["day"]] == 3 * ["2020-03-01"]
    with pytest.raises(ValueError, match=r"would hold .* instead"):
        model.sample(3, conditions={"day": midnight + datetime.timedelta(milliseconds=500)})


@pytest.mark.parametrize("conditions", [{2: 1.0}, {1: -1.0}, {0: 0.5}, {2: 1.0, 1: 0.0}], ids=str)
def test_gaussian_conditionals_match_the_closed_form(conditions):
    covariance = np.array([[1.0, 0.8, 0.3], [0.8, 1.0, 0.5], [0.3, 0.5, 1.0]])
    X = np.random.default_rng(0).multivariate_normal([0, 0, 0], covariance, 4000)
    given = list(conditions)
    free = [j for j in range(3) if j not in given]
    gain = covariance[np.ix_(free, given)] @ np.linalg.inv(covariance[np.ix_(given, given)])
    rows, _ = GMMGAN(1, random_state=0, **PRIOR).fit(X).sample(10_000, conditions=conditions, random_state=0)
    assert (rows[:, given] == list(conditions.values())).all()
    assert rows[:, free].mean(axis=0) == pytest.approx(gain @ list(conditions.values()), abs=0.06)
    remaining = covariance[np.ix_(free, free)] - gain @ covariance[np.ix_(given, free)]
    assert np.cov(rows[:, free].T) == pytest.approx(remaining.squeeze(), abs=0.06)


@pytest.fixture(scope="module")
def mixed(mixed_table):
    X = mixed_table.copy()
    X.loc[::4, "size"] = np.nan
    return GMMGAN(2, random_state=0, max_epochs=3, adversarial_rounds=1).fit(X), X


def test_every_row_satisfies_its_conditions(mixed):
    model, X = mixed
    for name in X:
        for value in X[name].iloc[[0, 1, 2]]:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                rows, _ = model.sample(5, conditions={name: value}, random_state=0)
            assert rows.dtypes.equals(X.dtypes)
            assert (rows[name].isna() if value != value else rows[name] == value).all(), (name, value)


def test_a_missing_cell_asks_for_a_missing_cell(mixed):
    model, _ = mixed
    assert model.sample(50, conditions={"size": np.nan})[0]["size"].isna().all()
    assert model.sample(50, conditions={"size": None, "group": "b"})[0]["size"].isna().all()


@pytest.mark.parametrize(
    ("conditions", "said"),
    [
        ({"group": "z"}, "'z' in column 'group'"),
        ({"colour": "z"}, "'colour'"),
        ({"kind": "never"}, "'never' in column 'kind'"),
        ({"price": 1e9}, "1000000000.0 in column 'price'"),
        ({"price": None}, "a missing cell in column 'price', which had none at fit"),
        ({"year": 1999.5}, "1999.5 in column 'year'"),
        ({"count": 99}, "99 in column 'count'"),
        ({"price": "dear"}, "'price'"),
        ({"price": np.inf}, "'price'"),
    ],
)
def test_what_cannot_be_is_refused(mixed, conditions, said):
    with pytest.raises(ValueError, match=said):
        mixed[0].sample(3, conditions=conditions)


def test_conditions_of_another_type_raise(mixed):
    with pytest.raises(TypeError, match="dict or a DataFrame"):
        mixed[0].sample(3, conditions=[("group", "b")])


@pytest.fixture(scope="module")
def rare():
    """Columns x and y, a rare level that hangs on neither, and one that is the upper end of x."""
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"x": rng.normal(size=20_000), "y": rng.normal(size=20_000)})
    return X.assign(
        alone=np.where(rng.uniform(size=len(X)) < 1e-4, "rare", "no"),
        tail=np.where(X["x"] > X["x"].nlargest(20).min(), "yes", "no"),
    )


def test_a_rare_level_costs_little(rare):
    model, seconds = GMMGAN(2, random_state=0, **PRIOR).fit(rare.drop(columns="tail")), {}
    for name, conditions in (("free", None), ("rare", {"alone": "rare"})):
        times = []
        for _ in range(5):
            start = time.perf_counter()
            rows, _ = model.sample(10_000, conditions=conditions)
            times.append(time.perf_counter() - start)
        seconds[name] = np.median(times)
    assert (rows["alone"] == "rare").all()
    assert seconds["rare"] < 5 * seconds["free"]
    assert rows["x"].std() == pytest.approx(1, abs=0.15)


def test_a_level_that_hangs_on_earlier_columns_grows_the_pool_and_warns_once(rare):
    settings = {"hidden_layer_sizes": 64, "max_epochs": 30, "adversarial_rounds": 0, "random_state": 0}
    model = GMMGAN(2, **settings).fit(rare.drop(columns="alone"))
    with pytest.warns(UserWarning, match="effective sample size of") as caught:
        rows, _ = model.sample(400, conditions={"tail": "yes"}, random_state=0)
    assert len(caught) == 1
    assert (rows["tail"] == "yes").all()
    assert (rows["x"] > 2).mean() > 0.8


def test_rows_with_conditions_are_in_no_order():
    X = np.random.default_rng(0).multivariate_normal([0, 0], [[1, 0.9], [0.9, 1]], 2000)
    model = GMMGAN(1, random_state=0, **PRIOR).fit(X)
    rows = model.sample(2000, conditions={1: 2.0}, random_state=0)[0][:, 0]
    assert abs(np.corrcoef(rows[1:], rows[:-1])[0, 1]) < 0.08
    kept = model.sample(20, conditions={1: 2.0}, where=lambda x: x[:, 0] > 0, random_state=0)[0]
    assert len(np.unique(kept[:, 0])) >= 16


def test_frames_of_conditions_without_rows_or_columns(mixed):
    model, X = mixed
    assert len(model.sample(5, conditions=X.head(0))[0]) == 0
    assert len(model.sample(0, conditions=X.head(3))[0]) == 0
    with pytest.raises(ValueError, match="no column"):
        model.sample(5, conditions=X[[]].head(3))
    with pytest.raises(ValueError, match="more than once"):
        model.sample(5, conditions=X[["size", "size"]].head(3))


def test_conditions_far_outside_hold():
    X = np.random.default_rng(0).normal(size=(300, 2))
    rows, _ = GMMGAN(1, random_state=0, enforce_bounds=False, **PRIOR).fit(X).sample(5, conditions={1: 1e60})
    assert (rows[:, 1] == 1e60).all()
    assert np.isfinite(rows).all()


# ---- imputation


def test_imputation_keeps_what_was_there(mixed):
    model, X = mixed
    gappy = X.copy().set_index(np.arange(len(X))[::-1] + 7)
    gaps = np.random.default_rng(1).uniform(size=X.shape) < 0.1
    gappy = gappy.mask(gaps)
    filled = model.impute(gappy, random_state=0)
    assert not filled.isna().any(axis=None)
    assert filled.dtypes.equals(X.dtypes)
    assert filled.index.equals(gappy.index)
    kept = gappy.notna()
    assert (filled.where(kept) == gappy.where(kept)).where(kept, True).all(axis=None)
    assert set(filled["group"]) == {"a", "b", "c"}


def test_imputation_draws_from_the_conditional_distribution():
    rng = np.random.default_rng(0)
    X = rng.multivariate_normal([0, 0], [[1, 0.9], [0.9, 1]], 3000)
    model = GMMGAN(1, random_state=0, **PRIOR).fit(X)
    for given in (0, 1):
        gappy = np.full((2000, 2), np.nan)
        gappy[:, given] = 1.0
        drawn = model.impute(gappy, random_state=0)[:, 1 - given]
        assert drawn.mean() == pytest.approx(0.9, abs=0.05)
        assert drawn.std() == pytest.approx(np.sqrt(1 - 0.81), abs=0.05)


def test_multiple_imputation(mixed):
    model, X = mixed
    tables = model.impute(X, n_draws=3, random_state=0)
    assert len(tables) == 3
    gaps = X["size"].isna()
    assert not tables[0]["size"][gaps].equals(tables[1]["size"][gaps])
    assert all(table.drop(columns="size").equals(X.drop(columns="size")) for table in tables)


def test_gaps_do_not_take_their_level_along():
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"c": [f"c{i}" for i in range(300)] * 2 + [None] * 3, "v": rng.normal(size=603)})
    model = GMMGAN(1, random_state=0, **PRIOR).fit(X)
    gappy = pd.DataFrame({"c": pd.Series([None] * 500, dtype=X["c"].dtype), "v": rng.normal(size=500)})
    assert model.impute(gappy, random_state=0)["c"].nunique() > 220


@pytest.mark.parametrize(
    ("fitted", "given"), [("int64", "float64"), ("float64", "float32"), ("bool", "object"), ("int64", "Int8")]
)
def test_imputation_of_other_dtypes(fitted, given):
    pd = pytest.importorskip("pandas")
    X = pd.DataFrame({"a": (np.arange(200) % 100 % 2).astype(fitted), "v": np.arange(200.0)})
    model = GMMGAN(1, random_state=0, **PRIOR).fit(X)
    filled = model.impute(X.astype({"a": given}).mask(np.arange(400).reshape(200, 2) % 14 == 0))
    assert not filled.isna().any(axis=None)
    assert filled["a"].dtype == X["a"].dtype


def test_wrong_numbers_of_draws_raise(mixed):
    model, X = mixed
    for n_draws in (0, 1.5, True):
        with pytest.raises((TypeError, ValueError), match="n_draws"):
            model.impute(X, n_draws=n_draws)


@pytest.mark.parametrize(
    ("dtype", "asked"),
    [
        ("int8", 300),
        ("int64", 7.5),
        ("int64", 2**70),
        ("timedelta64[s]", np.timedelta64(5500, "ms")),
        ("datetime64[s]", np.datetime64("1970-01-01T00:00:05.5")),
        ("datetime64[s, UTC]", datetime.datetime(1970, 1, 1, 0, 0, 5)),
    ],
    ids=str,
)
@pytest.mark.parametrize("as_frame", [False, True])
def test_what_a_column_would_change_is_refused(dtype, asked, as_frame):
    pd = pytest.importorskip("pandas")
    model = GMMGAN(1, enforce_bounds=False, random_state=0, **PRIOR)
    model.fit(pd.DataFrame({"a": pd.Series(np.arange(100)).astype(dtype)}))
    conditions = pd.DataFrame({"a": [asked]}) if as_frame else {"a": asked}
    with pytest.raises(ValueError, match=r"'a'.*(instead|timezone-aware)"):
        model.sample(2, conditions=conditions)


@pytest.mark.parametrize("asked", [{"age": (30, 40)}, {"sex": ["F", "M"]}, {"age": np.arange(3)}], ids=str)
def test_several_values_are_refused(asked):
    pd = pytest.importorskip("pandas")
    model = GMMGAN(1, **PRIOR).fit(pd.DataFrame({"age": np.arange(100), "sex": ["F", "M"] * 50}))
    with pytest.raises(TypeError, match=r"in column '(age|sex)'; give one value, .* or where="):
        model.sample(2, conditions=asked)


@pytest.mark.parametrize("gap", [None, np.nan])
def test_a_gap_that_was_never_there_is_refused(gap):
    pd = pytest.importorskip("pandas")
    model = GMMGAN(1, **PRIOR).fit(pd.DataFrame({"age": np.arange(100)}))
    for conditions in ({"age": gap}, pd.DataFrame({"age": [1, gap]})):
        with pytest.raises(ValueError, match="a missing cell in column 'age', which had none at fit"):
            model.sample(2, conditions=conditions)


@pytest.mark.parametrize("text", ["05.06.2020", "5/6/20", "2020-13-01", "soon"])
def test_dates_that_may_be_read_in_two_ways_are_refused(text):
    pd = pytest.importorskip("pandas")
    model = GMMGAN(1, **PRIOR).fit(pd.DataFrame({"day": pd.date_range("2020-01-01", periods=300)}))
    with pytest.raises(ValueError, match=f"conditions ask for '{text}' in column 'day'"):
        model.sample(1, conditions={"day": text})
    assert (model.sample(2, conditions={"day": "2020-06-05"})[0]["day"] == "2020-06-05").all()


def test_a_value_in_a_column_without_any_is_refused():
    pd = pytest.importorskip("pandas")
    X = pd.DataFrame({"a": pd.Series([None] * 40, dtype="string"), "v": np.arange(40.0)})
    model = GMMGAN(1, **PRIOR).fit(X)
    with pytest.raises(ValueError, match=r"'z' in column 'a', .*; it allows a missing cell\."):
        model.sample(2, conditions={"a": "z"})


def test_numbers_are_asked_for_in_the_precision_of_their_column():
    pd = pytest.importorskip("pandas")
    for cells in (np.float32([0.1, 0.2] * 20), np.linspace(0, 0.2, 60, dtype="float32")):
        rows, _ = GMMGAN(1, **PRIOR).fit(pd.DataFrame({"a": cells})).sample(2, conditions={"a": 0.2})
        assert (rows["a"] == np.float32(0.2)).all()


@pytest.mark.parametrize("unit", ["ms", "us"])
def test_times_finer_than_floats_keep_their_grid(unit, rng):
    pd = pytest.importorskip("pandas")
    span = int(pd.Timedelta(7300, "D") / pd.Timedelta(1, unit))
    ticks = pd.to_timedelta(rng.randint(span, size=200, dtype="int64"), unit=unit)
    X = pd.DataFrame({"t": (pd.Timestamp("2010") + ticks).astype("datetime64[ns]"), "v": rng.normal(size=200)})
    model = GMMGAN(1, random_state=0, **PRIOR).fit(X)
    drawn = model.sample(300)[0]["t"]
    assert (drawn.dt.floor(unit) == drawn).all()
    for asked in X["t"][:10]:
        assert (model.sample(2, conditions={"t": asked})[0]["t"] == asked).all()


# ---- where


def test_where_of_no_conditions_at_all(mixed):
    pd = pytest.importorskip("pandas")
    model, _ = mixed
    rows, _ = model.sample(3, conditions=pd.DataFrame({"group": []}), where=lambda d: d["ok"])
    assert len(rows) == 0


def test_where_keeps_what_it_is_told(mixed):
    model, _ = mixed
    rows, _ = model.sample(300, where=lambda d: d["price"] > d["count"], random_state=0)
    assert len(rows) == 300
    assert (rows["price"] > rows["count"]).all()
    rows, _ = model.sample(20, conditions={"group": "c"}, where=lambda d: ~d["ok"], random_state=0)
    assert (rows["group"] == "c").all()
    assert not rows["ok"].any()


def test_where_follows_the_index_of_its_flags(mixed):
    rows, _ = mixed[0].sample(50, where=lambda d: (d["group"] == "c").sort_values(), random_state=0)
    assert (rows["group"] == "c").all()
    with pytest.raises(TypeError, match="index of the table"):
        mixed[0].sample(5, where=lambda d: (d["group"] == "c").add_prefix("row "), random_state=0)


def test_where_that_keeps_too_little_tells_the_rate(mixed):
    with pytest.raises(ValueError, match=r"kept 0 of \d+ rows \(0.00%\)"):
        mixed[0].sample(10, where=lambda d: d["price"] < 0)


def test_where_must_return_booleans(mixed):
    for where in (lambda d: d["price"], lambda d: [True], lambda d: True, 3):
        with pytest.raises(TypeError, match="boolean"):
            mixed[0].sample(3, where=where)


# ---- resampling


def test_systematic_resampling_is_in_proportion(rng):
    log_weights = rng.normal(size=(3, 50))
    chosen = systematic(log_weights, 5000, rng)
    for weights, index in zip(np.exp(log_weights), chosen):
        assert np.abs(np.bincount(index, minlength=50) - 5000 * weights / weights.sum()).max() <= 1


def test_effective_sample_size():
    assert effective_size(np.zeros((1, 8))) == pytest.approx([8])
    assert effective_size(np.array([[0.0, -np.inf, 0.0]])) == pytest.approx([2])
    assert effective_size(np.zeros((1, 8)), np.array([[0, 0, 0, 0, 1, 1, 1, 1]])) == pytest.approx([2])


def test_a_refusal_tells_what_is_allowed():
    pd = pytest.importorskip("pandas")
    gaps = pd.array([None, *range(5, 44)], dtype="Int64")
    X = pd.DataFrame(
        {"age": np.arange(20, 60), "size": [1.0, 2.0] * 20, "code": list("abcdefghijklmn") * 2 + ["a"] * 12}
    )
    model = GMMGAN(1, **PRIOR).fit(X.assign(gaps=gaps))
    for conditions, said in [
        ({"age": np.int64(99)}, r"for 99 in .* values from 20 to 59 \(others with enforce_bounds=False\)\.$"),
        ({"gaps": 99}, r"values from 5 to 43 \(.*\), a missing cell\.$"),
        ({"size": 3.0}, "it allows 1.0, 2.0"),
        ({"code": "z"}, "'a', 'b', .*'j', 4 more"),
        ({"age": "40"}, "the text '40' in column 'age', which holds numbers"),
        ({"size": "1"}, "the text '1' in column 'size', which holds numbers"),
    ]:
        with pytest.raises(ValueError, match=said):
            model.sample(2, conditions=conditions)


@pytest.fixture(scope="module")
def related():
    """A table in which zip tells the state, the state its code, and a flag whether two others have a value."""
    pd = pytest.importorskip("pandas")
    rng = np.random.RandomState(0)
    place, has = rng.randint(40, size=2000), rng.uniform(size=2000) < 0.4
    X = pd.DataFrame(
        {
            "income": rng.normal(size=2000) + place % 4,
            "state": np.array(list("ABCD"))[place % 4],
            "zip": [f"z{i}" for i in place],
            "code": place % 4 * 10,
            "has": has,
            "age": np.where(has, rng.gamma(2, 3, 2000).round(1), np.nan),
            "price": np.where(has, rng.gamma(2, 3, 2000).round(1), np.nan),
        }
    )
    return GMMGAN(3, max_epochs=1, adversarial_rounds=0, random_state=0).fit(X), X


def is_consistent(X):
    place = X["zip"].str[1:].astype(int)
    known = X["has"].astype(bool)
    return (
        (np.array(list("ABCD"))[place % 4] == X["state"])
        & (X["code"] == place % 4 * 10)
        & (X["age"].notna() == known)
        & (X["price"].notna() == known)
    )


def test_levels_that_determine_others_do_so_in_samples(related):
    model, _ = related
    assert is_consistent(model.sample(3000, random_state=0)[0]).all()
    assert is_consistent(pickle.loads(pickle.dumps(model)).sample(300, random_state=0)[0]).all()


@pytest.mark.parametrize(
    "conditions",
    [{"zip": "z7"}, {"code": 30}, {"price": 3.0}, {"price": None, "state": "B"}, {"zip": "z39", "age": 1.5}],
)
def test_conditions_on_determined_levels(related, conditions):
    rows, _ = related[0].sample(60, conditions=conditions, random_state=0)
    assert is_consistent(rows).all()
    for name, value in conditions.items():
        assert (rows[name].isna() if value is None else rows[name] == value).all()


def test_a_contradiction_is_unlikely_and_can_be_asked_for(related):
    model, X = related
    row = X[X["state"] == "A"].head(1)
    fall = model.score_samples(row) - model.score_samples(row.assign(code=30))
    assert 3 < fall[0] < 15
    with pytest.warns(UserWarning, match="contradict what held in every row at fit .'code' goes with 'state'.,"):
        rows, _ = model.sample(9, conditions={"state": "A", "code": 30}, random_state=0)
    assert (rows["state"] == "A").all()
    assert (rows["code"] == 30).all()


def test_gaps_are_filled_by_what_determines_them(related):
    model, X = related
    holes = X.head(60).copy()
    holes.loc[:19, "zip"] = None
    holes.loc[20:39, "state"] = None
    holes["code"] = holes["code"].astype("Int64")
    holes.loc[10:29, "code"] = None
    filled = model.impute(holes, random_state=0)
    place = filled["zip"].str[1:].astype(int)
    assert (np.array(list("ABCD"))[place % 4] == filled["state"]).all()
    assert (filled["code"] == place % 4 * 10).all()
    assert filled.notna().all(axis=None)  # also the age of those who have none


def test_chance_is_no_dependency(rng):
    pd = pytest.importorskip("pandas")
    X = pd.DataFrame({"id": [f"i{i % 200}" for i in range(400)], "flag": np.repeat([True, False], [398, 2])})
    X.loc[[199, 399], "flag"] = False  # both rows of one id
    X.loc[398, "flag"] = True
    X["group"] = np.where(rng.uniform(size=400) < 0.5, "a", "b")
    assert X.groupby("id")["flag"].nunique().max() == 1
    model = GMMGAN(1, **PRIOR).fit(X)
    assert not any(unit.allowed for unit in model._model.codec.units)


@pytest.mark.parametrize(
    "order", [["city", "zip", "state"], ["brand", "category", "product"], ["a", "b", "c", "k"]], ids="-".join
)
def test_two_dependencies_at_once(order):
    """One column determined by two that are not told by each other, or one that determines two or three before it."""
    pd = pytest.importorskip("pandas")
    rng = np.random.RandomState(0)
    city, product, key = rng.randint(20, size=2000), rng.randint(16, size=2000), rng.randint(3, size=2000)
    X = pd.DataFrame({"city": city, "zip": city % 4 + 4 * rng.randint(10, size=2000), "state": city % 4})
    X = X.assign(brand=product % 8, product=product, category=(product % 8 % 4 + product // 8) % 4)
    X = X.assign(a=key == 0, b=key == 1, c=key == 2, k=key)[order].astype(str)
    model = GMMGAN(2, random_state=0, **PRIOR).fit(X)
    known = set(X.itertuples(index=False, name=None))
    determined = {
        "city": [("city", "state"), ("zip", "state")],
        "brand": [("product", "brand"), ("product", "category")],
    }
    pairs = determined.get(order[0], [("k", "a"), ("k", "b"), ("k", "c")])
    first = X[order[-1]].iloc[0]
    holes = X.head(50).copy()
    holes.iloc[:, :-1] = None
    for rows in (
        model.sample(1000, random_state=0)[0],
        model.sample(50, conditions={order[-1]: first}, random_state=0)[0],
        model.sample(50, conditions={order[1]: X[order[1]].iloc[0]}, random_state=0)[0],
        model.impute(holes, random_state=0),
    ):
        for pair in pairs:
            assert set(rows[list(pair)].itertuples(index=False, name=None)) <= set(
                X[list(pair)].itertuples(index=False, name=None)
            )
    assert order[0] == "city" or set(rows.itertuples(index=False, name=None)) <= known


@pytest.fixture(scope="module")
def lines():
    """A table in which columns are straight lines of others: an age, a copy with gaps, hundredths, a later day."""
    pd = pytest.importorskip("pandas")
    rng = np.random.RandomState(0)
    X = pd.DataFrame({"born": rng.randint(1930, 2005, 800), "wage": rng.gamma(2, 3, 800).round(2)})
    X.loc[rng.uniform(size=800) < 0.2, "wage"] = np.nan
    X["age"] = 2024 - X["born"]
    X["pay"] = X["wage"]
    X["cents"] = X["wage"] * 100
    X["start"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.randint(0, 500, 800), "D")
    X["end"] = X["start"] + pd.Timedelta(days=30)
    return GMMGAN(2, max_epochs=1, adversarial_rounds=1, random_state=0).fit(X), X


def is_on_lines(X):
    gap = X["wage"].isna()
    return (
        (2024 - X["born"] == X["age"])
        & ((X["end"] - X["start"]).dt.days == 30)
        & ((X["pay"] == X["wage"]) | gap & X["pay"].isna())
        & (np.isclose(X["cents"], X["wage"] * 100) | gap & X["cents"].isna())
    )


def test_straight_lines_of_other_columns_stay_straight(lines):
    model, X = lines
    rows, _ = model.sample(2000, random_state=0)
    assert is_on_lines(rows).all()
    assert rows.dtypes.equals(X.dtypes)
    assert rows["wage"].isna().any()
    assert rows["wage"].nunique() > 100
    loose, _ = GMMGAN(2, enforce_decimals=False, **PRIOR).fit(X).sample(200, random_state=0)
    assert np.allclose(loose["pay"], loose["wage"], equal_nan=True)


@pytest.mark.parametrize(
    ("conditions", "then"),
    [
        ({"age": 40}, {"born": 1984}),
        ({"cents": 250.0}, {"wage": 2.5, "pay": 2.5}),
        ({"end": "2020-03-01"}, {"start": "2020-01-31"}),
        ({"pay": None}, {"wage": None, "cents": None}),
    ],
    ids=str,
)
def test_conditions_on_a_line_fix_what_it_is_a_line_of(lines, conditions, then):
    rows, _ = lines[0].sample(30, conditions=conditions, random_state=0)
    assert is_on_lines(rows).all()
    for name, value in {**conditions, **then}.items():
        assert (rows[name].isna() if value is None else rows[name] == value).all()


def test_a_line_is_bounded_and_can_be_broken(lines):
    model, X = lines
    with pytest.raises(ValueError, match="values from 20 to 94"):
        model.sample(2, conditions={"age": 400})
    with pytest.warns(UserWarning, match="contradict what held in every row at fit .'age' = - 'born'"):
        rows, _ = model.sample(5, conditions={"age": 40, "born": 1950}, random_state=0)
    assert (rows[["age", "born"]] == [40, 1950]).all(axis=None)
    row = X.head(1)
    fall = model.score_samples(row) - model.score_samples(row.assign(age=row["age"] + 1))
    assert 3 < fall[0] < 15


def test_gaps_on_a_line_are_computed(lines):
    model, X = lines
    full = X[X["wage"].notna()].head(40).reset_index(drop=True)
    holes = full.copy()
    holes.loc[:9, "wage"] = np.nan
    holes.loc[10:19, ["pay", "cents"]] = np.nan
    holes.loc[20:, ["wage", "pay", "cents"]] = np.nan
    filled = model.impute(holes, random_state=0)
    assert is_on_lines(filled).all()
    assert np.allclose(filled[:20]["wage"], full[:20]["wage"])
    assert filled.notna().all(axis=None)


def test_what_only_looks_like_a_line_is_none(rng):
    large = 1_700_000_000 + rng.randint(10**6, size=1000)
    cents = np.append(rng.uniform(0, 100, 998).round(2), [0.0, 100.0])
    for pair in (
        [rng.gamma(2, 1000, 1000).round(2), 4 * 10**15 + rng.randint(10**6, size=1000)],
        [large, large + rng.randint(2, size=1000)],
        [rng.normal(size=1000), 1e9 + rng.uniform(size=1000)],
        [cents, cents.round()],
        [np.arange(9.0), np.arange(9.0)],
    ):
        model = GMMGAN(1, **PRIOR).fit(np.column_stack(pair))
        lines = [column for column in model._model.codec.columns if isinstance(column, LinearColumn)]
        assert all(line.is_joint for line in lines)


def test_fine_lines_are_exact_beside_what_is_given():
    pd = pytest.importorskip("pandas")
    rng = np.random.RandomState(0)
    X = pd.DataFrame({"start": pd.Timestamp("2015-01-01") + pd.to_timedelta(rng.randint(3 * 10**8, size=600), "s")})
    X = X.assign(end=X["start"] + pd.Timedelta(days=30), x=rng.normal(size=600) * 1000)
    X = X.assign(y=X["x"], z=X["x"] * 2.54)
    model = GMMGAN(2, **PRIOR).fit(X)
    rows, _ = model.sample(20, conditions={"start": "2018-03-04 05:06:07"}, random_state=0)
    assert (rows["end"] == pd.Timestamp("2018-04-03 05:06:07")).all()
    filled = model.impute(X.assign(end=pd.NaT, y=np.nan, z=np.nan), random_state=0)
    assert (filled["end"] == X["end"]).all()
    assert (filled["y"] == X["x"]).all()
    assert np.allclose(filled["z"], X["z"], rtol=1e-12)


def test_a_line_without_decimals_scores_its_own_rows(rng):
    w = rng.gamma(2, 3, 1000).round(2)
    model = GMMGAN(2, enforce_decimals=False, **PRIOR).fit(np.column_stack([w, w]))
    rows, _ = model.sample(500, random_state=0)
    assert (model.score_columns(rows)[:, 1] > -0.002).all()  # one unseen row in 1,001


def test_a_line_gives_back_the_atom_of_its_source(rng):
    w = np.where(rng.uniform(size=1000) < 0.3, 0.1, rng.lognormal(size=1000))
    X = np.column_stack([w, w / 3 + 0.7])
    rows, _ = GMMGAN(2, **PRIOR).fit(X).sample(5, conditions={1: X[w == 0.1, 1][0]}, random_state=0)
    assert (rows[:, 0] == 0.1).all()


@pytest.fixture(scope="module")
def bills():
    """Net, tax and postage with their total, twice its net part, and start and length of a stay with its end."""
    pd = pytest.importorskip("pandas")
    rng = np.random.RandomState(0)
    net = rng.gamma(2, 50, 1500).round(2)
    X = pd.DataFrame({"net": net, "tax": (net * rng.uniform(0.05, 0.25, 1500)).round(2)})
    X = X.assign(post=rng.choice([0, 4.9, 9.9], 1500), start=pd.Timestamp("2022-01-01"))
    X["total"] = (X["net"] + X["tax"] + X["post"]).round(2)
    X["start"] += pd.to_timedelta(rng.randint(3 * 10**7, size=1500), "s")
    X["stay"] = pd.to_timedelta(rng.exponential(5000, 1500).astype(int), "s")
    X["end"] = X["start"] + X["stay"]
    X["due"] = (X["total"] + X["net"]).round(2)
    return GMMGAN(3, random_state=0, **PRIOR).fit(X), X


def adds_up(rows):
    cents = (100 * rows[["net", "tax", "post", "total", "due"]]).round().astype(int)
    total = cents["net"] + cents["tax"] + cents["post"]
    return (
        (cents["total"] == total)
        & (cents["due"] == total + cents["net"])
        & (rows["end"] == rows["start"] + rows["stay"])
    )


def test_sums_add_up(bills):
    model, X = bills
    lines = {j: c for j, c in enumerate(model._model.codec.columns) if isinstance(c, LinearColumn)}
    assert {X.columns[j]: {X.columns[i] for i in c.sources} for j, c in lines.items()} == {
        "total": {"net", "tax", "post"},
        "end": {"start", "stay"},
        "due": {"net", "tax", "post"},
    }
    rows, _ = model.sample(2000, random_state=0)
    assert adds_up(rows).all()
    assert (rows["total"].min() >= X["total"].min()) & (rows["total"].max() <= X["total"].max())
    assert rows["total"].median() == pytest.approx(X["total"].median(), rel=0.1)
    broken = X.head(20).assign(total=X["total"][:20] + 1)
    assert (model.score_samples(X.head(20)) - model.score_samples(broken) > 5).all()


@pytest.mark.parametrize("refinement", [PRIOR, {"max_epochs": 3, "adversarial_rounds": 2}])
def test_shares_of_a_whole(refinement):
    """No share is beyond its bounds, and the density of what may be drawn sums to one."""
    rng = np.random.RandomState(0)
    X = rng.dirichlet([1, 1, 1], 2000)
    X[:, 2] = 1 - X[:, 0] - X[:, 1]
    model = GMMGAN(2, random_state=0, **refinement).fit(X)
    rows, _ = model.sample(4000, random_state=0)
    assert np.allclose(rows.sum(axis=1), 1)
    assert (rows >= X.min(axis=0)).all()
    assert (rows[:, 2] == X[:, 2].min()).mean() < 0.005
    corners = np.stack(np.meshgrid(*2 * [np.arange(200) / 200]), axis=-1).reshape(-1, 2)
    points = corners + rng.uniform(0, 1 / 200, corners.shape)
    points = np.column_stack([points, 1 - points.sum(axis=1)])
    density = np.where((points >= X.min(axis=0)).all(axis=1), np.exp(model.score_samples(points)), 0)
    assert density.mean() == pytest.approx(1, abs=0.02)
    given, _ = model.sample(300, conditions={0: 0.7}, random_state=0)
    assert np.allclose(given.sum(axis=1), 1)
    assert (given[:, 1:] >= X[:, 1:].min(axis=0)).all()


@pytest.mark.parametrize(
    "conditions",
    [{"total": 100.0}, {"total": 100.0, "post": 4.9}, {"total": 100.0, "net": 80.0, "tax": 10.1}, {"due": 190.0},
     {"end": "2022-03-05 10:00:00"}, {"end": "2022-03-05 10:00:00", "start": "2022-03-05 08:00:00"}],
    ids=str,
)  # fmt: skip
def test_conditions_on_sums(bills, conditions):
    pd = pytest.importorskip("pandas")
    model, X = bills
    rows, _ = model.sample(60, conditions=conditions, random_state=0)
    assert adds_up(rows).all()
    for name, value in conditions.items():
        assert (rows[name] == (pd.Timestamp(value) if isinstance(value, str) else value)).all()
    for name in ("net", "tax", "post", "stay"):
        assert rows[name].between(X[name].min(), X[name].max()).all()


def test_parts_of_a_given_sum_are_as_likely_as_the_model_has_them():
    """Of two standard normal numbers whose sum is 1, each is N(1/2, 1/2); and so whatever comes between them."""
    rng = np.random.RandomState(0)
    a, b = rng.normal(size=(2, 20_000))
    label = rng.choice([0.0, 1.0, 2.0], 20_000)
    X = np.column_stack([a, a + b + label, rng.normal(size=20_000), b, label])
    model = GMMGAN(1, random_state=0, **PRIOR).fit(X)
    rows, _ = model.sample(4000, conditions={1: 1.0, 4: 0.0}, random_state=0)
    assert np.allclose(rows[:, 0] + rows[:, 3], 1.0)
    assert rows[:, 0].mean() == pytest.approx(0.5, abs=0.06)
    assert rows[:, 0].std() == pytest.approx(0.5**0.5, abs=0.06)
    rows, _ = model.sample(4000, conditions={1: 3.0}, random_state=0)
    assert np.allclose(rows[:, [0, 3, 4]].sum(axis=1), 3.0)
    near = X[np.abs(X[:, 1] - 3.0) < 0.3]
    np.testing.assert_allclose(
        np.bincount(rows[:, 4].astype(int)) / 4000, np.bincount(near[:, 4].astype(int)) / len(near), atol=0.07
    )


@pytest.mark.parametrize("order", [[0, 1, 3, 2, 4], [4, 3, 2, 1, 0], [2, 0, 4, 1, 3]])
def test_two_given_sums_of_the_same_parts(order):
    rng = np.random.RandomState(0)
    a, b, c = parts = rng.gamma(2, [[80], [30], [20]], (3, 1000)).round(2)
    X = np.array([*parts, (a + b).round(2), (a + b + c).round(2)])[order].T
    model = GMMGAN(2, random_state=0, **PRIOR).fit(X)
    at = [order.index(i) for i in range(5)]

    def check(rows):
        a, b, c, ab, abc = rows[:, at].T
        assert np.allclose(a + b, ab)
        assert np.allclose(a + b + c, abc)

    rows, _ = model.sample(100, conditions={at[3]: 200.0, at[4]: 250.0}, random_state=0)
    assert (rows[:, [at[3], at[4]]] == [200, 250]).all()
    check(rows)
    holes = X[:60].copy()
    holes[:, at[:3]] = np.nan
    check(model.impute(holes, random_state=0))


def test_zeros_among_the_parts_of_a_given_sum():
    rng = np.random.RandomState(0)
    p, q = np.where(rng.uniform(size=(2, 6000)) < [[0.5], [0.2]], 0.0, rng.gamma(3, 20, (2, 6000)).round())
    q, r = q + 0.5, rng.gamma(3, 20, 6000).round()
    X = np.column_stack([q, p, r, p + q + r])
    model = GMMGAN(2, random_state=0, **PRIOR).fit(X)
    rows, _ = model.sample(2000, conditions={3: 100.5}, random_state=0)
    near = X[np.abs(X[:, 3] - 100.5) < 8]
    assert (rows[:, 1] == 0).mean() == pytest.approx((near[:, 1] == 0).mean(), abs=0.05)
    assert (rows[:, 0] == 0.5).mean() == pytest.approx((near[:, 0] == 0.5).mean(), abs=0.05)


def test_parts_that_hang_together_of_a_given_sum():
    rng = np.random.RandomState(0)
    main = rng.gamma(4, 100, 2000).round(2)
    parts = (0.1 * main[:, None] * rng.uniform(0.8, 1.2, (2000, 8))).round(2)
    X = np.column_stack([main, parts, (main + parts.sum(axis=1)).round(2)])
    model = GMMGAN(2, random_state=0, **PRIOR).fit(X)
    rows, _ = model.sample(200, conditions={9: 700.0}, random_state=0)
    assert len(np.unique(rows, axis=0)) > 150
    assert rows[:, 3].mean() == pytest.approx(38.7, abs=1.5)


def test_a_copy_of_a_total_is_one_too():
    rng = np.random.RandomState(0)
    a, b = rng.gamma(2, 100, (2, 800)).round(2)
    X = np.column_stack([a, b, (a + b).round(2), (100 * (a + b)).round()])
    model = GMMGAN(2, random_state=0, **PRIOR).fit(X)
    assert [isinstance(c, LinearColumn) for c in model._model.codec.columns] == [False, False, True, True]
    for rows in (model.sample(100, random_state=0)[0], model.sample(50, conditions={3: 20_000}, random_state=0)[0]):
        assert np.allclose(rows[:, 0] + rows[:, 1], rows[:, 2])
        assert np.allclose(100 * rows[:, 2], rows[:, 3])


def test_gaps_in_sums_are_computed(bills):
    model, X = bills
    full = X.head(60)
    holes = full.copy()
    holes.loc[:19, ["total", "end"]] = None
    holes.loc[20:39, "start"] = None
    holes.loc[40:, ["tax", "post", "due", "stay", "start"]] = None
    filled = model.impute(holes, random_state=0)
    assert adds_up(filled).all()
    assert (filled["total"][:20] == full["total"][:20]).all()
    assert (filled["start"][20:40] == full["start"][20:40]).all()
    assert filled.notna().all(axis=None)


def test_what_a_sum_cannot_be_is_warned_of(bills):
    model, X = bills
    too_much = {"net": X["net"].max(), "tax": X["tax"].max(), "post": 9.9}
    for conditions in ({"total": 100.0, "net": 150.0}, {"total": 100.0, "net": 150.0, "post": 0.0}, too_much):
        with pytest.warns(UserWarning, match="contradict what held .* 'net'|so unlikely"):
            rows, _ = model.sample(5, conditions=conditions, random_state=0)
        assert adds_up(rows).all()
    with pytest.warns(UserWarning, match="contradict what held .* 'net'"):
        model.sample(5, conditions={"total": 100.0, "net": 80.0, "tax": 30.0, "post": 0.0}, random_state=0)


def test_what_only_looks_like_a_sum_is_none(rng):
    a, b = rng.gamma(2, 100, (2, 1000)).round(2)
    off = np.where(np.arange(1000) == 700, 0.01, 0.0)
    dummies = np.eye(4)[rng.randint(4, size=1000)]
    for columns in (
        [a, b, (a + b).round(1)],
        [a, b, (a + b + off).round(2)],
        [a, b, a * b],
        [a, b, np.where(off > 0, np.nan, a + b)],
        dummies.T,
        rng.randint(3, size=(8, 25)),
    ):
        model = GMMGAN(1, **PRIOR).fit(np.column_stack(columns))
        assert not any(isinstance(column, LinearColumn) for column in model._model.codec.columns)


@pytest.mark.parametrize(("name", "value", "ends"), [("kg", 70.03, "70.0 or 70.1"), ("cost", 4451, "4450 or 4460")])
def test_numbers_between_the_steps_of_a_column_are_refused(name, value, ends):
    pd = pytest.importorskip("pandas")
    rng = np.random.RandomState(0)
    X = pd.DataFrame({"kg": np.round(rng.normal(70, 9, 300), 1), "cost": 10 * rng.randint(50, 900, 300)})
    with pytest.raises(ValueError, match=f"column '{name}', which holds {ends}, but nothing in between"):
        GMMGAN(**PRIOR).fit(X).sample(1, conditions={name: value})
    rows, _ = GMMGAN(enforce_decimals=False, **PRIOR).fit(X).sample(1, conditions={"kg": 70.03})
    assert (rows["kg"] == 70.03).all()
