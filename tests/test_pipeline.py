"""Rows of pipelines, and searches over them."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris, make_blobs
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
    RandomizedSearchCV,
    cross_val_score,
)
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, PowerTransformer, StandardScaler

from skgmmgan import GMMGAN, GMMGANClassifier, sample_pipeline
from skgmmgan.metrics import c2st_scorer, tstr_scorer

PRIOR = {"max_epochs": 0, "adversarial_rounds": 0, "random_state": 0}


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


def test_rows_come_back_through_the_steps(iris):
    X, _ = iris
    scaled = make_pipeline(StandardScaler(), "passthrough", PowerTransformer(), PCA(3), GMMGAN(3, **PRIOR)).fit(X)
    rows, component = sample_pipeline(scaled, 2000)
    assert rows.shape == (2000, 4)
    assert component.shape == (2000,)
    np.testing.assert_allclose(rows.mean(0), X.mean(0), atol=0.25)
    np.testing.assert_allclose(np.corrcoef(rows.T), np.corrcoef(X.T), atol=0.15)


def test_a_frame_comes_back_with_its_columns():
    X = load_iris(as_frame=True).data
    rows, _ = sample_pipeline(make_pipeline(StandardScaler(), GMMGAN(2, **PRIOR)).fit(X), 10)
    assert list(rows.columns) == list(X.columns)
    assert ((rows >= X.min() - 1e-9) & (rows <= X.max() + 1e-9)).all(axis=None)


def test_arguments_of_sample_reach_the_last_step(iris):
    X, y = iris
    pipeline = make_pipeline(StandardScaler(), GMMGANClassifier(1, **PRIOR)).fit(X, y)
    rows, labels = sample_pipeline(pipeline, y={1: 4, 2: 3}, random_state=0)
    assert labels.tolist() == [1] * 4 + [2] * 3
    assert (pipeline.predict(rows) == labels).mean() > 0.7
    np.testing.assert_array_equal(rows, sample_pipeline(pipeline, y={1: 4, 2: 3}, n_samples=7, random_state=0)[0])


def test_an_estimator_a_nested_pipeline_and_a_search(iris):
    X, _ = iris
    model = GMMGAN(1, **PRIOR).fit(X)
    assert sample_pipeline(model, 3)[0].shape == (3, 4)
    nested = make_pipeline(make_pipeline(StandardScaler(), PCA(2)), GaussianMixture(2)).fit(X)
    assert sample_pipeline(nested, 3)[0].shape == (3, 4)
    search = GridSearchCV(nested, {"gaussianmixture__n_components": [1, 2]}, cv=2).fit(X)
    assert sample_pipeline(search, 3)[0].shape == (3, 4)
    inside = make_pipeline(
        StandardScaler(), GridSearchCV(make_pipeline(PCA(2), model), {"pca__n_components": [2]}, cv=2)
    )
    assert sample_pipeline(inside.fit(X), 0)[0].shape == (0, 4)


def test_samplers_are_passed_over():
    over_sampling = pytest.importorskip("skgmmgan.over_sampling")
    from imblearn.pipeline import make_pipeline as make_imblearn_pipeline

    X, y = make_blobs([60, 20], 2, random_state=0)
    sampler = over_sampling.GMMGANOverSampler(estimator=GMMGANClassifier(1, **PRIOR))
    pipeline = make_imblearn_pipeline(StandardScaler(), sampler, GMMGANClassifier(1, **PRIOR)).fit(X, y)
    rows, labels = sample_pipeline(pipeline, 200)
    assert np.bincount(labels).min() > 60
    assert np.abs(rows.mean(0)).max() > 1


ONE_WAY = FunctionTransformer(np.abs)


@pytest.mark.parametrize(
    ("step", "match"),
    [
        (
            make_column_transformer((StandardScaler(), [0, 1])),
            "'bad' cannot be inverted: ColumnTransformer has no inverse",
        ),
        (make_union(StandardScaler(), PCA(1)), "'bad' cannot be inverted: FeatureUnion has no inverse_transform"),
        (ONE_WAY, "'bad' cannot be inverted: FunctionTransformer has no inverse_func"),
        (Pipeline([("inner", ONE_WAY)]), "'bad__inner' cannot be inverted: FunctionTransformer"),
        (
            FunctionTransformer(np.abs, np.linalg.inv, check_inverse=False),
            r"'bad' \(FunctionTransformer\) could not be inverted: Last 2",
        ),
    ],
)
def test_steps_that_cannot_be_inverted(step, match, iris):
    X, _ = iris
    pipeline = Pipeline([("scale", StandardScaler()), ("bad", step), ("last", GMMGAN(1, **PRIOR))]).fit(X)
    with pytest.raises(ValueError, match=match):
        sample_pipeline(pipeline, 3)


def test_pipelines_that_cannot_be_sampled(iris):
    X, y = iris
    with pytest.raises(TypeError, match="'logisticregression', is a LogisticRegression, which has no sample"):
        sample_pipeline(make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y), 3)
    with pytest.raises(NotFittedError):
        sample_pipeline(make_pipeline(StandardScaler(), GMMGAN()), 3)
    with pytest.raises(TypeError, match=r"'estimator', is a KernelDensity, whose sample\(\) gives no labels"):
        sample_pipeline(KernelDensity().fit(X), 3)
    search = GridSearchCV(GMMGAN(**PRIOR), {"n_components": [1]}, cv=2, refit=False)
    with pytest.raises(NotFittedError):
        sample_pipeline(search, 3)
    with pytest.raises(ValueError, match="set refit=True"):
        sample_pipeline(search.fit(X), 3)


def test_no_rows_of_a_class(iris):
    X, y = iris
    rows, labels = sample_pipeline(make_pipeline(StandardScaler(), GMMGANClassifier(1, **PRIOR)).fit(X, y), y={1: 0})
    assert rows.shape == (0, 4)
    assert labels.shape == (0,)


def test_lossy_steps(iris):
    """A selection gives zeros where columns were left out; that is what its inverse_transform says."""
    X, y = iris
    rows, _ = sample_pipeline(make_pipeline(SelectKBest(k=2), GMMGANClassifier(1, **PRIOR)).fit(X, y), 20)
    assert ((rows == 0).all(axis=0)).sum() == 2


# ---- search


def test_components_of_separated_blobs_are_found():
    """Without network and refinement, the chosen number is right, or within one standard error of the best."""
    X, _ = make_blobs(600, 3, centers=[[0, 0, 0], [9, 0, 0], [0, 9, 0], [0, 0, 9]], random_state=0)
    folds = KFold(3, shuffle=True, random_state=0)
    model = GMMGAN(covariance_type="full", reg_covar=1e-3, **PRIOR)
    search = GridSearchCV(model, {"n_components": [1, 3, 4, 5]}, cv=folds).fit(X)
    means = search.cv_results_["mean_test_score"]
    errors = search.cv_results_["std_test_score"] / np.sqrt(3)
    enough = np.flatnonzero(means >= means.max() - errors[means.argmax()])
    assert search.param_grid["n_components"][enough[0]] == 4


@pytest.mark.parametrize("kind", [GridSearchCV, HalvingGridSearchCV, RandomizedSearchCV])
def test_searches(kind, iris):
    X = iris[0][::2]
    grid = {"n_components": [1, 3], "covariance_type": ["full", "diag"]}
    model = GMMGAN(reg_covar=1e-3, **PRIOR)
    options = {"n_iter": 3, "random_state": 0} if kind is RandomizedSearchCV else {}
    options |= {"min_resources": 40, "random_state": 0} if kind is HalvingGridSearchCV else {}
    search = kind(model, grid, cv=KFold(2, shuffle=True, random_state=0), error_score="raise", **options).fit(X)
    assert set(search.best_params_) == set(grid)
    assert np.isfinite(search.best_score_)


def test_scorers():
    pytest.importorskip("pandas")
    table = load_iris(as_frame=True).frame
    folds = KFold(2, shuffle=True, random_state=0)
    good, bad = GMMGAN(3, **PRIOR), GMMGAN(1, covariance_type="spherical", reg_covar=1.0, **PRIOR)
    for scorer in pickle.loads(pickle.dumps([c2st_scorer, tstr_scorer("target", n_samples=300)])):  # as n_jobs does
        scores = [cross_val_score(model, table, cv=folds, scoring=scorer).mean() for model in (good, bad)]
        assert scores[0] > scores[1] + 0.1
    through_scaler = cross_val_score(make_pipeline(MinMaxScaler(), clone(good)), table, cv=folds, scoring=c2st_scorer)
    assert through_scaler.mean() > scores[1]
