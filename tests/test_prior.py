import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from scipy.stats import norm
from sklearn.mixture import GaussianMixture

from skgmmgan._prior import Prior


@pytest.fixture(params=["full", "tied", "diag", "spherical"])
def mixture(request, rng):
    X = np.concatenate([rng.normal(0, 1, (100, 3)), rng.normal(2, 1, (100, 3)) @ rng.normal(size=(3, 3))])
    return GaussianMixture(3, covariance_type=request.param, random_state=0).fit(X)


def test_conditionals_multiply_to_the_density(mixture, rng):
    z = rng.normal(size=(50, 3))
    prior = Prior(mixture)
    means, log_weights = (t.numpy() for t in prior.conditionals(torch.tensor(z)))
    log_weights = log_weights - logsumexp(log_weights, axis=2, keepdims=True)
    terms = logsumexp(log_weights + norm.logpdf(z[:, :, None], means, prior.scales.numpy()), axis=2)
    assert np.allclose(terms.sum(1), mixture.score_samples(z), atol=1e-9)


def test_walk_gives_the_same_conditionals(mixture, rng):
    z = torch.tensor(rng.normal(size=(20, 3)))
    prior = Prior(mixture)
    means, log_weights = prior.conditionals(z)
    walk = prior.walk(20)
    for i in range(3):
        step_means, step_log_weights = walk.conditional(i)
        assert torch.allclose(step_means, means[:, i])
        assert torch.allclose(step_log_weights, log_weights[:, i])
        walk.observe(i, z[:, i])
