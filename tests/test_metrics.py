import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.neighbors import KernelDensity

from skgmmgan.metrics import (
    c2st_score,
    column_errors,
    copy_rate,
    coverage,
    dcr_share,
    membership_auc,
    mode_coverage,
    precision_recall,
    rule_errors,
    shape_error,
    trend_error,
    tstr_score,
)

pd = pytest.importorskip("pandas")


def make_table(n, seed, shift=0.0, relation=1.0):
    rng = np.random.default_rng(seed)
    x = rng.normal(shift, 1, n)
    return pd.DataFrame(
        {
            "x": np.where(rng.uniform(size=n) < 0.1, np.nan, x),
            "y": relation * x + 0.5 * rng.normal(size=n),
            "c": np.where(relation * x + rng.normal(size=n) > 0, "up", "down"),
        }
    )


def shuffled(table):
    """The same columns, each in an order of its own."""
    rng = np.random.default_rng(3)
    return table.apply(lambda column: rng.permutation(column.to_numpy()))


def test_same_distribution_scores_best():
    a, b = make_table(3000, 0), make_table(3000, 1)
    assert c2st_score(a, b, random_state=0) == pytest.approx(0.5, abs=0.03)
    assert shape_error(a, b) < 0.03
    assert trend_error(a, b) < 0.05
    assert dcr_share(a, b, make_table(3000, 2), random_state=0) == pytest.approx(0.5, abs=0.03)
    assert copy_rate(a, b) == 0


def test_shifted_marginals_are_seen():
    a, b = make_table(2000, 0), make_table(2000, 1, shift=1.0)
    assert c2st_score(a, b, random_state=0) > 0.7
    assert shape_error(a, b) > 0.2


def test_lost_relations_are_seen():
    a = make_table(2000, 0)
    b = shuffled(a)
    assert shape_error(a, b) == pytest.approx(0, abs=1e-12)
    assert trend_error(a, b) > 0.15
    assert c2st_score(a, b, random_state=0) > 0.7


def test_another_detector():
    a, b = make_table(1000, 0)[["y"]], make_table(1000, 1, shift=2.0)[["y"]]
    assert c2st_score(a, b, estimator=ExtraTreesClassifier(50, random_state=0), random_state=0) > 0.8


def test_shape_error_by_hand():
    a, b = np.array([[1.0], [2.0], [3.0], [4.0]]), np.array([[1.0], [1.0], [3.0], [4.0]])
    assert shape_error(a, b) == pytest.approx(0.25)
    a, b = pd.DataFrame({"c": list("aab")}), pd.DataFrame({"c": list("abb")})
    assert shape_error(a, b) == pytest.approx(1 / 3)


def test_trend_error_by_hand():
    a = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]])
    assert trend_error(a, a * [1, -1]) == pytest.approx(2 / 3)
    assert trend_error(a, a * [5, 3]) == pytest.approx(1 / 3)
    assert trend_error(a, a) == 0
    assert trend_error(a[:, :1], a[:, :1]) == 0


def test_one_outlier_does_not_move_the_bins():
    a = make_table(2000, 0)
    assert trend_error(a, a.assign(y=a["y"].where(a.index > 0, 1e9))) <= 1 / 2000 + 1e-12


def test_copies_are_seen():
    train, holdout = make_table(500, 0), make_table(500, 1)
    assert copy_rate(train, pd.concat([train.head(50), holdout.head(50)])) == pytest.approx(0.5)
    assert dcr_share(train, train, holdout, random_state=0) > 0.95


def test_utility():
    train, test = make_table(2000, 0), make_table(2000, 1)
    noise = shuffled(train)
    assert tstr_score(train, test, "c", random_state=0) > 0.7
    assert tstr_score(noise, test, "c", random_state=0) < 0.6
    assert tstr_score(train, test, "y", random_state=0) > 0.5 > tstr_score(noise, test, "y", random_state=0)


def test_different_columns_raise():
    a = make_table(10, 0)
    with pytest.raises(ValueError, match="same columns"):
        shape_error(a, a[["y", "x", "c"]])


def test_utility_is_told_by_the_classes_of_the_test_rows():
    test = make_table(2000, 1)
    lost = make_table(2000, 0).assign(c="up")
    assert tstr_score(lost, test, "c", random_state=0) == 0.5
    three = make_table(2000, 0).assign(c=lambda d: d["c"].where(d.index % 50 > 0, "sideways"))
    assert tstr_score(three, test, "c", random_state=0) > 0.7
    assert tstr_score(test, three, "c", random_state=0) < 0.9  # accuracy: the class that was not there is missed
    assert tstr_score(test.assign(y=test["y"].where(test.index > 9)), test, "y", random_state=0) > 0.5
    with pytest.raises(ValueError, match="target='nope'"):
        tstr_score(test, test, "nope")
    with pytest.raises(ValueError, match="target='y' is missing in every row of train"):
        tstr_score(test.assign(y=np.nan), test, "y")


def test_columns_without_values():
    a, b = (make_table(300, seed).assign(empty=np.nan, none=None) for seed in (0, 1))
    assert c2st_score(a, b, random_state=0) == pytest.approx(0.5, abs=0.1)
    assert 0.3 < dcr_share(a, b, make_table(300, 2).assign(empty=1.0, none=None), random_state=0) <= 1
    assert shape_error(a, b) < 0.1
    assert trend_error(a, b) < 0.15
    assert copy_rate(a, a) == 1


def test_empty_tables_raise():
    a = make_table(30, 0)
    for score in (c2st_score, shape_error, trend_error, copy_rate):
        with pytest.raises(ValueError, match="no rows"):
            score(a, a.head(0))


def test_mode_coverage(rng):
    centers = np.array([[x, y] for x in range(5) for y in range(5)]) * 2.0
    rows = centers[rng.randint(25, size=20_000)] + 0.05 * rng.normal(size=(20_000, 2))
    found = mode_coverage(rows, centers, 0.05)
    assert found.n_modes == 25
    assert abs(found.high_quality_share - (1 - np.exp(-4.5))) < 0.003
    assert found.reverse_kl < 0.002
    half = mode_coverage(rows[rows[:, 0] < 1], centers, 0.05)
    assert half.n_modes == 5
    assert abs(half.reverse_kl - np.log(5)) < 0.01
    assert mode_coverage(rows + 1.0, centers, 0.05).high_quality_share < 0.01


def test_rules_of_levels_ranges_and_numbers():
    """Each kind is found, and the share of the rows that break it; missing cells and new categories break none."""
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    cities = {"Bonn": "DE", "Kiel": "DE", "Lyon": "FR", "Pau": "FR"}
    real = pd.DataFrame({"city": rng.choice(list(cities), 2000), "age": rng.integers(20, 60, 2000)})
    real["country"] = real["city"].map(cities)
    real["old"] = np.where(rng.random(2000) < 0.5, rng.integers(20, 40, 2000), real["age"])
    real["kind"] = np.where(real["old"] < 40, rng.choice(["a", "b"], 2000), "c")
    real["months"] = 12 * real["age"]
    assert {share for _, share in rule_errors(real, real)} == {0.0}
    synthetic = real.copy()
    synthetic.loc[:199, "country"] = synthetic.loc[:199, "country"].map({"DE": "FR", "FR": "DE"})
    synthetic.loc[:99, "months"] += 1
    synthetic.loc[real.index[real["kind"] == "c"][:20], "old"] = 21
    errors = dict(rule_errors(real, synthetic))
    assert errors[("country", "city")] == 0.1
    assert errors[("months", "age")] == 0.05
    assert errors[("old", "kind")] == 0.01
    gaps = real.assign(city="Rome", age=np.nan, old=np.nan)
    assert dict(rule_errors(real, gaps))[("country", "city")] == 0.0


@pytest.mark.parametrize("flip", [False, True])
def test_text_in_one_table_only_is_refused(flip):
    pd = pytest.importorskip("pandas")
    text = pd.DataFrame({"zip": ["01", "02", "13", None] * 5, "x": range(20)})
    tables = [text, text.assign(zip=[1, 2, 13, np.nan] * 5)]
    with pytest.raises(ValueError, match="Column 'zip' holds text in one table and no text in the other; convert"):
        shape_error(*tables[:: -1 if flip else 1])
    assert shape_error(text, text.assign(zip=text["zip"].astype("category"))) == 0.0
    assert shape_error(text, text.assign(zip=None)) > 0.0


def test_what_has_no_rules():
    rng = np.random.default_rng(0)
    assert rule_errors(rng.normal(size=(300, 3)), rng.normal(size=(300, 3))) == []
    assert rule_errors([[1.0, np.nan], [1.0, np.nan]], [[2.0, 1.0]]) == []


def test_column_errors_are_named():
    a, b = make_table(1000, 0), make_table(1000, 1)
    b["c"] = "up"
    errors = column_errors(a, b)
    assert [name for name, _ in errors] == ["x", "y", "c"]
    assert errors[2][1] == pytest.approx((a["c"] == "down").mean())
    assert shape_error(a, b) == pytest.approx(np.mean([error for _, error in errors]))


def test_coverage_of_fresh_rows_and_of_a_lost_half():
    a, b = make_table(2000, 0), make_table(2000, 1)
    assert coverage(a, b) == pytest.approx(1 - 2**-5, abs=0.015)
    assert coverage(a, a) == 1
    half = b[b["c"] == "up"].sample(2000, replace=True, random_state=0)
    assert coverage(a, half) == pytest.approx((a["c"] == "up").mean(), abs=0.05)
    with pytest.raises(ValueError, match="n_neighbors=5 needs more real rows"):
        coverage(a.head(5), b)


def test_precision_recall_of_fresh_typical_and_far_rows():
    rng = np.random.default_rng(0)
    real = rng.normal(size=(1500, 3))
    fresh = precision_recall(real, rng.normal(size=(1500, 3)))
    assert fresh.alpha_precision > 0.95
    assert fresh.beta_recall == pytest.approx(0.5, abs=0.1)
    typical = precision_recall(real, 0.3 * rng.normal(size=(1500, 3)))
    far = precision_recall(real, 3 + rng.normal(size=(1500, 3)))
    assert max(typical.alpha_precision, far.alpha_precision) < 0.5
    assert max(typical.beta_recall, far.beta_recall) < fresh.beta_recall - 0.2


def test_membership_is_found_out_by_copies_and_by_overfitting():
    train, holdout = make_table(500, 0), make_table(500, 1)
    assert membership_auc(train, holdout, synthetic=make_table(500, 2)) == pytest.approx(0.5, abs=0.06)
    assert membership_auc(train, holdout, synthetic=train) > 0.95
    a, b = (X[["y"]].to_numpy() for X in (train, holdout))
    narrow, wide = (KernelDensity(bandwidth=h).fit(a) for h in (1e-4, 1.0))
    assert membership_auc(a, b, estimator=narrow) > 0.9
    assert membership_auc(a, b, estimator=wide) == pytest.approx(0.5, abs=0.06)
    with pytest.raises(ValueError, match="either synthetic or estimator"):
        membership_auc(a, b)


@pytest.mark.parametrize("gaps", [False, True])
def test_errors_by_the_convention_of_sdmetrics(gaps):
    properties = pytest.importorskip("sdmetrics.reports.single_table._properties")
    a, b = (
        X.assign(n=(3 * X["y"]).round(), k=np.where(X["y"] > 1, "p", "q"))
        for X in (make_table(900, 0), make_table(700, 1))
    )
    if not gaps:
        a, b = a.assign(x=a["y"] ** 2), b.assign(x=b["y"] ** 2 + 0.3)
    kinds = {name: "categorical" if name in "ck" else "numerical" for name in a}
    metadata = {"columns": {name: {"sdtype": kind} for name, kind in kinds.items()}}
    shapes = properties.ColumnShapes().get_score(a, b, metadata)
    trends = properties.ColumnPairTrends().get_score(a, b, metadata)
    assert shape_error(a, b, sdmetrics=True) == pytest.approx(1 - shapes, abs=1e-9)
    assert trend_error(a, b, sdmetrics=True) == pytest.approx(1 - trends, abs=1e-9)


def test_a_column_without_a_value():
    real, synthetic = (make_table(300, seed).assign(e=np.nan) for seed in (0, 1))
    for sdmetrics in (False, True):
        errors = dict(column_errors(real, synthetic, sdmetrics=sdmetrics))
        assert ("e" in errors) != sdmetrics
        assert shape_error(real, synthetic, sdmetrics=sdmetrics) < 0.1
        assert trend_error(real, synthetic, sdmetrics=sdmetrics) < 0.2
    without = tstr_score(real.drop(columns="e"), synthetic.drop(columns="e"), "c")
    assert tstr_score(real, synthetic, "c") == without
    assert tstr_score(real, synthetic.assign(e=1.0), "c") == without
    real.loc[0, "e"] = 1.0
    assert c2st_score(real, synthetic, random_state=0) == pytest.approx(0.5, abs=0.1)
    assert shape_error(real[["e"]], synthetic[["e"]], sdmetrics=True) == 0


def test_a_column_that_one_table_lacks_is_named(rng):
    pd = pytest.importorskip("pandas")
    real = pd.DataFrame(rng.normal(size=(50, 3)), columns=["a", "b", "c"])
    for other, message in (
        (real.drop(columns="b"), "one of them lacks 'b'"),
        (real.rename(columns={"b": "d"}), "one of them lacks 'b', 'd'"),
        (real[["b", "a", "c"]], "same columns in the same order.$"),
    ):
        with pytest.raises(ValueError, match=message):
            shape_error(real, other)
