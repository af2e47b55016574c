"""scikit-learn's own checks, over the estimator and over pipelines that hold it."""

import inspect
import re

import pytest
from sklearn.base import clone
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from skgmmgan import GMMGAN, GMMGANClassifier

SHORT = {"max_epochs": 1, "adversarial_rounds": 1, "hidden_layer_sizes": 64}
LAST = GMMGAN(1, reg_covar=1e-3, random_state=0, **SHORT)  # scikit-learn's checks seed a pipeline, but not its steps
PIPELINE_FAILS = {  # a pipeline fails these whatever its last step is
    "check_estimators_overwrite_params",
    "check_dont_overwrite_attributes",
    "check_dont_overwrite_parameters",
}


@parametrize_with_checks(
    [
        GMMGAN(random_state=0, **SHORT),
        GMMGAN(
            1,
            covariance_type="diag",
            reg_covar=1e-3,
            discriminator=DecisionTreeClassifier(max_depth=3),
            **SHORT,
        ),
        GMMGANClassifier(
            1, covariance_type="full", reg_covar=1e-3, random_state=0, **SHORT | {"adversarial_rounds": 0}
        ),
    ]
)
def test_estimator(estimator, check):
    check(estimator)


@parametrize_with_checks(
    [Pipeline([("numbers", FunctionTransformer(validate=True)), ("scale", StandardScaler()), ("last", LAST)])]
)
def test_pipeline(estimator, check):
    """What a pipeline with scikit-learn's own mixture passes, a pipeline with GMMGAN passes."""
    name = getattr(check, "func", check).__name__
    if name in PIPELINE_FAILS:
        with pytest.raises(AssertionError):
            check(clone(estimator).set_params(last=GaussianMixture()))
    else:
        check(estimator)


@pytest.mark.parametrize("name", ["check_param_validation", "check_dataframe_column_names_consistency"])
@pytest.mark.parametrize("estimator", [GMMGAN, GMMGANClassifier])
def test_checks_outside_the_common_list(estimator, name):
    getattr(estimator_checks, name)(estimator.__name__, estimator(**SHORT))


@pytest.mark.parametrize("estimator", [GMMGAN, GMMGANClassifier])
def test_every_parameter_is_documented(estimator):
    documentation = inspect.cleandoc(estimator.__doc__)
    parameters = documentation[documentation.index("Parameters\n") : documentation.index("Attributes\n")]
    assert re.findall(r"^(\w+) : ", parameters, re.M) == list(inspect.signature(estimator).parameters)
