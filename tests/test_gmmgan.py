"""The estimator: what it learns, what it gives back, what it leaves alone."""

import copy
import itertools
import logging
import os
import pickle
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from scipy.stats import norm
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_iris, make_blobs
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_html_repr
from threadpoolctl import threadpool_limits

from skgmmgan import GMMGAN, _em, _refinement, _steps, _training
from skgmmgan._base import progress_bar
from skgmmgan.metrics import mode_coverage

SHORT = {"max_epochs": 3, "adversarial_rounds": 3}  # leaves something to the discriminators
PRIOR = {"max_epochs": 0, "adversarial_rounds": 0}
RAW = {"enforce_bounds": False, "enforce_decimals": False}
SIDE = 250  # cells on each side of a grid


def two_moons(n, seed=0):
    """A half circle and a shifted one, with noise."""
    rng = np.random.default_rng(seed)
    angle, upper = rng.uniform(0, np.pi, n), rng.uniform(size=n) < 0.5
    x = np.where(upper, np.cos(angle), 1 - np.cos(angle))
    y = np.where(upper, np.sin(angle), 0.4 - np.sin(angle))
    return np.column_stack([x, y]) + rng.normal(0, 0.1, (n, 2))


@pytest.fixture(scope="module")
def moons():
    """A refined model of two columns, and its training rows."""
    X = two_moons(1500)
    return GMMGAN(2, random_state=0, **SHORT, **RAW).fit(X), X


@pytest.fixture(scope="module")
def mixed(mixed_table):
    short = {"max_epochs": 7, "adversarial_rounds": 1, "hidden_layer_sizes": 64}
    return GMMGAN(3, covariance_type="full", reg_covar=1e-3, random_state=0, **short).fit(mixed_table)


def grid(low=-1.6, high=2.6, n=SIDE):
    """A random point in each cell of a square that holds the moons, and the cells' area; trees jump between cells."""
    axis = np.linspace(low, high, n, endpoint=False)
    corners = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    side = (high - low) / n
    return corners + np.random.RandomState(0).uniform(0, side, corners.shape), side**2


@pytest.fixture(scope="module")
def density_of_moons(moons):
    """Log-density in the cells of the grid, and their area."""
    cells, area = grid()
    return moons[0].score_samples(cells), area


# ---- score


def test_density_integrates_to_one_in_one_dimension(rng):
    X = rng.gamma(2.0, 1.0, (600, 1))
    model = GMMGAN(2, random_state=0, adversarial_rounds=0, max_epochs=8, **RAW).fit(X)
    x = np.linspace(-40, 60, 40_001)
    assert np.trapezoid(np.exp(model.score_samples(x[:, None])), x) == pytest.approx(1.0, abs=1e-3)


def test_density_integrates_to_one_in_two_dimensions():
    model = GMMGAN(3, random_state=0, adversarial_rounds=0, max_epochs=5, **RAW).fit(two_moons(1500))
    cells, area = grid(-3, 4, 300)
    assert np.exp(model.score_samples(cells)).sum() * area == pytest.approx(1.0, abs=2e-3)


def test_refined_density_integrates_to_one_within_the_error_of_log_z(moons, density_of_moons):
    model, _ = moons
    assert len(model._model.kept) > 0
    assert 0 < model.log_normalizer_std_ < 0.01
    log_prob, area = density_of_moons
    log_integral = np.log(np.exp(log_prob).sum() * area)
    assert abs(log_integral) < 3 * model.log_normalizer_std_ + 1e-3


def test_density_with_an_atom_integrates_to_one(rng):
    X = np.where(rng.uniform(size=1500) < 0.3, 0.0, rng.gamma(2.0, 1.0, 1500))[:, None]
    model = GMMGAN(2, random_state=0, adversarial_rounds=0, max_epochs=6, **RAW).fit(X)
    x = np.linspace(-40, 60, 40_001)
    x[np.argmin(np.abs(x))] = 1e-7
    atom, missing = np.exp(model.score_samples([[0.0], [np.nan]]))
    assert atom == pytest.approx(0.3, abs=0.05)
    density = np.trapezoid(np.exp(model.score_samples(x[:, None])), x)
    assert density + atom + missing == pytest.approx(1.0, abs=1e-3)


def test_probabilities_of_all_cells_sum_to_one(rng):
    a = rng.choice(3, 800, p=[0.5, 0.3, 0.2])
    X = np.column_stack([a, rng.uniform(size=800) < 0.2 + 0.3 * a])
    model = GMMGAN(random_state=0, adversarial_rounds=0).fit(X)
    cells = list(itertools.product([0, 1, 2, 9], [0, 1, 9]))  # 9 was never seen
    assert np.exp(model.score_samples(cells)).sum() == pytest.approx(1.0, abs=1e-6)
    shares = np.exp(model.score_samples([[0, 0], [0, 1], [2, 0], [2, 1]]))
    assert shares == pytest.approx([0.4, 0.1, 0.04, 0.16], abs=0.04)


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical"])
def test_prior_is_the_mixture_and_the_slopes(covariance_type):
    X = two_moons(300)
    model = GMMGAN(3, covariance_type=covariance_type, random_state=0, **PRIOR).fit(X)
    rows = model._model.codec.encode(X)
    expected = model.mixture_.score_samples(rows.z) + rows.log_slopes.sum(1)
    assert np.allclose(model.score_samples(X), expected, atol=1e-6)


def test_prior_of_gaussian_rows_is_near_the_truth(rng):
    X = rng.normal(3, 2, (1000, 1))
    model = GMMGAN(random_state=0, **PRIOR).fit(X)
    fresh = rng.normal(3, 2, (5000, 1))
    assert model.score(fresh) == pytest.approx(norm.logpdf(fresh, 3, 2).mean(), abs=0.02)


def test_scores_do_not_depend_on_batches(moons):
    model, X = moons
    whole = model.score_samples(X)
    assert whole.dtype == np.float64
    parts = np.concatenate([model.score_samples(X[i : i + 7]) for i in range(0, 140, 7)])
    assert np.allclose(whole[:140], parts, atol=1e-10)


def test_scale_of_columns_moves_the_score_by_its_logarithm(rng):
    X = rng.gamma(2.0, 1.0, (300, 2))
    near, far = (GMMGAN(2, random_state=0, **PRIOR).fit(X * scale) for scale in (1.0, 1e6))
    assert far.score(X * 1e6) == pytest.approx(near.score(X) - 2 * np.log(1e6), abs=1e-2)


def test_training_and_refinement_raise_the_likelihood_of_fresh_rows(moons):
    model, X = moons
    fresh = two_moons(5000, seed=1)
    prior = GMMGAN(2, random_state=0, **PRIOR, **RAW).fit(X)
    warm = GMMGAN(2, random_state=0, max_epochs=3, adversarial_rounds=0, **RAW).fit(X)
    assert warm.score(fresh) > prior.score(fresh) + 0.1
    assert model.score(fresh) > warm.score(fresh) + 0.1


def test_unseen_category_scores_finite_and_low(mixed, mixed_table):
    row = mixed_table.head(5)
    assert (mixed.score_samples(row.assign(group="z")) < mixed.score_samples(row)).all()
    assert np.isfinite(mixed.score_samples(row.assign(size=1e9, group=None, price=np.nan))).all()


def test_knots_leave_narrow_modes_whole():
    """25 narrow modes: knots between them would bend them, so that no number of components would fit."""
    rng = np.random.RandomState(0)
    centers = np.array([[x, y] for x in range(-4, 5, 2) for y in range(-4, 5, 2)], dtype=float)
    X = centers[rng.randint(25, size=3000)] + 0.05 * rng.normal(size=(3000, 2))
    for n_components in (25, "auto"):
        model = GMMGAN(n_components, random_state=0, **PRIOR).fit(X)
        assert model.history_[0]["n_knots"] == 2
        assert len(model.weights_) >= 25
        assert mode_coverage(model.sample(2000)[0], centers, 0.1).high_quality_share > 0.95


# ---- sample


def test_samples_have_the_columns_dtypes_bounds_and_decimals(mixed, mixed_table):
    S, y = mixed.sample(2000)
    assert S.dtypes.equals(mixed_table.dtypes)
    assert list(S.columns) == list(mixed_table.columns)
    assert list(S.index) == list(range(2000))
    for column in ("size", "price", "paid", "count", "year"):
        assert mixed_table[column].min() <= S[column].min() <= S[column].max() <= mixed_table[column].max()
    assert np.allclose(S["price"], S["price"].round(2), atol=1e-12)
    assert set(S["kind"]) == {"big", "small"}
    assert list(S["kind"].cat.categories) == ["big", "never", "small"]
    assert np.array_equal(y, mixed.predict(S))


def test_samples_keep_shares_and_relations(mixed, mixed_table):
    S, _ = mixed.sample(4000)
    assert (S["paid"] == 0).mean() == pytest.approx((mixed_table["paid"] == 0).mean(), abs=0.08)
    for group in "abc":
        assert (S["group"] == group).mean() == pytest.approx((mixed_table["group"] == group).mean(), abs=0.06)
    assert S["size"][S["group"] == "b"].mean() > S["size"][S["group"] == "a"].mean() + 2
    assert np.corrcoef(S["size"], np.log(S["price"] + 0.01))[0, 1] > 0.85
    assert ((S["size"] > 1) == (S["kind"] == "big")).mean() > 0.85


def test_log_likelihood_of_samples_is_minus_the_entropy(moons, density_of_moons):
    model, _ = moons
    S, _ = model.sample(20_000, random_state=0)
    scores = model.score_samples(S)
    log_prob, area = density_of_moons
    expected = (np.exp(log_prob) * log_prob).sum() * area
    assert scores.mean() == pytest.approx(expected, abs=4 * scores.std() / np.sqrt(20_000) + 0.01)


def test_marginals_of_samples_match_the_density(moons, density_of_moons):
    model, _ = moons
    S, _ = model.sample(50_000, random_state=1)
    log_prob, area = density_of_moons
    mass = np.exp(log_prob).reshape(SIDE, SIDE) * area
    for j, marginal in enumerate([mass.sum(0), mass.sum(1)]):
        observed = np.histogram(S[:, j], SIDE, (-1.6, 2.6))[0] / 50_000
        assert np.abs(np.cumsum(observed) - np.cumsum(marginal) / marginal.sum()).max() < 0.008


@pytest.mark.parametrize("n", [0, 1, 3])
def test_any_number_of_rows(mixed, mixed_table, n):
    S, y = mixed.sample(n)
    assert S.shape == (n, mixed_table.shape[1])
    assert y.shape == (n,)
    assert S.dtypes.equals(mixed_table.dtypes)


@pytest.mark.parametrize(("n", "error"), [(-1, ValueError), (2.5, TypeError), (True, TypeError), ("3", TypeError)])
def test_wrong_number_of_rows_raises(mixed, n, error):
    with pytest.raises(error, match="n_samples"):
        mixed.sample(n)


def test_sample_continues_a_stream_and_a_seed_repeats(moons):
    model, _ = moons
    assert not np.array_equal(model.sample(5)[0], model.sample(5)[0])
    assert np.array_equal(model.sample(5, random_state=3)[0], model.sample(5, random_state=3)[0])


def test_arrays_come_back_as_arrays_of_their_dtype(rng):
    for dtype in (np.float32, np.float64, np.int32):
        X = (10 * rng.normal(size=(100, 2))).astype(dtype)
        S, _ = GMMGAN(random_state=0, **PRIOR).fit(X).sample(10)
        assert type(S) is np.ndarray
        assert S.dtype == dtype


# ---- settings


@pytest.mark.parametrize("discriminator", ["mlp", RandomForestClassifier(50, min_samples_leaf=20)])
def test_other_discriminators(discriminator):
    X = two_moons(1200)
    model = GMMGAN(1, max_epochs=0, adversarial_rounds=2, discriminator=discriminator, random_state=0).fit(X)
    assert len(model._model.kept) >= 1
    fresh = two_moons(2000, 1)
    assert model.score(fresh) > GMMGAN(1, random_state=0, **PRIOR).fit(X).score(fresh) + 0.01


@pytest.mark.parametrize("loss", ["reverse_kl", "minimax", "non_saturating"])
def test_generator_absorbs_a_discriminator(loss):
    X = two_moons(2000)
    settings = {"max_epochs": 0, "adversarial_rounds": 1, "keep_discriminators": False, "adversarial_weight": 0.5}
    model = GMMGAN(1, adversarial_loss=loss, random_state=1, **settings).fit(X)
    (entry,) = [entry for entry in model.history_ if entry["stage"] == "absorb"]
    assert entry["kept"]
    assert entry["held_out_gain"] > 0.05
    assert model.score(two_moons(2000, 1)) > GMMGAN(1, random_state=1, **PRIOR).fit(X).score(two_moons(2000, 1)) + 0.05
    assert not model._model.kept


def test_history_tells_what_was_selected_and_why(moons):
    model, _ = moons
    stages = [entry["stage"] for entry in model.history_]
    assert stages[0] == "prior"
    assert {"warm start", "keep", "selection"} <= set(stages)
    for entry in model.history_:
        if entry["stage"] == "keep":
            assert 0 < entry["alpha"] <= 4
            assert 0.19 < entry["acceptance"] <= 1
            assert entry["effective_sample_size"] > 1000
        if entry["stage"] == "selection":
            assert entry["reason"]


def test_discriminators_let_as_many_rows_pass_as_they_are_told():
    X = two_moons(600)
    model = GMMGAN(1, max_epochs=0, adversarial_rounds=2, min_acceptance=0.5, random_state=0).fit(X)
    assert model._model.kept
    assert all(entry["acceptance"] > 0.499 for entry in model.history_ if entry["stage"] == "keep")
    assert model.score_columns(X)[:, -1].max() < np.log(2) + 0.01  # what they add to the log-density of a row


def test_dropout_falls_with_the_rows_of_a_large_table():
    X = np.random.RandomState(0).normal(size=(20_000, 1))
    short = {"max_epochs": 0, "adversarial_rounds": 0, "random_state": 0}
    for n, share in [(500, 0.2), (20_000, 0.1)]:
        assert GMMGAN(1, **short).fit(X[:n])._model.generator.network.dropout == share


def test_learning_rate_grows_with_the_root_of_large_batches():
    X = np.random.RandomState(0).normal(size=(1100, 1))
    for given, batch_size, rate in [("auto", 64, 4e-3), ("auto", 1024, 8e-3), (1e-3, 1024, 1e-3)]:
        model = GMMGAN(1, batch_size=batch_size, learning_rate=given)
        settings = model._settings([])
        assert _steps.learning_rate_for(_steps.batch_size_for(1100, batch_size), settings) == rate
    tuned = model.set_params(max_epochs=0, adversarial_rounds=0).fit(X).set_params(warm_start=True)
    assert _steps.learning_rate_for(1024, tuned._settings([])) == pytest.approx(1e-4)


def test_one_component_learns_two_branches(rng):
    X = rng.normal(size=(3000, 2))
    X[:, 1] = np.where(X[:, 1] > 0, 1, -1) * X[:, 0] + rng.normal(0, 0.1, 3000)
    model = GMMGAN(1, adversarial_rounds=0, random_state=0).fit(X[:2000])
    branches = [norm.logpdf(X[2000:, 1], sign * X[2000:, 0], 0.1) for sign in (-1, 1)]
    truth = norm.logpdf(X[2000:, 0]) + np.logaddexp(*branches) - np.log(2)
    assert model.score(X[2000:]) > truth.mean() - 0.15


def test_no_refinement_without_rounds():
    model = GMMGAN(2, adversarial_rounds=0, max_epochs=1, random_state=0).fit(two_moons(200))
    assert {entry["stage"] for entry in model.history_} <= {"prior", "warm start", "all rows", "selection"}
    assert model.log_normalizer_ == 0


def test_auto_finds_more_components_for_more_clusters():
    X, _ = make_blobs(600, centers=5, cluster_std=0.3, random_state=3)
    assert GMMGAN(random_state=0, **PRIOR).fit(X).mixture_.n_components >= 5
    assert (
        GMMGAN(random_state=0, **PRIOR).fit(np.random.default_rng(0).normal(size=(300, 2))).mixture_.n_components <= 2
    )


def test_more_columns_than_rows(rng):
    X = rng.normal(size=(40, 60))
    fresh = rng.normal(size=(200, 60))
    model = GMMGAN(max_epochs=2, adversarial_rounds=1, random_state=0).fit(X)
    assert model.score(fresh) > norm.logpdf(fresh, X.mean(0), X.std(0)).sum(1).mean() - 10


def test_covariances_that_float32_cannot_hold(rng):
    X = 300 * rng.standard_cauchy((1000, 1)) @ np.ones((1, 3)) + 0.01 * rng.normal(size=(1000, 3))
    setting = {"covariance_type": "full", "reg_covar": 1e-3}
    if GaussianMixture().fit(np.eye(3, dtype=np.float32)).means_.dtype == np.float32:  # not so in scikit-learn 1.6
        with pytest.raises(ValueError, match="float32"):
            GaussianMixture(3, reg_covar=1e-3, random_state=0).fit(X.astype(np.float32))
    mixture = _em.fit_mixture(X.astype(np.float32), 3, setting, n_init=1, max_iter=20, rng=rng)
    assert np.isfinite(mixture.score(X))


class NoSignal(ClassifierMixin, BaseEstimator):
    """Logits that are noise, and a record of the rows that trained it."""

    seen = []

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        NoSignal.seen.append({tuple(row) for row in X[y == 1]})
        return self

    def decision_function(self, X):
        return np.random.RandomState(len(X)).normal(size=len(X))

    def predict(self, X):
        return np.repeat(self.classes_[0], len(X))


@pytest.mark.parametrize("n", [300, 1500])
def test_discriminators_without_a_signal_are_not_kept(n):
    model = GMMGAN(2, max_epochs=0, discriminator=NoSignal(), random_state=0).fit(two_moons(n))
    assert not model._model.kept


@pytest.mark.parametrize("n", [300, 1500])
def test_discriminators_do_not_train_on_the_rows_that_judge_them(n, monkeypatch):
    judged = []
    original = _refinement.Critics.held_out_logits

    def spy(critics, classifiers):
        judged.extend({tuple(row) for row in critics.features[held]} for _, held in critics.folds)
        return original(critics, classifiers)

    monkeypatch.setattr(_refinement.Critics, "held_out_logits", spy)
    monkeypatch.setattr(NoSignal, "seen", [])
    GMMGAN(2, max_epochs=0, adversarial_rounds=1, discriminator=NoSignal(), random_state=0).fit(two_moons(n))
    assert len(judged) == len(NoSignal.seen) >= 1
    for seen, held in zip(NoSignal.seen, judged):
        assert seen
        assert held
        assert not seen & held


INTERRUPTS = {
    "warm start": (_training.LikelihoodEpochs, "run", 3),
    "refinement": (_training, "refine", 1),
    "second round": (_refinement.Critics, "fit", 2),
}


@pytest.mark.parametrize("n", [300, 1200])
@pytest.mark.parametrize("where", INTERRUPTS)
def test_interrupt_leaves_a_usable_model(monkeypatch, where, n):
    owner, name, call = INTERRUPTS[where]
    original, calls = getattr(owner, name), []

    def interrupt(*args, **kwargs):
        calls.append(1)
        if len(calls) == call:
            raise KeyboardInterrupt
        return original(*args, **kwargs)

    monkeypatch.setattr(owner, name, interrupt)
    X = two_moons(n)
    model = GMMGAN(2, max_epochs=3, random_state=0)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X)
    assert len(calls) == call
    assert model.score(X) >= GMMGAN(2, random_state=0, **PRIOR).fit(X).score(X) - 0.05
    assert model.sample(3)[0].shape == (3, 2)
    assert model.means_.shape == (2, 2)
    assert bool(model._model.kept) == (where == "second round")


def test_interrupt_before_there_is_a_model_leaves_the_old_one(monkeypatch):
    X = two_moons(200)
    model = GMMGAN(2, random_state=0, **PRIOR).fit(X)
    before = model.score(X)

    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(_em.PriorSearch, "choose", interrupt)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X[:50])
    assert model.score(X) == before


def test_fits_in_threads_are_those_of_one_thread():
    X = two_moons(120)
    settings = {"max_epochs": 2, "adversarial_rounds": 1, "discriminator": "mlp", "random_state": 0}

    def fit(_):
        return GMMGAN(2, **settings).fit(X).score_samples(X)

    alone, state = fit(0), torch.get_rng_state()
    with ThreadPoolExecutor(3) as pool:
        for scores in pool.map(fit, range(3)):
            assert np.array_equal(scores, alone)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("n", [200, 2000])
def test_one_outlier_does_not_spoil_a_column(n):
    x = np.random.default_rng(0).normal(size=(n, 1))
    x[-1] = 1e4
    short = {"max_epochs": 4, "adversarial_rounds": 1, "hidden_layer_sizes": 64}
    rows, _ = GMMGAN(random_state=0, **short).fit(x).sample(4000)
    assert np.mean(np.abs(rows) > 5) < 0.03


def test_what_held_out_rows_alone_have_is_learned():
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    for seed in range(6):
        X = pd.DataFrame({"a": rng.normal(size=1200), "b": "usual"})
        X.loc[7, "a"], X.loc[9, "b"] = 50.0, "once"
        model = GMMGAN(2, max_epochs=1, adversarial_rounds=0, random_state=seed).fit(X)
        assert model._model.codec.columns[0].high == 50.0
        assert len(model._model.codec.units[1].shares) == 2


# ---- scikit-learn


def test_grid_search_and_cross_validation():
    X = load_iris().data
    folds = KFold(3, shuffle=True, random_state=0)
    model = GMMGAN(1, covariance_type="full", reg_covar=1e-3, random_state=0, **PRIOR)
    search = GridSearchCV(model, {"n_components": [1, 2]}, cv=folds, n_jobs=2)
    assert search.fit(X).best_params_["n_components"] == 2
    assert np.isfinite(cross_val_score(model, X, cv=3)).all()


def test_pipeline():
    X = load_iris().data
    pipeline = Pipeline([("scale", StandardScaler()), ("model", GMMGAN(2, random_state=0, **PRIOR))]).fit(X)
    assert np.isfinite(pipeline.score(X))
    assert pipeline.predict(X).shape == (150,)


def test_clone_deepcopy_and_pickle(moons):
    model, X = moons
    before = model.get_params()
    fresh = clone(model)
    assert not [name for name in vars(fresh) if name.endswith("_")]
    for method in ("sample", "score", "score_samples", "predict", "predict_proba", "bic", "aic", "impute"):
        with pytest.raises(NotFittedError):
            getattr(fresh, method)(*[X] * (method != "sample"))
    twins = [pickle.loads(pickle.dumps(model)), copy.deepcopy(model)]
    rows = model.sample(20)[0]
    for twin in twins:
        assert twin.score(X) == model.score(X)
        assert np.array_equal(twin.sample(20)[0], rows)
    assert model.get_params() == before
    assert "GMMGAN" in estimator_html_repr(model)


def test_model_of_another_device_loads_on_the_cpu(moons):
    model, X = moons
    elsewhere = copy.deepcopy(model)
    elsewhere._model.device = torch.device("cuda", 77)  # there is no such device
    loaded = pickle.loads(pickle.dumps(elsewhere))
    assert loaded._model.device.type == "cpu"
    assert loaded.sample(3)[0].shape == (3, 2)
    assert loaded.score(X) == model.score(X)


def test_failed_fit_keeps_the_fitted_model(rng):
    X = rng.normal(size=(30, 2))
    model = GMMGAN(2, random_state=0, **PRIOR).fit(X)
    score = model.score(X)
    with pytest.raises(ValueError, match="infinity"):
        model.fit(np.full((30, 2), np.inf))
    assert model.score(X) == score


# tasks of scikit-learn's mixture gallery


def test_task_species_of_irises_keep_their_petals():
    """A category of few rows does not leak into its neighbours."""
    iris = load_iris(as_frame=True)
    table = iris.data[["petal length (cm)"]].assign(species=iris.target_names[iris.target])[::2]
    rows, _ = GMMGAN(random_state=0, **PRIOR).fit(table).sample(2000)
    is_small = rows["petal length (cm)"] < 2.5
    assert (is_small != (rows["species"] == "setosa")).mean() < 0.01


def test_task_clusters_of_iris():
    """Covariance types on iris: the components find the species."""
    iris = load_iris()
    labels = GMMGAN(3, covariance_type="tied", n_init=5, random_state=0, **PRIOR).fit_predict(iris.data)
    assert adjusted_rand_score(iris.target, labels) > 0.7


def test_task_density_of_two_gaussians(rng):
    """Density estimation: the score ranks places as the true density does."""
    X = np.concatenate([rng.normal(size=(300, 2)) + [20, 20], rng.normal(size=(300, 2)) @ [[0.0, -0.7], [3.5, 0.7]]])
    model = GMMGAN(2, random_state=0, **PRIOR).fit(X)
    inside, between = model.score_samples([[20.0, 20.0]])[0], model.score_samples([[12.0, 12.0]])[0]
    assert inside > between + 5
    assert np.sort(model.weights_) == pytest.approx([0.5, 0.5], abs=0.02)


def test_task_model_selection_and_ellipses(rng):
    """Model selection: BIC finds two components, whose means and covariances draw ellipses."""
    stretched = rng.normal(size=(500, 2)) @ np.array([[0.0, -0.1], [1.7, 0.4]])
    X = np.concatenate([stretched, 0.7 * rng.normal(size=(500, 2)) + [-4, 1]])
    bics = {k: GMMGAN(k, reg_covar=1e-6, random_state=0, **PRIOR).fit(X).bic(X) for k in (1, 2, 3, 4)}
    assert min(bics, key=bics.get) in (2, 3)
    model, reference = GMMGAN(2, random_state=0, **PRIOR).fit(X), GaussianMixture(2, random_state=0).fit(X)
    order, reference_order = np.argsort(model.means_[:, 0]), np.argsort(reference.means_[:, 0])
    assert model.means_[order] == pytest.approx(reference.means_[reference_order], abs=0.15)
    assert model.covariances_[order] == pytest.approx(reference.covariances_[reference_order], abs=0.25)


@pytest.mark.parametrize(
    ("covariance_type", "shape"),
    [("auto", (2, 3, 3)), ("full", (2, 3, 3)), ("tied", (3, 3)), ("diag", (2, 3)), ("spherical", (2,))],
)
def test_attributes_have_the_shapes_of_gaussian_mixture(covariance_type, shape, rng):
    X = rng.normal(5, 2, (200, 3))
    model = GMMGAN(2, covariance_type=covariance_type, random_state=0, **PRIOR).fit(X)
    assert model.covariances_.shape == shape
    assert np.average(model.means_, axis=0, weights=model.weights_) == pytest.approx(X.mean(0), abs=0.1)
    assert model.predict_proba(X).sum(1) == pytest.approx(np.ones(200))


# ---- determinism and hygiene


def fitted_state(seed, table):
    settings = {"hidden_layer_sizes": 64, "max_epochs": 3, "adversarial_rounds": 1}
    model = GMMGAN(2, random_state=seed, **settings).fit(table)
    return model.score(table), model.sample(30)[0].to_numpy(dtype=str).tolist(), str(model.history_)


def test_same_seed_same_model(mixed_table):
    table = mixed_table.head(100)
    first = fitted_state(7, table)
    np.random.seed(99)
    torch.manual_seed(99)
    assert fitted_state(7, table) == first
    assert fitted_state(8, table) != first


def test_same_seed_in_a_fresh_process():
    code = (
        "import numpy as np; from skgmmgan import GMMGAN; X = np.random.RandomState(0).normal(size=(80, 2))\n"
        "m = GMMGAN(2, covariance_type='full', max_epochs=2, adversarial_rounds=1, random_state=0).fit(X)\n"
        "figures = repr(m.score(X)), m.sample(3)[0].tolist()"
    )
    here = {}
    exec(code, here)
    there = subprocess.run(
        [sys.executable, "-c", f"{code}; print(*figures)"],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONHASHSEED": "1", "OMP_NUM_THREADS": str(torch.get_num_threads())},
    ).stdout
    assert there.split(" ", 1) == [here["figures"][0], f"{here['figures'][1]}\n"]


def test_thread_counts(moons):
    model, X = moons[0], moons[1][:200]
    fresh = two_moons(2000, seed=1)
    short = {"max_epochs": 1, "adversarial_rounds": 1, "hidden_layer_sizes": 64}
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        with threadpool_limits(1):
            one = model.score_samples(X)
            refitted = GMMGAN(3, random_state=0, **short).fit(X).score(fresh)
        torch.set_num_threads(2)
        with threadpool_limits(2):
            assert np.allclose(model.score_samples(X), one, atol=1e-9)
            assert GMMGAN(3, random_state=0, **short).fit(X).score(fresh) == pytest.approx(refitted, abs=0.05)
    finally:
        torch.set_num_threads(threads)


def test_global_state_stays_as_it_was(mixed_table, capfd):
    np.random.seed(3)
    torch.manual_seed(3)
    filters, threads, level = list(warnings.filters), torch.get_num_threads(), logging.root.level
    before = np.random.get_state()[1].copy(), torch.get_rng_state()
    GMMGAN(2, max_epochs=1, adversarial_rounds=1, discriminator="mlp", random_state=0).fit(mixed_table).sample(5)
    assert np.array_equal(np.random.get_state()[1], before[0])
    assert torch.equal(torch.get_rng_state(), before[1])
    assert (list(warnings.filters), torch.get_num_threads(), logging.root.level) == (filters, threads, level)
    assert capfd.readouterr() == ("", "")


def test_training_table_is_not_changed(mixed_table):
    before = mixed_table.copy()
    GMMGAN(2, random_state=0, **PRIOR).fit(mixed_table)
    assert mixed_table.equals(before)


def test_verbose_shows_progress_on_stderr(capfd):
    GMMGAN(1, max_epochs=2, adversarial_rounds=1, verbose=1, random_state=0).fit(two_moons(200))
    out, err = capfd.readouterr()
    assert out == ""
    assert "network" in err


def test_components_tell_levels_sharply_unless_a_network_does(mixed_table):
    def are_shared(model):
        prior = model._model.generator.prior
        return all((getattr(prior, f"edges_{i}") == getattr(prior, f"shared_edges_{i}")).all() for i in prior.discrete)

    given = {"covariance_type": "full", "reg_covar": 1e-3, "hidden_layer_sizes": 64, "random_state": 0}
    model = GMMGAN(3, max_epochs=4, adversarial_rounds=0, **given).fit(mixed_table)
    (selected,) = [entry["selected"] for entry in model.history_ if entry["stage"] == "selection"]
    assert selected != "epoch 0"
    assert are_shared(model)
    assert not are_shared(GMMGAN(3, **given, **PRIOR).fit(mixed_table))
    noise = mixed_table[["size"]].assign(level=np.random.default_rng(0).choice(list("ab"), len(mixed_table)))
    model = GMMGAN(2, max_epochs=2, adversarial_rounds=0, **given).fit(noise)
    assert [entry["selected"] for entry in model.history_ if entry["stage"] == "selection"] == ["epoch 0"]
    assert not are_shared(model)


def test_progress_bars_end_full(capfd):
    for _ in progress_bar(1)(range(40), desc="network"):
        break
    assert "1/1" in capfd.readouterr().err


def test_auto_device_works_everywhere():
    assert np.isfinite(
        GMMGAN(1, device="auto", max_epochs=1, adversarial_rounds=0).fit(two_moons(100)).score(two_moons(10))
    )


# ---- bad input


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_components": 0}, "n_components"),
        ({"n_components": 31}, "n_components=31 .* n_samples=30"),
        ({"covariance_type": "round"}, "covariance_type"),
        ({"hidden_layer_sizes": ()}, "hidden_layer_sizes"),
        ({"hidden_layer_sizes": (8, -1)}, "hidden_layer_sizes"),
        ({"adversarial_weight": 1.5}, "adversarial_weight"),
        ({"adversarial_loss": "wgan"}, "adversarial_loss"),
        ({"discriminator": "trees"}, "discriminator"),
        ({"discriminator": StandardScaler()}, "discriminator"),
        ({"validation_fraction": 1.0}, "validation_fraction"),
        ({"device": "abacus"}, "device='abacus'"),
        ({"categorical_features": [5]}, "categorical_features"),
    ],
)
def test_bad_parameters_raise_before_training(params, message, rng, monkeypatch):
    monkeypatch.setattr("skgmmgan._base.train", lambda *args: pytest.fail("training began"))
    with pytest.raises(ValueError, match=message):
        GMMGAN(**params).fit(rng.normal(size=(30, 2)))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.empty((0, 2)), "0 sample"),
        (np.ones((1, 2)), "1 sample"),
        (np.array([[0.0, 1.0], [np.inf, 2.0], [1.0, 3.0]]), "Column 0 holds inf .* row 1"),
        (np.full((10, 2), np.nan), "no observed value"),
        (np.ones((10, 2)) * 1j, "Complex"),
        ([["a"], ["b"]], "(could not convert|numeric).* Column 0 holds 'a'"),
        (np.array([[1.0, "x"], [2.0, None]], dtype=object), "Column 1 holds 'x'; pass .* as a DataFrame"),
        (np.arange(10.0), "1D"),
    ],
)
def test_bad_arrays_raise(X, message):
    with pytest.raises(ValueError, match=message):
        GMMGAN().fit(X)


def test_bad_frames_raise(mixed_table, mixed):
    with pytest.raises(ValueError, match=r"1 sample"):
        GMMGAN().fit(mixed_table.head(1))
    with pytest.raises(ValueError, match=r"0 feature"):
        GMMGAN().fit(mixed_table[[]])
    with pytest.raises(ValueError, match=r"'size'.*Complex"):
        GMMGAN().fit(mixed_table.assign(size=1j))
    with pytest.raises(ValueError, match="feature names"):
        mixed.score(mixed_table.rename(columns={"size": "length"}))
    with pytest.raises(ValueError, match="now missing"):
        mixed.score(mixed_table[["size"]])


def test_sparse_raises():
    from scipy.sparse import csr_array

    with pytest.raises(TypeError, match=r"[Ss]parse"):
        GMMGAN().fit(csr_array(np.eye(5)))


def test_criteria_are_those_of_the_likelihood():
    pytest.importorskip("pandas")
    iris = load_iris(as_frame=True).data.assign(kind=load_iris().target.astype(str))
    iris.iloc[::7, 0] = np.nan
    model = GMMGAN(2, random_state=0, **PRIOR).fit(iris)
    n, d = len(iris), len(model._model.codec.units)
    n_parameters = 1 + 2 * d + d * (d + 1)
    log_likelihood = n * (model.score(iris) + model._model.strata.log_within[-1])
    assert model.bic(iris) == pytest.approx(-2 * log_likelihood + n_parameters * np.log(n))
    assert model.aic(iris) == pytest.approx(-2 * log_likelihood + 2 * n_parameters)


def test_moments_are_those_of_the_present_cells(rng):
    X = rng.multivariate_normal([1, -2], [[2, 0.5], [0.5, 1]], 4000)
    X[rng.uniform(size=X.shape) < 0.4] = np.nan
    model = GMMGAN(1, random_state=0, **PRIOR).fit(X)
    assert model.means_[0] == pytest.approx([1, -2], abs=0.1)
    assert model.covariances_[0] == pytest.approx(np.array([[2, 0.5], [0.5, 1]]), abs=0.15)


# ---- interpretation


def test_score_columns_add_up(mixed, moons, mixed_table):
    for model, X in [(mixed, mixed_table), moons]:
        columns = model.score_columns(X)
        assert columns.shape == (len(X), X.shape[1] + 1)
        np.testing.assert_allclose(columns.sum(axis=1), model.score_samples(X), rtol=1e-10)
    assert np.ptp(columns[:, -1]) > 0  # kept discriminators


def test_the_unlikely_cell_is_found(mixed, mixed_table):
    odd = mixed_table.iloc[:5].copy()
    odd["price"] = 4000.0
    assert (mixed.score_columns(odd)[:, :-1].argmin(axis=1) == 1).all()
    odd = mixed_table[mixed_table["kind"] == "big"].iloc[:5].copy()
    odd["kind"] = "small"
    usual = mixed.score_columns(mixed_table).mean(axis=0)
    assert ((mixed.score_columns(odd) - usual)[:, :-1].argmin(axis=1) == list(odd).index("kind")).mean() > 0.5


def test_component_summary(mixed, mixed_table):
    summary = mixed.component_summary()
    np.testing.assert_array_equal(summary["", "weight"], mixed.weights_)
    np.testing.assert_array_equal(summary["size", "mean"], mixed.means_[:, 0])
    np.testing.assert_allclose(summary["size", "std"] ** 2, mixed.covariances_[:, 0, 0])
    overall = (summary["price", "mean"] * summary["", "weight"]).sum()
    assert overall == pytest.approx(mixed_table["price"].mean(), rel=0.05)
    responsibilities = mixed.predict_proba(mixed_table)
    for k, typical in enumerate(summary["group", "typical"]):
        shares = {g: responsibilities[mixed_table["group"] == g, k].sum() for g in "abc"}
        assert max(shares, key=shares.get) == typical
        assert summary["group", "share"][k] == pytest.approx(shares[typical] / responsibilities[:, k].sum())


def test_component_summary_of_times_and_large_integers():
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    late = rng.uniform(size=300) < 0.5
    when = pd.Timestamp("2020-01-01", tz="UTC") + pd.to_timedelta(rng.integers(0, 100, 300) + 1000 * late, "D")
    X = pd.DataFrame({"when": when, "id": 2**60 + rng.integers(0, 1000, 300), "none": [None] * 300})
    model = GMMGAN(2, random_state=0, **PRIOR).fit(X)
    summary = model.component_summary().sort_values(("when", "mean"))
    expected = [when[~late].mean(), when[late].mean()]
    assert (abs(summary["when", "mean"] - pd.Series(expected, summary.index)) < pd.Timedelta("3D")).all()
    assert summary["when", "std"].between(pd.Timedelta("20D"), pd.Timedelta("40D")).all()
    assert model.means_[:, 1] == pytest.approx(2**60)
    assert summary["none", "typical"].isna().all()


def test_component_summary_of_categories_that_are_not_known():
    pd = pytest.importorskip("pandas")
    X = pd.DataFrame({"g": list("pqr") * 20})
    model = GMMGAN(1, warm_start=True, random_state=0, **PRIOR).fit(X)
    summary = model.fit(pd.DataFrame({"g": ["p"] * 10 + ["z"] * 40})).component_summary()
    assert summary["g", "typical"].isna().all()
    assert summary["g", "share"][0] == pytest.approx(0.8)


# ---- warm start


def test_a_warm_start_goes_on_from_the_present_weights():
    X, shifted = two_moons(1000), two_moons(80, seed=1) * [1.0, 0.6]
    given = {"covariance_type": "full", "reg_covar": 1e-3, "hidden_layer_sizes": 64}
    model = GMMGAN(3, warm_start=True, max_epochs=20, adversarial_rounds=0, random_state=0, **given).fit(X)
    test = two_moons(2000, seed=2) * [1.0, 0.6]
    before, mixture = model.score(test), model.mixture_
    model.fit(shifted)
    assert model.mixture_ is mixture
    assert model.score(test) > before + 0.1


def test_a_warm_start_learns_discriminators_anew(moons):
    model, X = moons
    again = copy.deepcopy(model).set_params(warm_start=True, max_epochs=0, adversarial_rounds=0).fit(X)
    assert again._model.kept == []
    assert again.log_normalizer_ == 0
    same = model._model.generator.state_dict()
    assert all(torch.equal(value, same[name]) for name, value in again._model.generator.state_dict().items())


def test_an_interrupted_warm_start_leaves_the_model_as_it_was(moons, monkeypatch):
    model, X = moons
    model = copy.deepcopy(model).set_params(warm_start=True)
    before = model.score(X)
    with pytest.raises(ValueError, match="minimum of 2"):
        model.fit(X[:1])

    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(_training, "row_log_prob", interrupt)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X)
    assert model.score(X) == before


def test_what_a_warm_start_may_change(moons):
    model, X = moons
    same = {"n_components": np.int64(2), "hidden_layer_sizes": [512, 512], "dropout": 0.5}
    again = copy.deepcopy(model).set_params(warm_start=True, max_epochs=0, adversarial_rounds=0, **same).fit(X)
    assert again._model.generator.network.dropout == 0.5


def test_a_warm_start_warns_of_rows_that_break_a_relation():
    price, quantity = np.random.RandomState(0).randint(1, 60, size=(2, 500)).astype(float)
    X = np.column_stack([price, quantity, price * quantity])
    model = GMMGAN(1, warm_start=True, random_state=0, **PRIOR).fit(X).fit(X)
    X[:50, 2] += 1
    with pytest.warns(UserWarning, match=r"10.0% of the rows of X break what held between column 2 and 0, 1"):
        model.fit(X)


def test_what_is_new_at_a_warm_start_scores_and_is_not_drawn():
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"x": rng.normal(size=300), "g": rng.choice(["a", "b"], 300)})
    model = GMMGAN(1, max_epochs=2, adversarial_rounds=0, warm_start=True, random_state=0).fit(X)
    new = pd.DataFrame({"x": rng.normal(5, 1, 100), "g": rng.choice(["b", "new"], 100)})
    model.fit(new)
    rows, _ = model.sample(300)
    assert set(rows["g"]) <= {"a", "b"}
    assert rows["x"].max() <= X["x"].max()
    assert np.isfinite(model.score_samples(new)).all()


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"n_components": 2}, "n_components=2 differs from the fit that warm_start=True continues, where it was 1"),
        ({"hidden_layer_sizes": 64}, "hidden_layer_sizes=64 differs"),
    ],
)
def test_a_warm_start_cannot_change_the_model(changed, match):
    X = two_moons(60)
    model = GMMGAN(1, warm_start=True, **PRIOR, random_state=0).fit(X)
    with pytest.raises(ValueError, match=match):
        model.set_params(**changed).fit(X)
    with pytest.raises(ValueError, match="features"):
        model.set_params(n_components=1, hidden_layer_sizes=(512, 512)).fit(X[:, :1])
    model.set_params(**changed, warm_start=False).fit(X)
