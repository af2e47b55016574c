"""Kinds of trouble that users of table generators report, each with several inputs of its kind."""

import contextlib
import copy
import io
import os
import pickle
import subprocess
import sys
import warnings

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from skgmmgan import GMMGAN

pd = pytest.importorskip("pandas")

PRIOR = {"max_epochs": 0, "adversarial_rounds": 0}


def fast(**settings):
    """A small model whose fit takes seconds."""
    small = {"hidden_layer_sizes": 64, "max_epochs": 6, "adversarial_rounds": 2}
    return GMMGAN(**{"n_components": 2, "random_state": 0, **small, **settings})


def rows_of(model, n, **settings):
    return model.sample(n, **settings)[0]


# ---- missing values found only when sampling


def gappy_tables():
    rng = np.random.default_rng(1)
    n = 120
    doses = pd.DataFrame({"dose": rng.gamma(2.0, 3.0, n), "ward": rng.choice(["n", "s"], n)})
    doses.loc[rng.choice(n, 30, replace=False), "dose"] = np.nan
    doses.loc[::17, "ward"] = None
    yield "doses", doses
    first = pd.DataFrame({"a": rng.normal(size=300), "b": rng.poisson(3, 300), "c": rng.choice(list("xyz"), 300)})
    yield "half missing", first.mask(rng.uniform(size=first.shape) < 0.5)
    yield "one missing", first.mask(np.arange(300)[:, None] + np.zeros(3) == 7)
    yield "object with NaN", first.assign(c=first["c"].astype(object).where(first["a"] > -1, np.nan))


@pytest.mark.parametrize("X", dict(gappy_tables()).values(), ids=dict(gappy_tables()))
def test_gaps(X):
    before = X.copy(deep=True)
    model = fast(max_epochs=2).fit(X)
    rows, scores = rows_of(model, 2000), model.score_samples(X)
    pd.testing.assert_frame_equal(X, before)
    assert rows.dtypes.equals(X.dtypes)
    assert np.isfinite(scores).all()
    assert scores.shape == (len(X),)
    for column in X:
        assert rows[column].isna().mean() == pytest.approx(X[column].isna().mean(), abs=0.1)
        if not pd.api.types.is_numeric_dtype(X[column]):
            assert set(rows[column].dropna()) <= set(X[column].dropna())


@pytest.mark.parametrize("rounds", [0, 8])
def test_missingness_that_depends_on_another_column(rounds):
    rng = np.random.default_rng(0)
    group = rng.choice(["a", "b", "c"], 3000)
    rate = pd.Series(group).map({"a": 0.05, "b": 0.4, "c": 0.9}).to_numpy()
    X = pd.DataFrame({"group": group, "x": np.where(rng.uniform(size=3000) < rate, np.nan, rng.normal(size=3000))})
    model = fast(adversarial_rounds=rounds).fit(X)
    rows = rows_of(model, 6000)
    shares = rows["x"].isna().groupby(rows["group"]).mean()
    observed = X["x"].isna().groupby(X["group"]).mean()
    assert shares.to_numpy() == pytest.approx(observed.to_numpy(), abs=0.06)
    missing = pd.DataFrame({"group": ["a", "b", "c"], "x": np.nan})
    p = np.exp(model.score_samples(missing))
    assert p == pytest.approx(observed.to_numpy() / 3, abs=0.05)


# ---- a column with one value


def test_constant_columns():
    rng = np.random.default_rng(2)
    X = pd.DataFrame({"v": rng.normal(size=80), "site": 7, "unit": "mg", "big": 3e9, "almost": [0.0] * 79 + [1.0]})
    X = X.assign(day=pd.Timestamp("2024-01-01"), flag=True, tiny=1e-9, zero=0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = fast(n_components=3).fit(X)
        rows, scores = rows_of(model, 200), model.score_samples(X)
    assert rows.dtypes.equals(X.dtypes)
    for column in ("site", "unit", "big", "day", "flag", "tiny", "zero"):
        assert (rows[column] == X[column][0]).all()
    assert set(rows["almost"]) <= {0.0, 1.0}
    assert np.isfinite(scores).all()
    assert abs(scores.mean() - fast(n_components=3).fit(X[["v", "almost"]]).score(X[["v", "almost"]])) < 2


@pytest.mark.parametrize("value", [0.0, -3, 1e12, 1e-12])
def test_nothing_but_constants(value):
    X = np.full((50, 3), value)
    model = fast().fit(X)
    assert (rows_of(model, 20) == value).all()
    assert model.score(X) == pytest.approx(0, abs=0.1)


# ---- fewer rows than components


@pytest.mark.parametrize("n", [4, 7])
def test_fewer_rows_than_components(n):
    X = pd.DataFrame({"a": np.arange(n) ** 2 / 2, "b": ["u", "v"] * (n // 2) + ["u"] * (n % 2)})
    for k in (1, n):
        assert rows_of(fast(n_components=k).fit(X), 6).shape == (6, 2)
    with pytest.raises(ValueError, match=rf"n_components={n + 6}.*{n}"):
        fast(n_components=n + 6).fit(X)


@pytest.mark.parametrize("shape", [(2, 1), (2, 30), (20, 5), (20, 40)])
def test_few_rows_and_many_columns(shape):
    X = np.random.default_rng(0).normal(size=shape)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = GMMGAN(random_state=0, max_epochs=4, adversarial_rounds=1).fit(X)
    assert np.isfinite(rows_of(model, 10)).all()
    assert np.isfinite(model.score_samples(X)).all()


# ---- few distinct rows, repeated


@pytest.mark.parametrize("scale", [1.0, 1e6, 1e-6])
@pytest.mark.parametrize("points", [[[0, 0], [10, -3]], [[1, 1], [1, 2], [5, 2]]], ids=["two", "three"])
def test_repeated_points(points, scale):
    points = scale * np.array(points, dtype=float)
    X = np.repeat(points, 500, axis=0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = fast(n_components=5).fit(X)
    rows = rows_of(model, 1000)
    distance = np.linalg.norm(rows[:, None] - points, axis=2)
    assert np.isfinite(model.score_samples(X)).all()
    assert np.median(distance.min(axis=1)) < scale
    shares = np.bincount(distance.argmin(axis=1), minlength=len(points)) / 1000
    assert shares == pytest.approx(1 / len(points), abs=0.15)
    assert all(issubclass(w.category, ConvergenceWarning) for w in caught)
    assert len(caught) <= 1


# ---- float32


def float32_tables():
    rng = np.random.default_rng(0)
    yield np.tile([[9999.0, 1.0], [0.0, 2.0]], (40, 1)) + rng.normal(0, 0.01, (80, 2))
    yield rng.normal([1e6, -3e4], [5e3, 1e2], (300, 2))
    yield rng.lognormal(3, 1, (300, 2))


@pytest.mark.parametrize(
    ("X", "covariance_type"),
    [
        *((X, "full") for X in float32_tables()),
        *((next(float32_tables()), kind) for kind in ("tied", "diag", "spherical")),
    ],
    ids=["two places", "large", "lognormal", "tied", "diag", "spherical"],
)
def test_float32_and_float64_agree(X, covariance_type):
    given = {"covariance_type": covariance_type, "reg_covar": 0.05}  # rounding may decide where choices are near
    for limit, settings in ((0.01, PRIOR), (0.05, {"max_epochs": 2, "adversarial_rounds": 1})):
        a, b = (fast(**given, **settings).fit(X.astype(d)) for d in (np.float32, np.float64))
        assert abs(a.score(X) - b.score(X)) < limit
    assert rows_of(a, 5).dtype == np.float32
    assert rows_of(b, 5).dtype == np.float64
    for model in (a, b):
        matrices = covariance_type in ("full", "tied")
        variances = np.diagonal(model.covariances_, axis1=-2, axis2=-1) if matrices else model.covariances_
        assert variances.min() > 0
    assert a.means_ == pytest.approx(b.means_, rel=0.05)


# ---- bounds, decimals, integers


def test_bounds_and_decimals():
    rng = np.random.default_rng(6)
    n = 200
    X = pd.DataFrame(
        {
            "price": np.round(rng.lognormal(1, 1, n) + 0.01, 2),
            "children": rng.poisson(0.7, n),
            "day": rng.integers(1, 32, n).astype("int16"),
            "delta": rng.normal(0, 5, n).round(1),
            "quarter": rng.integers(0, 400, n) / 4,
            "thousands": rng.integers(1, 300, n) * 1000,
            "share": rng.beta(0.5, 0.5, n),
        }
    )
    rows = rows_of(fast(n_components=3).fit(X), 2000)
    assert rows.dtypes.equals(X.dtypes)
    assert (rows.min() >= X.min()).all()
    assert (rows.max() <= X.max()).all()
    assert (rows["price"].round(2) == rows["price"]).all()
    assert (rows["delta"].round(1) == rows["delta"]).all()
    assert (rows["quarter"] * 4 % 1 == 0).all()
    assert (rows["thousands"] % 1000 == 0).all()
    assert rows["delta"].min() < 0 < rows["delta"].max()
    assert (rows["children"] == 0).mean() == pytest.approx((X["children"] == 0).mean(), abs=0.2)
    free = rows_of(fast(n_components=3, enforce_bounds=False, enforce_decimals=False, **PRIOR).fit(X), 4000)
    assert (free["price"].round(2) != free["price"]).mean() > 0.9
    assert free["share"].max() > X["share"].max()


@pytest.mark.parametrize("scale", [1e12, 1e-9])
def test_scales(scale):
    rng = np.random.default_rng(0)
    X = scale * np.column_stack([rng.normal(size=400), rng.standard_t(1.5, 400), rng.normal(1e4, 1, 400)])
    model = fast().fit(X)
    rows = rows_of(model, 2000)
    spread = [np.subtract(*np.quantile(table, [0.75, 0.25], axis=0)) for table in (rows, X)]
    assert spread[0] == pytest.approx(spread[1], rel=0.3)
    assert np.median(rows, axis=0) == pytest.approx(np.median(X, axis=0), abs=0.2 * spread[1].max(), rel=1e-3)


def test_numbers_that_no_variance_can_hold_are_refused():
    for scale in (1e200, 1e-200):
        X = pd.DataFrame({"a": np.arange(30.0), "b": scale * np.arange(30.0)})
        with pytest.raises(ValueError, match=r"'b' .* rescale"):
            fast().fit(X)


# ---- thousands of categories


def test_thousands_of_categories():
    rng = np.random.default_rng(0)
    shop = np.minimum(rng.zipf(1.3, 5000), 3000).astype(str)
    X = pd.DataFrame({"shop": shop, "v": rng.normal(size=5000) + (shop == "1")})
    rows = rows_of(fast(max_epochs=5, adversarial_rounds=1).fit(X), 5000)
    assert set(rows["shop"]) <= set(shop)
    assert (rows["shop"] == "1").mean() == pytest.approx((shop == "1").mean(), abs=0.04)
    counts = X["shop"].value_counts()
    rare = counts[counts <= 2].index
    assert rows["shop"].isin(rare).mean() == pytest.approx(X["shop"].isin(rare).mean(), abs=0.04)
    assert rows.loc[rows["shop"].isin(rare), "shop"].nunique() > 100


# ---- asking for a value never seen


def test_a_value_never_seen():
    X = pd.DataFrame({"x": np.linspace(0, 1, 90), "grade": [" A", "B", "C"] * 30, "code": [1, 2, 3] * 30})
    model = fast(categorical_features=["grade", "code"]).fit(X)
    assert rows_of(model, 50, conditions={"grade": " A"})["grade"].tolist() == [" A"] * 50
    assert rows_of(model, 30, conditions={"code": 2})["code"].tolist() == [2] * 30
    assert rows_of(model, 30)["code"].dtype == X["code"].dtype
    for conditions, said in (({"grade": "A"}, "'A' in column 'grade'"), ({"code": 4}, "4 in column 'code'")):
        with pytest.raises(ValueError, match=said):
            model.sample(5, conditions=conditions)
    with pytest.raises(ValueError, match="'nothing'"):
        model.sample(5, conditions={"nothing": 1})
    for column, value in (("grade", "Z"), ("grade", "A"), ("code", 9)):
        seen, new = X.head(10), X.head(10).assign(**{column: value})
        assert np.isfinite(model.score_samples(new)).all()
        assert (model.score_samples(new) < model.score_samples(seen)).all()


# ---- names that are numbers, odd index


@pytest.mark.parametrize("names", [[0, 1, 2], [2, 0, 1], ["a", " b ", ""], [1.5, 2.5, 3.5]], ids=str)
def test_names_and_index(names):
    X = pd.DataFrame(np.random.default_rng(10).normal(size=(60, 3)), columns=names, index=np.arange(960, 900, -1))
    model = fast().fit(X)
    rows = rows_of(model, 20, conditions={names[1]: X[names[1]].iloc[0]})
    assert rows.columns.tolist() == names
    assert rows.index.equals(pd.RangeIndex(20))
    assert (rows[names[1]] == X[names[1]].iloc[0]).all()
    assert np.isfinite(model.score(X))
    assert model.impute(X.mask(X > 1)).index.equals(X.index)


# ---- batch sizes and row counts that do not divide


@pytest.mark.parametrize("n", [7, 53, 501])
@pytest.mark.parametrize("batch_size", [1, 16, 50, 500])
def test_any_batch_size(n, batch_size):
    X = np.random.default_rng(11).normal(size=(n, 2))
    model = fast(batch_size=batch_size, max_epochs=1, adversarial_rounds=1).fit(X)
    assert rows_of(model, 3).shape == (3, 2)


def test_any_number_of_rows():
    model = fast().fit(pd.DataFrame({"a": np.random.default_rng(0).normal(size=40), "b": ["x", "y"] * 20}))
    assert rows_of(model, 0).dtypes.equals(rows_of(model, 1).dtypes)
    assert [len(rows_of(model, n)) for n in (0, 1, 2, 5001)] == [0, 1, 2, 5001]
    for n in (-1, 2.5, True, "3", None):
        with pytest.raises((ValueError, TypeError), match="n_samples"):
            model.sample(n)


# ---- same seed, same result


@pytest.mark.parametrize("make", [int, np.random.RandomState], ids=["int", "RandomState"])
def test_seeds(make):
    X = pd.DataFrame({"a": np.random.default_rng(3).normal(size=90), "c": list("pqr") * 30})

    def run(seed):
        model = fast(random_state=make(seed), max_epochs=3, adversarial_rounds=1).fit(X)
        return rows_of(model, 30), rows_of(model, 30), model.score(X)

    a, b, c = run(7), run(7), run(8)
    np.random.seed(99)
    for other in (b, run(7)):
        assert a[0].equals(other[0])
        assert a[1].equals(other[1])
        assert a[2] == other[2]
    assert not a[0].equals(c[0])
    assert not a[0].equals(a[1])
    model = fast(random_state=None, **PRIOR).fit(X)
    assert rows_of(model, 9, random_state=5).equals(rows_of(model, 9, random_state=5))
    asked = {"conditions": {"c": "q"}, "random_state": 5}
    assert rows_of(model, 9, **asked).equals(rows_of(model, 9, **asked))
    assert not rows_of(model, 9).equals(rows_of(fast(random_state=None, **PRIOR).fit(X), 9))


# ---- clone, copy, pickle


def test_copies(tmp_path):
    X = np.random.default_rng(4).normal(size=(80, 3))
    model = fast(device="auto")
    before = dict(model.get_params())
    model.fit(X)
    assert model.get_params() == before
    fresh = clone(model)
    assert not [name for name in vars(fresh) if name.endswith("_")]
    with pytest.raises(NotFittedError):
        fresh.sample(1)
    joblib.dump(model, tmp_path / "model")
    copies = [pickle.loads(pickle.dumps(model)), copy.deepcopy(model), joblib.load(tmp_path / "model")]
    rows = rows_of(model, 10)
    for twin in copies:
        assert twin.score(X) == model.score(X)
        assert np.array_equal(rows_of(twin, 10), rows)
    program = f"import joblib; print(joblib.load({str(tmp_path / 'model')!r}).sample(4)[0].shape)"
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "(4, 3)"


# ---- rare modes and console noise


def rare_modes():
    rng = np.random.default_rng(15)
    yield pd.DataFrame({"x": np.r_[rng.normal(0, 1, 950), rng.normal(12, 1, 50)], "flag": [False] * 950 + [True] * 50})
    x = np.r_[rng.normal(0, 1, 1900), rng.normal(-9, 0.2, 100)]
    yield pd.DataFrame({"x": -x, "flag": np.where(x < -6, "odd", None), "z": rng.normal(size=2000)}).fillna("even")


@pytest.mark.parametrize("X", list(rare_modes()), ids=["boolean", "text"])
def test_rare_modes_are_drawn_in_silence(X):
    out, err = io.StringIO(), io.StringIO()
    with (
        warnings.catch_warnings(record=True) as caught,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        warnings.simplefilter("always")
        model = fast().fit(X)
        rows = rows_of(model, 4000)
    flag, far = rows["flag"].isin([True, "odd"]), rows["x"] > 6
    assert 0.02 < flag.mean() < 0.10
    assert 0.02 < far.mean() < 0.10
    assert (flag == far).mean() > 0.95
    assert model.score(X) > fast(**PRIOR).fit(X).score(X) - 0.5
    assert out.getvalue() == err.getvalue() == ""
    assert not caught
    with contextlib.redirect_stderr(err):
        fast(verbose=1, max_epochs=1, adversarial_rounds=0).fit(X)
    assert "network" in err.getvalue()
