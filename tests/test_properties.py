"""Random tables of random schemas: they come back with their dtypes and bounds and have finite scores, or raise."""

import warnings

import numpy as np
import pytest

from skgmmgan import GMMGAN

pd = pytest.importorskip("pandas")
hypothesis = pytest.importorskip("hypothesis")

from hypothesis import strategies as st  # noqa: E402

PRIOR = {"max_epochs": 0, "adversarial_rounds": 0}
SHORT = {"max_epochs": 2, "adversarial_rounds": 1}


def numbers(rng, n):
    kinds = [
        rng.normal(size=n),
        rng.lognormal(0, 3, n),
        rng.standard_cauchy(n),
        np.where(rng.uniform(size=n) < 0.8, 0.0, rng.gamma(1.0, size=n)),
        rng.normal(size=n).round(1),
        np.append(rng.normal(size=n - 1), 1e9),
        np.full(n, rng.normal()),
        rng.poisson(2, n).astype(float),
    ]
    return kinds[rng.integers(len(kinds))] * 10.0 ** rng.choice([-9, 0, 0, 6, 12])


def make_column(rng, n):
    """A column of a random dtype."""
    whole = rng.integers(0, rng.choice([1, 2, 9, 10**6]), n, endpoint=True)
    words = np.array(["", " a", "b", "nan", "None", "ü", "1"], dtype=object)
    makers = [
        lambda: pd.Series(numbers(rng, n)),
        lambda: pd.Series(numbers(rng, n)).astype("float32"),
        lambda: pd.Series(whole),
        lambda: pd.Series(whole % 127).astype("int8"),
        lambda: pd.Series(whole).astype("Int64"),
        lambda: pd.Series(2**61 + whole),
        lambda: pd.Series(rng.uniform(size=n) < 0.2),
        lambda: pd.Series(words[whole % 7]),
        lambda: pd.Series(words[whole % 7]).astype("string"),
        lambda: pd.Series([[1, "a", 2.5, True, None][v % 5] for v in whole], dtype=object),
        lambda: pd.Series(pd.Categorical(words[whole % 3], categories=words)),
        lambda: pd.Series(pd.Timestamp("2020-02-29", tz="Europe/Berlin") + pd.to_timedelta(whole, unit="h")),
        lambda: pd.Series(pd.to_timedelta(whole % 100_000, unit="D")),
    ]
    column = makers[rng.integers(len(makers))]()
    gaps = rng.uniform(size=n) < rng.choice([0.0, 0.0, 0.1, 0.9, 1.0])
    has_gap = column.dtype.kind not in "iub" or isinstance(column.dtype, pd.api.extensions.ExtensionDtype)
    return column.mask(gaps) if has_gap else column


@st.composite
def tables(draw):
    n, d = draw(st.integers(2, 80)), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return pd.DataFrame({name: make_column(rng, n) for name in "abcdef"[:d]}).set_axis(rng.permutation(n))


def within_bounds(rows, X):
    for name in X:
        seen, drawn = X[name].dropna(), rows[name].dropna()
        assert len(seen) or not len(drawn)
        if X[name].dtype.kind in "fiM" and len(drawn):
            assert drawn.min() >= seen.min()
            assert drawn.max() <= seen.max()
        elif len(drawn):
            assert set(drawn) <= set(seen) or X[name].dtype.kind in "mM"
        assert X[name].isna().any() or not rows[name].isna().any()


@hypothesis.settings(max_examples=15, deadline=None, derandomize=True, database=None)
@hypothesis.given(tables(), st.sampled_from([PRIOR, PRIOR, SHORT]), st.booleans())
def test_tables_come_back(X, settings, search):
    model = GMMGAN("auto" if search else 1, random_state=0, **settings)
    before = X.copy(deep=True)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Every value of column", UserWarning)
        if X.isna().all(axis=None):
            with pytest.raises(ValueError, match="no observed value"):
                model.fit(X)
            return
        model.fit(X)
    rows, _ = model.sample(50)
    pd.testing.assert_frame_equal(X, before)
    assert rows.dtypes.equals(X.dtypes)
    assert rows.shape == (50, X.shape[1])
    within_bounds(rows, X)
    assert np.isfinite(model.score_samples(X)).all()
    assert np.isfinite(model.score_samples(rows)).all()
    filled = model.impute(X)
    for name in X:
        assert filled[name].isna().all() if X[name].isna().all() else not filled[name].isna().any()


@hypothesis.settings(max_examples=15, deadline=None, derandomize=True, database=None)
@hypothesis.given(tables(), st.data())
def test_conditions_hold(X, data):
    hypothesis.assume(not X.isna().all(axis=None))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        model = GMMGAN(1, random_state=0, **PRIOR).fit(X)
        i = data.draw(st.integers(0, len(X) - 1))
        fixed = data.draw(st.lists(st.sampled_from(list(X)), min_size=1, unique=True))
        rows, _ = model.sample(3, conditions=X[fixed].iloc[[i]])
        rows = pd.concat([rows, model.sample(3, conditions={name: X[name].iloc[i] for name in fixed})[0]])
    for name in fixed:
        value = X[name].iloc[i]
        assert rows[name].isna().all() if pd.isna(value) else (rows[name] == value).all()
