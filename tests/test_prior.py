import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from scipy.stats import norm
from sklearn.mixture import GaussianMixture

from skgmmgan._columns import ABSENT, ACTIVE, Unit
from skgmmgan._prior import Prior, shrunk_shares

UNITS = [Unit(), Unit(np.array([0.5, 0.3, 0.2])), Unit()]


@pytest.fixture(params=["full", "tied", "diag", "spherical"])
def mixture(request, rng):
    X = np.concatenate([rng.normal(0, 1, (100, 3)), rng.normal(2, 1, (100, 3)) @ rng.normal(size=(3, 3))])
    return GaussianMixture(3, covariance_type=request.param, random_state=0).fit(X)


@pytest.fixture
def codes(rng):
    codes = np.full((200, 3), ACTIVE)
    codes[:, 1] = rng.randint(-1, 3, size=200)
    codes[:20, 2] = ABSENT
    return codes


def test_conditionals_multiply_to_the_density(mixture, rng):
    z = rng.normal(size=(50, 3))
    prior = Prior(mixture, [Unit()] * 3)
    tensors = torch.tensor(z), torch.full(z.shape, ACTIVE)
    means, log_weights = (t.numpy() for t in prior.conditionals(*tensors))
    log_weights = log_weights - logsumexp(log_weights, axis=2, keepdims=True)
    terms = logsumexp(log_weights + norm.logpdf(z[:, :, None], means, prior.scales.numpy()), axis=2)
    assert np.allclose(terms.sum(1), mixture.score_samples(z), atol=1e-9)
    assert np.allclose(prior.responsibilities(*tensors), mixture.predict_proba(z), atol=1e-9)


def test_walk_gives_the_same_conditionals(mixture, codes, rng):
    z, codes = torch.tensor(rng.normal(size=codes.shape)), torch.tensor(codes)
    prior = Prior(mixture, UNITS)
    means, log_weights = prior.conditionals(z, codes)
    walk = prior.walk(len(z))
    for i in range(3):
        step_means, step_log_weights = walk.conditional(i)
        assert torch.allclose(step_means, means[:, i])
        assert torch.allclose(step_log_weights, log_weights[:, i])
        walk.observe(i, z[:, i], codes[:, i])
    assert torch.allclose(torch.softmax(walk.log_weights, 1), prior.responsibilities(z, codes))


def test_components_tell_the_levels_of_their_rows(mixture, codes, rng):
    prior = Prior(mixture, UNITS)
    owner = np.where(codes[:, 1] == 0, 0, rng.randint(1, 3, size=len(codes)))  # the first level is of one component
    prior.calibrate(np.tile(codes, (50, 1)), np.tile(np.eye(3)[owner], (50, 1)))
    margins = prior.means[1, None].expand(3, -1), torch.log(torch.eye(3).double())
    shares = torch.exp(prior.level_log_prob(1, *margins, prior.margins[1])).numpy()
    counts = np.array([[((owner == k) & (codes[:, 1] == v)).sum() for v in range(3)] for k in range(3)])
    assert np.allclose(shares, counts / counts.sum(axis=1, keepdims=True), atol=0.01)


def test_evidence_of_a_level_is_its_probability(mixture, codes, rng):
    prior = Prior(mixture, UNITS)
    prior.calibrate(codes, rng.dirichlet(np.ones(3), size=len(codes)))
    means = torch.tensor(rng.normal(size=(1, 3)))
    evidence = prior.level_evidence(1, means.expand(3, -1), torch.arange(3))  # (V, K)
    assert torch.allclose(torch.exp(evidence).sum(0), torch.ones(3).double())
    log_weights = torch.tensor(rng.normal(size=(1, 3)))
    expected = torch.logsumexp(torch.log_softmax(log_weights, 1) + evidence, 1)
    assert torch.allclose(prior.level_log_prob(1, means, log_weights, prior.scales[1])[0], expected)
    assert not prior.level_evidence(1, means, torch.tensor([ABSENT])).any()


def test_shares_are_shrunk_as_far_as_counts_agree(rng):
    expected = np.array([[0.7, 0.2, 0.1]] * 40)
    alike = rng.multinomial(50, expected[0], size=40).astype(float)
    assert np.abs(shrunk_shares(alike, expected) - expected).max() < 0.02
    apart = 50.0 * np.eye(3)[rng.randint(3, size=40)]
    assert np.abs(shrunk_shares(apart, expected) - apart / 50).max() < 0.03
    none = np.zeros((40, 3))
    assert np.allclose(shrunk_shares(none, expected), expected)


def test_softened_components_share_intervals(mixture, codes, rng):
    fresh, prior = Prior(mixture, UNITS), Prior(mixture, UNITS)
    prior.calibrate(codes, rng.dirichlet(np.ones(3), size=len(codes)))
    assert not torch.equal(prior.edges_1, fresh.edges_1)
    prior.soften()
    assert torch.equal(prior.edges_1, fresh.edges_1)
