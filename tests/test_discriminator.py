import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from skgmmgan._discriminator import MAX_LOGIT, MAX_REWARD, fit_discriminator, logits, make_discriminator, rewards


@pytest.mark.parametrize("discriminator", ["boosting", "mlp", LogisticRegression(), KNeighborsClassifier(50)])
def test_logits_estimate_the_log_density_ratio(discriminator, rng):
    real, fake = rng.normal(1, 1, (2000, 2)), rng.normal(0, 1, (2000, 2))
    nominal = np.array([False, False])
    classifier = fit_discriminator(make_discriminator(discriminator, nominal, 2000, rng), real, fake)
    x = rng.normal(0.5, 0.7, (500, 2))
    truth = x.sum(1) - 1  # log N(x; 1, 1) - log N(x; 0, 1)
    assert np.corrcoef(logits(classifier, x), truth)[0, 1] > 0.85
    assert np.abs(logits(classifier, x) - truth).mean() < 0.8


def test_mlp_reads_categories_without_an_order(rng):
    codes = rng.randint(0, 4, 3000)
    fake = rng.choice([0, 2], 3000)
    classifier = make_discriminator("mlp", np.array([True]), 3000, rng)
    fit_discriminator(classifier, codes[:, None].astype(float), fake[:, None].astype(float))
    seen = logits(classifier, np.array([[0.0], [1.0], [2.0], [3.0]]))
    assert (seen[[1, 3]] > 2).all()
    assert (seen[[0, 2]] < 0).all()


def test_logits_are_clipped(rng):
    real, fake = rng.normal(100, 1, (200, 1)), rng.normal(-100, 1, (200, 1))
    classifier = fit_discriminator(KNeighborsClassifier(), real, fake)
    assert np.abs(logits(classifier, np.array([[100.0], [-100.0]]))).tolist() == [MAX_LOGIT, MAX_LOGIT]


@pytest.mark.parametrize("loss", ["reverse_kl", "minimax", "non_saturating"])
def test_rewards_grow_with_the_logit_and_are_centred(loss):
    r = rewards(np.linspace(-2, 2, 101), loss)
    assert (np.diff(r) > 0).all()
    assert r.mean() == pytest.approx(0, abs=1e-12)
    assert np.abs(rewards(np.linspace(-50, 50, 101), loss)).max() <= MAX_REWARD


def test_reward_values():
    two = np.array([0.0, np.log(3.0)])
    assert np.diff(rewards(two, "reverse_kl")) == pytest.approx(np.log(3))
    assert np.diff(rewards(two, "minimax")) == pytest.approx(np.log(4) - np.log(2))
    assert np.diff(rewards(two, "non_saturating")) == pytest.approx(np.log(2) - np.log(4 / 3))


def test_mlp_leaves_the_global_generator_alone(rng):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    fit_discriminator(
        make_discriminator("mlp", np.array([False]), 50, rng), rng.normal(size=(50, 1)), rng.normal(size=(50, 1))
    )
    assert torch.equal(torch.get_rng_state(), before)


def test_trees_grow_with_the_table(rng):
    trees = [make_discriminator("boosting", np.array([False]), n, rng) for n in (50, 9000, 40_000, 10**6)]
    assert [t.max_leaf_nodes for t in trees] == [31, 31, 100, 127]
