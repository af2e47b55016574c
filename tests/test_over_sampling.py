"""The over-sampler: imbalanced-learn's checks, scikit-learn's, and tables of every kind."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import parametrize_with_checks

import skgmmgan
from skgmmgan import GMMGAN, GMMGANClassifier

pd = pytest.importorskip("pandas")
imblearn_checks = pytest.importorskip("imblearn.utils.estimator_checks")
make_pipeline = pytest.importorskip("imblearn.pipeline").make_pipeline
GMMGANOverSampler = pytest.importorskip("skgmmgan.over_sampling").GMMGANOverSampler

PRIOR = GMMGANClassifier(covariance_type="full", reg_covar=1e-2, max_epochs=0, adversarial_rounds=0)
SHORT = GMMGANOverSampler(estimator=PRIOR, n_components=1, random_state=0)


@parametrize_with_checks([SHORT])
def test_estimator(estimator, check):
    check(estimator)


@pytest.mark.parametrize(("estimator", "check"), list(imblearn_checks.estimator_checks_generator(SHORT)))
def test_sampler(estimator, check):
    check(estimator)


@pytest.mark.parametrize("name", ["check_param_validation", "check_dataframe_column_names_consistency"])
def test_checks_outside_the_common_list(name):
    getattr(imblearn_checks, name)("GMMGANOverSampler", SHORT)


@pytest.fixture
def table():
    """Rows of three classes, the smallest with three rows, of every kind of column."""
    rng = np.random.default_rng(0)
    n = 150
    y = np.repeat(["often", "rare", "once"], [120, 27, 3])
    X = pd.DataFrame(
        {
            "size": rng.normal(size=n) + 4 * (y == "rare"),
            "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, n), "D"),
            "kind": pd.Categorical(np.where(y == "rare", "a", rng.choice(["a", "b"], n)), categories=["a", "b", "c"]),
            "text": rng.choice(["x", "y"], n),
            "count": pd.array(rng.integers(0, 50, n), dtype="Int16"),
            "ok": rng.uniform(size=n) < 0.5,
        },
        index=np.arange(n)[::-1] * 2,
    )
    X.loc[X.index[::7], ["size", "text", "count"]] = None
    return X, pd.Series(y, index=X.index, name="class", dtype="category")


def test_tables_come_back_as_they_were(table):
    X, y = table
    rows, labels = clone(SHORT).fit_resample(X, y)
    assert (labels.value_counts() == 120).all()
    pd.testing.assert_series_equal(rows.dtypes, X.dtypes)
    pd.testing.assert_frame_equal(rows.iloc[:150], X.reset_index(drop=True))
    assert (labels.name, labels.dtype) == (y.name, y.dtype)
    assert rows.index.equals(pd.RangeIndex(360))
    assert labels.index.equals(rows.index)
    new, own = rows.iloc[150:], labels.iloc[150:]
    assert (new["kind"][own == "rare"] == "a").mean() > 0.85
    assert new["size"][own == "rare"].mean() == pytest.approx(4, abs=0.7)
    assert 0.03 < new["text"].isna().mean() < 0.3
    assert new["when"].between(X["when"].min(), X["when"].max()).all()


def test_a_class_of_one_row(table):
    X, y = table
    X, y = X.iloc[:-2], y.iloc[:-2]
    rows, labels = clone(SHORT).fit_resample(X, y)
    assert (labels.value_counts() == 120).all()
    once = rows[labels.to_numpy() == "once"].iloc[1:]
    assert once["when"].nunique() > 5


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("auto", [80, 80, 80]),
        ("not majority", [80, 80, 80]),
        ("minority", [80, 15, 80]),
        ("not minority", [80, 80, 5]),
        ("all", [80, 80, 80]),
        ({2: 9}, [80, 15, 9]),
        (lambda y: {1: 20, 2: 30}, [80, 20, 30]),
    ],
)
def test_sampling_strategies(strategy, expected):
    y = np.repeat([0, 1, 2], [80, 15, 5])
    X = np.random.RandomState(0).normal(size=(100, 2)) + y[:, None]
    rows, labels = clone(SHORT).set_params(sampling_strategy=strategy).fit_resample(X, y)
    assert np.bincount(labels).tolist() == expected
    np.testing.assert_array_equal(rows[:100], X)


def test_a_share_of_two_classes():
    y = np.repeat([0, 1], [80, 20])
    X = np.random.RandomState(0).normal(size=(100, 2))
    _, labels = clone(SHORT).set_params(sampling_strategy=0.5).fit_resample(X, y)
    assert np.bincount(labels).tolist() == [80, 40]


@pytest.mark.parametrize(("n", "expected"), [(0, [75, 25]), (8, [81, 27]), (1.0, [150, 50]), (0.5, [113, 37])])
def test_rows_in_the_proportions_of_the_classes(n, expected):
    y = np.repeat([-1, 7], [75, 25])
    X = np.random.RandomState(0).normal(size=(100, 2)) + y[:, None]
    rows, labels = clone(SHORT).set_params(n_synthetic=n).fit_resample(X, y)
    assert [(labels == c).sum() for c in (-1, 7)] == expected
    assert len(rows) == sum(expected)


def test_minus_one_is_a_class_here():
    y = np.repeat([-1, 0, 1], [10, 30, 20])
    X = np.random.RandomState(0).normal(size=(60, 2)) + 5 * y[:, None]
    rows, labels = clone(SHORT).fit_resample(X, y)
    assert [(labels == c).sum() for c in (-1, 0, 1)] == [30, 30, 30]
    assert rows[60:][labels[60:] == -1].mean() == pytest.approx(-5, abs=0.5)


def test_a_search_in_a_pipeline_of_imbalanced_learn():
    X, y = make_classification(240, 4, weights=[0.85], random_state=0)
    pipeline = make_pipeline(clone(SHORT), LogisticRegression()).set_params(gmmganoversampler__random_state=None)
    grid = {"gmmganoversampler__n_components": [1, 2], "gmmganoversampler__n_synthetic": [0, None]}
    search = GridSearchCV(pipeline, grid, scoring="balanced_accuracy", cv=3, error_score="raise").fit(X, y)
    assert search.best_params_["gmmganoversampler__n_synthetic"] is None
    assert search.predict(X).shape == y.shape


def test_a_seed_repeats(table):
    X, y = table
    first, second = (clone(SHORT).fit_resample(X, y)[0] for _ in range(2))
    pd.testing.assert_frame_equal(first, second)


# ---- kinds of trouble that users of over-samplers report


@pytest.mark.parametrize("columns", [[0, 1, 2], [7, 5, 6], ["a", "b", "c"], ["", " ", "x y"]], ids=str)
@pytest.mark.parametrize("index", [np.arange(900, 960)[::-1], np.zeros(60, dtype=int), list("ab") * 30], ids=str)
def test_odd_columns_and_indices(columns, index):
    X = pd.DataFrame(np.random.default_rng(10).normal(size=(60, 3)), columns=columns, index=index)
    y = pd.Series(["no"] * 50 + ["yes"] * 10, index=index, name="hit")
    rows, labels = clone(SHORT).fit_resample(X, y)
    assert list(rows.columns) == columns
    assert rows.index.equals(labels.index)
    np.testing.assert_array_equal(rows.iloc[:60], X)
    assert labels.name == "hit"
    assert (labels.value_counts() == 50).all()
    assert rows.notna().all(axis=None)


def test_names_that_come_out():
    X = pd.DataFrame(np.random.default_rng(10).normal(size=(60, 3)), columns=["0", "1", "2"])
    names = clone(SHORT).fit(X, np.repeat(["no", "yes"], [50, 10])).get_feature_names_out()
    assert list(names) == ["0", "1", "2"]


@pytest.mark.parametrize("n_small", [1, 2, 3])
@pytest.mark.parametrize(("strategy", "expected"), [("auto", 100), (0.5, 50), ({"fault": 40}, 40), ("minority", 100)])
def test_few_rows_of_text_labels(n_small, strategy, expected):
    rng = np.random.default_rng(14)
    X = np.concatenate([rng.normal(size=(100, 4)), rng.normal(4, 0.3, size=(n_small, 4))])
    y = np.array(["ok"] * 100 + ["fault"] * n_small)
    rows, labels = GMMGANOverSampler(strategy, estimator=PRIOR, n_components=1, random_state=0).fit_resample(X, y)
    assert (labels == "fault").sum() == expected
    assert (labels == "ok").sum() == 100
    np.testing.assert_array_equal(rows[: len(X)], X)
    new = rows[len(X) :]
    to_small, to_large = (np.linalg.norm(new[:, None] - part, axis=2).mean(1) for part in (X[100:], X[:100]))
    assert (to_small < to_large).mean() > 0.95


def test_tables_that_cannot_be_resampled():
    X, y = np.random.default_rng(14).normal(size=(60, 4)), np.repeat(["ok", "fault"], [50, 10])
    with pytest.raises(TypeError, match="Sparse data"):
        clone(SHORT).fit_resample(sparse.csr_matrix(X), y)
    with pytest.raises(ValueError, match="Multilabel"):
        clone(SHORT).fit_resample(X, np.c_[y == "ok", y == "fault", X[:, 0] > 0].astype(int))
    with pytest.raises(TypeError, match="must be a classifier that samples"):
        clone(SHORT).set_params(estimator=GMMGAN(1)).fit_resample(X, y)
    with pytest.raises(TypeError, match="to_pandas"):
        clone(SHORT).fit_resample(pytest.importorskip("polars").DataFrame({"a": X[:, 0]}), y)
    with pytest.raises(ValueError, match="not present in the data"):
        clone(SHORT).set_params(sampling_strategy={"nope": 3}).fit_resample(X, y)


def test_the_sampler_is_at_the_top_of_the_package():
    assert skgmmgan.GMMGANOverSampler is GMMGANOverSampler
    with pytest.raises(AttributeError, match="no attribute 'GMMGANUnderSampler'"):
        skgmmgan.GMMGANUnderSampler  # noqa: B018
