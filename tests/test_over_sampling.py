"""The over-sampler: imbalanced-learn's checks, scikit-learn's, and tables of every kind."""

import pytest

pytest.importorskip("imblearn")

from imblearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    check_param_validation,
    estimator_checks_generator,
)
from sklearn.utils.estimator_checks import parametrize_with_checks

from skgmmgan import GMMGANClassifier
from skgmmgan.over_sampling import GMMGANOverSampler

PRIOR = GMMGANClassifier(max_epochs=0, adversarial_rounds=0)
SHORT = GMMGANOverSampler(estimator=PRIOR, n_components=1, random_state=0)


@parametrize_with_checks([SHORT])
def test_estimator(estimator, check):
    check(estimator)


@pytest.mark.parametrize(("estimator", "check"), list(estimator_checks_generator(SHORT)))
def test_sampler(estimator, check):
    check(estimator)


@pytest.mark.parametrize("check", [check_param_validation, check_dataframe_column_names_consistency])
def test_checks_outside_the_common_list(check):
    check("GMMGANOverSampler", SHORT)
