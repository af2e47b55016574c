"""scikit-learn's own checks, over the estimator and over pipelines that hold it."""

import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from skgmmgan import GMMGAN

SHORT = {"max_epochs": 2, "adversarial_rounds": 1}


@parametrize_with_checks(
    [GMMGAN(random_state=0), GMMGAN(covariance_type="diag", discriminator="mlp", adversarial_weight=0.3, **SHORT)]
)
def test_estimator(estimator, check):
    check(estimator)


@parametrize_with_checks(
    [
        Pipeline(
            [("numbers", FunctionTransformer(validate=True)), ("scale", StandardScaler()), ("last", GMMGAN(**SHORT))]
        ),
        Pipeline([("pca", PCA()), ("last", GMMGAN(n_components=1, covariance_type="tied", **SHORT))]),
    ]
)
def test_pipeline(estimator, check):
    """What a pipeline with scikit-learn's own mixture passes, a pipeline with GMMGAN passes."""
    reference = clone(estimator).set_params(last=GaussianMixture())
    try:
        check(reference)
    except AssertionError:
        pytest.skip("Pipeline itself fails this check")
    check(estimator)


@pytest.mark.parametrize("name", ["check_param_validation", "check_dataframe_column_names_consistency"])
def test_checks_outside_the_common_list(name):
    getattr(estimator_checks, name)("GMMGAN", GMMGAN(**SHORT))
