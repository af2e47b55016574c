"""Columns of which one is on in every row, or at most one."""

import warnings

import numpy as np
import pytest

from skgmmgan import GMMGAN, GMMGANClassifier, load, save
from skgmmgan._one_hot import find_one_hot
from skgmmgan.metrics import rule_errors

pd = pytest.importorskip("pandas")

PRIOR = {"covariance_type": "full", "reg_covar": 1e-3, "max_epochs": 0, "adversarial_rounds": 0, "random_state": 0}
SHARES = [0.3, 0.2, 0.16, 0.12, 0.1, 0.07, 0.04, 0.01]


def draw(n, seed=0):
    """An age, a category of eight levels and one of four that has to do with the age."""
    rng = np.random.default_rng(seed)
    age = rng.normal(40, 10, n).round()
    kind = np.where(rng.uniform(size=n) < 0.7, np.digitize(age, [30, 40, 50]), rng.integers(4, size=n))
    return pd.DataFrame(
        {"age": age, "city": rng.choice(list("abcdefgh"), n, p=SHARES), "kind": np.array(list("wxyz"))[kind]}
    )


def indicators(table, **options):
    return pd.get_dummies(table, columns=["city", "kind"], **options)


def n_on(rows, prefix):
    return rows.filter(regex=f"^{prefix}_").astype(float).sum(axis=1)


@pytest.fixture(scope="module", params=["float", "baseline", "mixed"])
def fitted(request):
    X = draw(1500)
    if request.param == "baseline":
        X = indicators(X, drop_first=True)
    else:
        X = indicators(X, dtype="float" if request.param == "float" else bool)
    if request.param == "mixed":
        X = X[X.columns[np.random.RandomState(0).permutation(X.shape[1])]]
    return GMMGAN(3, **PRIOR).fit(X), X


def test_drawn_rows(fitted):
    model, X = fitted
    rows, _ = model.sample(4000, random_state=0)
    assert rows.dtypes.equals(X.dtypes)
    for prefix in ("city", "kind"):
        assert set(n_on(rows, prefix)) == set(n_on(X, prefix))
    names = X.columns.drop("age")
    assert np.abs(rows[names].mean() - X[names].mean()).max() < 0.03
    assert rows.loc[rows["kind_z"] == 1, "age"].mean() > rows["age"].mean() + 2
    assert all(share == 0 for columns, share in rule_errors(X, rows) if "age" not in columns)


def test_probabilities_of_all_sets_sum_to_one(fitted):
    _, X = fitted
    X = X.drop(columns="age")
    model = GMMGAN(2, **PRIOR).fit(X)
    every = X.drop_duplicates()
    total = np.exp(model.score_samples(every)).sum()
    assert total == pytest.approx(1, abs=0.05)
    assert len(every) > 20
    broken = every.head(3).assign(city_c=True, city_d=True).astype(X.dtypes)
    assert (model.score_samples(broken) < model.score_samples(every).min()).all()
    parts = model.score_columns(every)
    np.testing.assert_allclose(parts.sum(axis=1), model.score_samples(every))


def test_conditions_and_gaps(fitted):
    model, X = fitted
    for conditions in (
        {"city_h": 1},
        {"city_b": 0, "city_c": 0},
        {"city_d": 1, "kind_y": 1},
        {"age": 25.0, "kind_z": 0},
    ):
        conditions = {name: X[name].dtype.type(value) for name, value in conditions.items()}
        rows, _ = model.sample(300, conditions=conditions, random_state=0)
        assert (rows[list(conditions)] == pd.Series(conditions)).all(axis=None)
        for prefix in ("city", "kind"):
            assert set(n_on(rows, prefix)) <= set(n_on(X, prefix))
    share = X.loc[(X["city_b"] == 0) & (X["city_c"] == 0), "city_d"].mean()
    rows, _ = model.sample(
        2000, conditions={name: X[name].dtype.type(0) for name in ("city_b", "city_c")}, random_state=1
    )
    assert rows["city_d"].mean() == pytest.approx(share, abs=0.04)
    with pytest.warns(UserWarning, match="contradict"):
        model.sample(5, conditions={name: X[name].dtype.type(1) for name in ("city_b", "city_c")})
    holes = X.head(100).astype(object)
    holes.loc[:, ["city_b", "city_c", "kind_x"]] = None
    filled = model.impute(holes, random_state=0)
    for prefix in ("city", "kind"):
        assert set(n_on(filled, prefix)) <= set(n_on(X, prefix))
    known = X.head(100).filter(regex="city_[d-h]").sum(axis=1) == 1
    assert not filled.loc[known, ["city_b", "city_c"]].astype(bool).any(axis=None)


def test_saved_and_loaded(fitted, tmp_path):
    pytest.importorskip("skops")
    model, X = fitted
    save(model, tmp_path / "model")
    again = load(tmp_path / "model")
    np.testing.assert_array_equal(model.score_samples(X.head(50)), again.score_samples(X.head(50)))


def test_a_network_and_trees_keep_it():
    X = indicators(draw(600))
    short = {"max_epochs": 3, "adversarial_rounds": 1, "hidden_layer_sizes": 64}
    model = GMMGAN(2, covariance_type="full", random_state=0, **short).fit(X)
    rows, _ = model.sample(2000, random_state=0)
    assert (n_on(rows, "city") == 1).all()
    assert (n_on(rows, "kind") == 1).all()


def test_behind_labels():
    table = draw(800)
    X, y = indicators(table), np.where(table["kind"] == "z", "old", "young")
    model = GMMGANClassifier(1, **PRIOR).fit(X, y)
    rows, labels = model.sample(1000, random_state=0)
    assert (n_on(rows, "city") == 1).all()
    assert (rows["kind_z"] == (labels == "old")).mean() > 0.99


def test_arrays_of_few_rows():
    codes = np.random.RandomState(0).choice(5, 60, p=[0.4, 0.2, 0.2, 0.15, 0.05])
    X = np.column_stack([np.arange(60.0), np.eye(5)[codes]])
    rows, _ = GMMGAN(1, **PRIOR).fit(X).sample(500, random_state=0)
    assert (rows[:, 1:].sum(axis=1) == 1).all()


def test_what_chance_keeps_apart_is_no_set(rng):
    rare = rng.uniform(size=(2000, 5)) < [0.002, 0.002, 0.003, 0.004, 0.3]
    rare[:, :4] &= ~rare[:, 4:]
    assert find_one_hot(rare.astype(float), range(5)) == []
    apart = np.eye(4)[rng.randint(4, size=2000)]
    (found,) = find_one_hot(np.column_stack([apart[:, 1:], rng.uniform(size=(2000, 2)) < 0.5]), range(5))
    assert found.members == [0, 1, 2]
    assert found.may_be_none
    apart[0, 3] = np.nan
    (found,) = find_one_hot(apart, range(4))
    assert found.members == [0, 1, 2]


def test_which_is_on():
    (found,) = find_one_hot(np.eye(4)[np.arange(400) % 4], range(4))
    nan = np.nan
    rows = [[0, 1, 0, 0], [0, 1, nan, nan], [1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, nan], [1, 1, nan, 0]]
    np.testing.assert_array_equal(found.of(np.array(rows)), [1, 1, nan, nan, nan, nan])
    np.testing.assert_array_equal(found._replace(may_be_none=True).of(np.array(rows)), [1, 1, nan, 4, nan, nan])


def test_a_date_tells_its_weekday_in_indicators():
    day = pd.Timestamp("2022-01-01") + pd.to_timedelta(np.random.RandomState(0).randint(0, 900, 1200), unit="D")
    X = pd.get_dummies(pd.DataFrame({"day": day, "weekday": day.day_name()}), columns=["weekday"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rows, _ = GMMGAN(2, **PRIOR).fit(X).sample(500, random_state=0)
    assert (n_on(rows, "weekday") == 1).all()
    told = pd.get_dummies(rows["day"].dt.day_name())
    assert all((rows[f"weekday_{name}"] == told[name]).all() for name in told)


def test_neighbours_are_a_set_before_others():
    """Of two categories whose levels rule each other out, each is a set."""
    first = np.random.RandomState(0).randint(4, size=3000)
    second = np.where(
        first < 2, np.random.RandomState(1).randint(2, size=3000), 2 + np.random.RandomState(2).randint(2, size=3000)
    )
    apart = np.column_stack([np.eye(4)[first], np.eye(4)[second]])
    assert [found.members for found in find_one_hot(apart, range(8))] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    baseline = find_one_hot(np.delete(apart, [0, 4], axis=1), range(6))
    assert [(found.members, found.may_be_none) for found in baseline] == [([0, 1, 2], True), ([3, 4, 5], True)]


@pytest.fixture(scope="module")
def related():
    """A category in indicators, and what has to do with it."""
    rng = np.random.RandomState(0)
    code = rng.choice(4, 1500, p=[0.4, 0.3, 0.2, 0.1])
    X = pd.DataFrame(np.eye(4, dtype=int)[code], columns=list("abcd"))
    X["zip"] = [f"z{80 * i + k}" for i, k in zip(code, rng.randint(80, size=1500))]
    X["name"] = np.array(list("wxyz"))[code]
    X["size"], X["weight"] = 100 * code + (50 * rng.rand(1500)).round(1), (rng.rand(1500) * 100).round(2)
    X["pages"], X["price"] = rng.randint(80, size=1500), X["weight"] * X["a"]
    X["total"] = X["pages"] + 5 * X["a"] + 7 * X["c"] + 2 * X["b"]
    return GMMGAN(2, **PRIOR).fit(X), X


def test_what_has_to_do_with_a_set_still_does(related):
    model, _ = related
    for conditions in (None, {"zip": "z3"}, {"total": 60}, {"total": 60, "a": 0, "b": 0}, {"name": "z"}):
        rows, _ = model.sample(100, conditions=conditions, random_state=0)
        code = rows[list("abcd")].to_numpy().argmax(axis=1)
        assert (rows[list("abcd")].sum(axis=1) == 1).all()
        assert (rows["zip"].str[1:].astype(int) // 80 == code).all()
        assert (rows["name"] == np.array(list("wxyz"))[code]).all()
        assert (rows["size"] // 100 == code).mean() > 0.9
        np.testing.assert_allclose(rows["price"], rows["weight"] * rows["a"])
        assert (rows["total"] == rows["pages"] + 5 * rows["a"] + 7 * rows["c"] + 2 * rows["b"]).all()


def test_what_is_broken_is_named(related):
    model, X = related
    apart = X.assign(**{name: np.roll(X[name], 1) for name in ("zip", "name", "size")})
    broken = {columns for columns, share in rule_errors(X, apart) if share > 0.2}
    assert {"zip", "name", "size"} <= {name for columns in broken if set("abcd") < set(columns) for name in columns}
    assert all(len(set(columns)) == len(columns) for columns, _ in rule_errors(X, apart))
    with pytest.warns(UserWarning, match="'name' goes with 'a' and 'b' and 'c' and 'd'|'a' goes with"):
        model.sample(3, conditions={"name": "w", "b": 1})
    with pytest.warns(UserWarning, match="one of 'a', 'b' and 2 more is on"):
        model.sample(3, conditions={"a": 1, "b": 1})


def test_a_broken_set_counts_once(related):
    model, X = related
    rows = X.head(50)
    none = model.score_samples(rows.assign(a=0, b=0, c=0, d=0, price=0.0, total=rows["pages"]))
    assert np.isfinite(none).all()
    assert (none > model.score_samples(rows) - 4 * np.log(len(X))).all()


def test_many_members_of_which_none_may_be_on():
    code = np.random.RandomState(0).randint(20, size=1500)
    (found,) = find_one_hot(np.eye(20)[code][:, 1:], range(19))
    assert found.members == list(range(19))
    assert found.may_be_none
    assert [len(found.members) for found in find_one_hot(np.eye(254)[np.arange(3000) % 254], range(254))] == [254]
    assert find_one_hot(np.eye(255)[np.arange(3000) % 255], range(255)) == []
