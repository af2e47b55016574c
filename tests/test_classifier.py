"""The classifier: densities of classes, rows of classes, and rows without a label."""

import copy
import pickle
from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import ks_2samp, norm
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris, load_wine, make_blobs
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split

from skgmmgan import GMMGANClassifier

PRIOR = {"max_epochs": 0, "adversarial_rounds": 0, "random_state": 0}
FAST = {"covariance_type": "full", "reg_covar": 1e-2, **PRIOR}
RAW = {"enforce_bounds": False, "enforce_decimals": False}


def two_classes(n, rng):
    """Rows of a normal class 0 and of a rarer class 1 that lies apart."""
    y = (rng.uniform(size=n) < 0.25).astype(int)
    return rng.normal(0, 1, (n, 2)) + 2.5 * y[:, None], y


@pytest.fixture(scope="module")
def refined():
    """A classifier with kept discriminators, and its training rows."""
    rng = np.random.RandomState(0)
    n = 1200
    y = rng.choice(3, n, p=[0.6, 0.3, 0.1])
    angle = rng.uniform(0, 2 * np.pi, n)
    X = (1 + y)[:, None] * np.column_stack([np.cos(angle), np.sin(angle)]) + rng.normal(0, 0.1, (n, 2))
    model = GMMGANClassifier(1, max_epochs=2, adversarial_rounds=3, random_state=0, **RAW).fit(X, y)
    assert model._model.kept
    return model, X, y


def test_labels_of_few_rows_are_predicted():
    X, y = load_wine(return_X_y=True)
    assert cross_val_score(GMMGANClassifier(**PRIOR), X, y, cv=2).mean() > 0.94


def test_class_densities_of_gaussians(rng):
    X, y = two_classes(4000, rng)
    model = GMMGANClassifier(3, **PRIOR, **RAW).fit(X, y)
    rows, labels = two_classes(1000, rng)
    joint = np.column_stack([norm.logpdf(rows).sum(1) + np.log(0.75), norm.logpdf(rows, 2.5).sum(1) + np.log(0.25)])
    assert np.abs(model.score_samples(rows, labels) - joint[np.arange(1000), labels]).mean() < 0.15
    truth = np.exp(joint[:, 1] - np.logaddexp(*joint.T))
    assert np.abs(model.predict_proba(rows)[:, 1] - truth).mean() < 0.01


def test_the_density_of_rows_and_labels(refined):
    """It sums to one, and over rows to the shares that labels have when they are drawn."""
    model, X, y = refined
    by_label = []
    for c, end in enumerate((2.5, 5.0, 5.0)):
        corners = np.stack(np.meshgrid(*2 * [np.linspace(-end, end, 100, endpoint=False)]), axis=-1).reshape(-1, 2)
        points = corners + np.random.RandomState(0).uniform(0, 2 * end / 100, corners.shape)  # trees jump between cells
        by_label.append(np.exp(model.score_samples(points, np.full(len(points), c))).mean() * (2 * end) ** 2)
    unseen = 1 / (len(X) + 1)  # what the label keeps for a class that was not there
    assert sum(by_label) + unseen == pytest.approx(1.0, abs=3 * model.log_normalizer_std_ + 0.01)
    _, drawn = model.sample(10_000, random_state=0)
    np.testing.assert_allclose(np.bincount(drawn) / 10_000, by_label, atol=0.02)
    np.testing.assert_allclose(by_label, np.bincount(y) / len(y), atol=0.06)


def test_bayes_rule(refined):
    model, X, y = refined
    joint = np.column_stack([model.score_samples(X, np.full(len(X), label)) for label in model.classes_])
    marginal = logsumexp(joint, axis=1)
    np.testing.assert_allclose(model.score_samples(X), marginal, rtol=1e-12)
    np.testing.assert_allclose(np.log(model.predict_proba(X)), joint - marginal[:, None], atol=1e-9)
    assert (model.predict(X) == model.classes_[joint.argmax(1)]).all()
    np.testing.assert_allclose(model.score_samples(X, y), joint[np.arange(len(y)), y], rtol=1e-12)


@pytest.mark.parametrize("far", [1e10, 1e100, 1e300])
def test_rows_far_out_have_probabilities(refined, far):
    model, *_ = refined
    with np.errstate(all="ignore"):
        probability = model.predict_proba([[far, 0.0], [0.0, -far]])
    np.testing.assert_allclose(probability.sum(axis=1), 1.0)


def test_a_category_that_does_not_hang_on_the_class_does_no_harm(rng):
    pd = pytest.importorskip("pandas")
    y = rng.randint(10, size=2000)
    X = pd.DataFrame({"noise": rng.randint(100, size=2000).astype(str), "x": rng.normal(size=2000) + 0.2 * y})
    model = GMMGANClassifier(1, **FAST)
    alone = clone(model).fit(X[["x"]][:1000], y[:1000]).predict_proba(X[["x"]][1000:])
    both = model.fit(X[:1000], y[:1000]).predict_proba(X[1000:])
    assert log_loss(y[1000:], both) == pytest.approx(log_loss(y[1000:], alone), abs=0.02)


def test_a_category_that_tells_the_class(rng):
    pd = pytest.importorskip("pandas")
    y = np.repeat([0, 1], [570, 30])
    X = pd.DataFrame({"g": np.where(y == 1, rng.choice(list("ab"), 600), rng.choice(list("abcdef"), 600))})
    model = GMMGANClassifier(1, **FAST).fit(X, y)
    rows, _ = model.sample(2000, y=1)
    assert rows["g"].isin(["a", "b"]).mean() > 0.75


def test_rows_of_a_class_are_those_of_joint_draws(refined):
    model, *_ = refined
    X, y = model.sample(20_000, random_state=0)
    for label in model.classes_:
        rows, labels = model.sample(3000, y=label, random_state=1)
        assert (labels == label).all()
        own = X[y == label]
        for a, b in [*zip(rows.T, own.T), (np.hypot(*rows.T), np.hypot(*own.T)), (rows.sum(1), own.sum(1))]:
            assert ks_2samp(a, b).pvalue > 1e-3


def test_numbers_of_rows_by_class(refined):
    model, *_ = refined
    X, y = model.sample(y={2: 3, 0: 2})
    assert y.tolist() == [2, 2, 2, 0, 0]
    assert X.shape == (5, 2)
    assert model.sample()[0].shape == (1, 2)
    assert model.sample(0, y=1)[0].shape == (0, 2)
    assert model.sample(y={})[0].shape == (0, 2)


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"y": 7}, ValueError, "asks for 7, which is no class"),
        ({"y": {7: 1}}, ValueError, "asks for 7, which is no class"),
        ({"y": {0: -1}}, ValueError, r"y\[0\]=-1 must be 0 or more"),
        ({"y": {0: 1.5}}, TypeError, r"y\[0\]=1.5 must be an integer"),
        ({"n_samples": 3, "y": {0: 2}}, ValueError, "n_samples=3 differs from the 2 rows"),
        ({"n_samples": -1}, ValueError, "n_samples=-1"),
        ({"n_samples": 2, "y": [1, 2]}, TypeError, "must be one label, or a dict"),
    ],
)
def test_rows_that_cannot_be_asked_for(refined, arguments, error, match):
    with pytest.raises(error, match=match):
        refined[0].sample(**arguments)


def test_a_class_of_one_row(rng):
    """It is that row, with the spread of the others."""
    X = np.concatenate([rng.normal(0, 1, (80, 3)), [[6.0, -6.0, 6.0]]])
    y = np.append(np.zeros(80, dtype=int), 1)
    rows, _ = GMMGANClassifier(random_state=0, enforce_bounds=False).fit(X, y).sample(500, y=1, random_state=0)
    np.testing.assert_allclose(np.median(rows, axis=0), X[-1], atol=1.0)
    assert (rows.std(axis=0) > 0.3).all()


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["no", "yes", "perhaps"]),
        np.array(["no", "yes", "perhaps"], dtype=object),
        np.array([0.0, 1.0, 2.0]),
        np.array([10, -1, 7], dtype=np.int8)[[0, 2, 0]],
        np.array([True, False, True]),
    ],
    ids=["text", "objects", "floats", "int8", "booleans"],
)
def test_labels_of_any_dtype_come_back(labels, rng):
    codes = rng.randint(3, size=90)
    X = rng.normal(0, 0.3, (90, 2)) + 2 * np.unique(labels, return_inverse=True)[1][codes][:, None]
    model = GMMGANClassifier(1, **FAST).fit(X, labels[codes])
    assert model.classes_.dtype == labels.dtype
    assert model.score(X, labels[codes]) > 0.95
    _, drawn = model.sample(20)
    assert drawn.dtype == labels.dtype
    assert np.isin(drawn, labels).all()


@pytest.mark.parametrize("dtype", ["category", "string", "str", "Int64", "boolean"])
def test_labels_of_a_series(dtype, rng):
    pd = pytest.importorskip("pandas")
    codes = rng.randint(2, size=60)
    values = [["no", "yes"], [1, 2], [False, True]][["Int64", "boolean"].index(dtype) + 1 if dtype[0] in "Ib" else 0]
    y = pd.Series([values[c] for c in codes], name="label").astype(dtype)
    X = pd.DataFrame({"x": rng.normal(size=60) + 5 * codes, "g": np.where(codes, "a", "b")})
    model = GMMGANClassifier(1, **FAST).fit(X, y)
    assert (model.predict(X) == y.to_numpy()).mean() > 0.95
    rows, drawn = model.sample(10, y=values[1])
    assert list(rows.columns) == ["x", "g"]
    assert (drawn == values[1]).all()


def test_many_classes(rng):
    """More classes than get components of their own, and than boosted trees have codes."""
    y = np.arange(2000) % 300
    X = np.column_stack([y + rng.normal(0, 0.1, 2000), rng.normal(size=2000)])
    model = GMMGANClassifier(max_epochs=2, adversarial_rounds=1, random_state=0).fit(X, y)
    assert model.predict_proba(X[:5]).shape == (5, 300)
    assert (model.sample(y={299: 4})[1] == 299).all()
    assert np.isfinite(model.score_samples(X[:20], y[:20])).all()


# ---- rows without a label


def test_unlabelled_rows_help(rng):
    X, y = load_digits(return_X_y=True)
    X, y = X[y < 4, 16:40], y[y < 4]
    train, test, y_train, y_test = train_test_split(X, y, test_size=0.5, random_state=0, stratify=y)
    known = np.concatenate([np.flatnonzero(y_train == label)[:3] for label in range(4)])
    partly = np.full(len(train), -1)
    partly[known] = y_train[known]
    given = {"covariance_type": "full", "reg_covar": 0.05}
    alone = GMMGANClassifier(1, **given, **PRIOR).fit(train[known], y_train[known])
    model = clone(alone).fit(train, partly)
    assert model.classes_.tolist() == [0, 1, 2, 3]
    assert model.score(test, y_test) > alone.score(test, y_test) + 0.01
    assert model.score_samples(test).mean() > alone.score_samples(test).mean()


def test_two_labels_are_enough(rng):
    X, y = make_blobs(100, centers=2, cluster_std=0.4, random_state=0)
    partly = np.full(100, None, dtype=object)
    partly[[np.argmax(y == 0), np.argmax(y == 1)]] = "a", "b"
    assert GMMGANClassifier(1, **FAST).fit(X, partly).score(X, np.array(["a", "b"])[y]) > 0.9


@pytest.mark.parametrize("as_series", [False, "object", "string"])
def test_none_among_text_is_unlabelled(as_series, rng):
    X, codes = make_blobs(200, centers=3, random_state=0, cluster_std=0.4)
    y = np.array(["a", "b", "c"], dtype=object)[codes]
    y[::2] = None
    if as_series:
        y = pytest.importorskip("pandas").Series(y, dtype=as_series)
    model = GMMGANClassifier(1, max_epochs=3, adversarial_rounds=2, random_state=0).fit(X, y)
    assert model.classes_.tolist() == ["a", "b", "c"]
    assert (model.predict(X) == np.array(["a", "b", "c"])[codes]).mean() > 0.97


@pytest.mark.parametrize("dtype", [object, "boolean", "Int64", "category"])
def test_a_missing_label_is_unlabelled(dtype, rng):
    pd = pytest.importorskip("pandas")
    X, y = two_classes(90, rng)
    labels = pd.Series(y.astype(bool) if dtype in (object, "boolean") else y).astype(object)
    labels[::3] = None
    model = GMMGANClassifier(1, **FAST).fit(X, labels.astype(dtype))
    assert model.classes_.tolist() == [0, 1]
    assert model.classes_.dtype == (bool if dtype in (object, "boolean") else int)
    assert (model.predict(X) == y).mean() > 0.8


def test_one_label_a_class():
    X, y = make_blobs(60, centers=[[0, 0], [9, 0], [0, 9]], random_state=0)
    first = [np.argmax(y == label) for label in range(3)]
    partly = np.full(60, -1)
    partly[first] = y[first]
    assert (GMMGANClassifier(1, **FAST).fit(X, partly).predict(X) == y).mean() > 0.9


@pytest.mark.parametrize("kind", ["datetime64", "date", "zoned"])
def test_times_as_labels(kind, rng):
    pd = pytest.importorskip("pandas")
    X, y = two_classes(60, rng)
    labels = np.array(["2020", "2021"], dtype="M8[D]")[y]
    if kind == "date":
        labels = labels.astype(object)
    elif kind == "zoned":
        labels = pd.Series(labels).dt.tz_localize("Europe/Paris")
    model = GMMGANClassifier(1, **FAST).fit(X, labels)
    assert model.score(X, labels) > 0.8
    _, drawn = model.sample(3, y=model.classes_[1])
    assert (drawn == model.classes_[1]).all()
    assert type(drawn[0]) is type(labels[0])
    assert pickle.loads(pickle.dumps(model)).classes_.tolist() == model.classes_.tolist()


@pytest.mark.parametrize("labels", [[{}, 1], [(1, 2), (1, 3)], [date(2020, 1, 1), 3], [Decimal("1.5"), Decimal("2.5")]])
def test_labels_that_are_none_raise(labels):
    y = np.empty(40, dtype=object)
    y[::2].fill(labels[0])
    y[1::2].fill(labels[1])
    with pytest.raises(ValueError, match="label"):
        GMMGANClassifier(1, **FAST).fit(np.arange(40.0)[:, None], y)


def test_minus_one_is_a_class_of_two(rng):
    X, y = two_classes(200, rng)
    assert GMMGANClassifier(1, **FAST).fit(X, 2 * y - 1).classes_.tolist() == [-1, 1]


def test_an_unlabelled_row_counts_with_the_sum_over_labels(refined):
    """The training objective of an unlabelled row is the marginal density that `score_samples` gives."""
    import torch

    model, X, y = refined
    core = model._model
    unlabelled = core.codec.encode(np.column_stack([np.full(len(X), -1.0), X]))
    z, codes = torch.as_tensor(unlabelled.z), torch.as_tensor(unlabelled.codes)
    codes[::3, 0] = torch.as_tensor(core.codec.columns[0].levels.code[y[::3]])
    z[::3, 0] = core.generator.midpoints_0[codes[::3, 0]]
    with torch.no_grad():
        found = core.generator.row_log_prob(z, codes).numpy()
        by_label = []
        for level in range(3):
            z[:, 0], codes[:, 0] = core.generator.midpoints_0[level], level
            by_label.append(core.generator.log_prob(z, codes).sum(1).numpy())
    by_label = np.array(by_label)
    expected = logsumexp(by_label, axis=0)
    expected[::3] = by_label[core.codec.columns[0].levels.code[y[::3]], np.arange(len(X))[::3]]
    np.testing.assert_allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize(
    ("y", "match"),
    [
        ([0.0, 1.0, np.nan, 1.0], "Input y contains NaN"),
        ([0, 0, 0, 0], r"y holds the classes \[0\]"),
        ([None, "a", "a", None], r"y holds the classes \['a'\]"),
        ([None, None, None, None], r"y holds the classes \[\]"),
        ([0.5, 1.2, 0.1, 0.7], "Unknown label type"),
        (["a", 1, "a", 1], "y mixes labels of type int, str"),
        (None, "requires y to be passed"),
        ([0, 1, 1], "inconsistent numbers of samples"),
    ],
)
def test_labels_that_cannot_be_learned(y, match):
    y = np.array(y, dtype=object) if y and "a" in y else y
    with pytest.raises(ValueError, match=match):
        GMMGANClassifier(**PRIOR).fit(np.arange(8.0).reshape(4, 2), y)


# ---- scikit-learn


def test_grid_search_over_components():
    X, y = load_iris(return_X_y=True)
    model = GMMGANClassifier(reg_covar=1e-3, covariance_type="full", **PRIOR)
    search = GridSearchCV(model, {"n_components": [1, 2]}, cv=2).fit(X, y)
    assert search.best_score_ > 0.93


def test_pickle_and_seed(refined):
    model, X, y = refined
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X[:50]), model.predict_proba(X[:50]))
    twice = [clone(model).set_params(adversarial_rounds=0).fit(X, y).score_samples(X) for _ in range(2)]
    np.testing.assert_array_equal(*twice)


def test_a_refit_that_fails_leaves_the_old_classes(refined):
    model, X, y = refined
    again = copy.deepcopy(model).set_params(device="abacus")
    with pytest.raises(ValueError, match="abacus"):
        again.fit(X, np.where(y == 0, "a", "b"))
    assert again.classes_.tolist() == [0, 1, 2]


def test_a_warm_start_takes_known_labels_only(refined):
    model, X, _ = refined
    again = copy.deepcopy(model).set_params(warm_start=True, max_epochs=1, adversarial_rounds=0)
    with pytest.raises(ValueError, match="y holds 7, which is no class"):
        again.fit(X[:60], np.full(60, 7))
    again.fit(X[:60], np.full(60, -1))
    assert again.classes_.tolist() == [0, 1, 2]
    assert np.isfinite(again.score_samples(X)).all()
