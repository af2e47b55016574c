"""Levels that two others tell together."""

from itertools import product

import numpy as np
import pytest

from skgmmgan import GMMGAN, GMMGANClassifier, load, save
from skgmmgan._pairs import find_told_by_two, goes_together
from skgmmgan.metrics import rule_errors

pd = pytest.importorskip("pandas")

PRIOR = {"max_epochs": 0, "adversarial_rounds": 0, "random_state": 0}
TOLD = {"price": ["product", "size"], "fee": ["tariff", "months"]}
ORDERS = {
    "told last": ["product", "size", "tariff", "months", "age", "price", "fee", "amount"],
    "told first": ["fee", "price", "amount", "months", "size", "age", "tariff", "product"],
    "told between": ["product", "price", "tariff", "fee", "amount", "months", "age", "size"],
}


def draw(n=1500, seed=0, gaps=0.0):
    """Orders: a price by product and size, a fee by tariff and months, none of which tells one of these; an amount."""
    rng, fixed = np.random.RandomState(seed), np.random.RandomState(1)
    price, fee = fixed.choice(np.arange(45) * 1.25 + 3, (14, 5)), fixed.choice([0, 2, 5, 9], (3, 5))
    of_product, size = rng.choice(14, n, p=rng.dirichlet(np.full(14, 2.0))), rng.randint(0, 5, n)
    tariff, months = rng.randint(0, 3, n), rng.randint(0, 5, n)
    X = pd.DataFrame({"product": [f"p{i}" for i in of_product], "size": np.array(list("ASMLX"))[size]})
    X["tariff"], X["months"], X["age"] = [f"t{i}" for i in tariff], months, rng.normal(40, 9, n).round()
    X["price"], X["fee"] = price[of_product, size], fee[tariff, months].astype(str)
    X["amount"] = (X["price"] * rng.randint(1, 6, n)).round(2)
    for name in ("price", "fee", "product") if gaps else ():
        X.loc[rng.uniform(size=n) < gaps, name] = None
    return X.drop(columns="amount") if gaps else X


def are_wrong(X, rows, told):
    """Mask of the rows in which a known pair tells something else."""
    pair = TOLD[told]
    known = X.dropna(subset=[told, *pair]).groupby(pair)[told].first()
    own = known.reindex(pd.MultiIndex.from_frame(rows[pair])).to_numpy()
    return ~pd.isna(own) & rows[told].notna().to_numpy() & (own != rows[told].to_numpy())


@pytest.fixture(scope="module", params=[*ORDERS, "gaps"])
def fitted(request):
    X = draw(gaps=0.06) if request.param == "gaps" else draw()[ORDERS[request.param]]
    return GMMGAN(3, **PRIOR).fit(X), X


def test_drawn_rows(fitted):
    model, X = fitted
    rows, _ = model.sample(3000, random_state=0)
    for told, pair in TOLD.items():
        assert not are_wrong(X, rows, told).any()
        shares = {frozenset(names): share for names, share in rule_errors(X, rows)}
        assert shares[frozenset((told, *pair))] == 0
        np.testing.assert_allclose(rows[told].isna().mean(), X[told].isna().mean(), atol=0.02)
    shares = pd.concat([table["product"].value_counts(normalize=True) for table in (X, rows)], axis=1)
    assert np.ptp(shares.to_numpy(), axis=1).max() < 0.06


def test_conditions_and_gaps(fitted):
    model, X = fitted
    row = X.dropna().iloc[0]
    for conditions in (
        {"price": row["price"]},
        {"product": row["product"], "price": row["price"]},
        {"size": row["size"], "fee": "9"},
        {"fee": row["fee"], "tariff": row["tariff"]},
    ):
        rows, _ = model.sample(80, conditions=conditions, random_state=0)
        assert (rows[list(conditions)] == pd.Series(conditions)).all(axis=None)
        assert not any(are_wrong(X, rows, told).any() for told in TOLD)
    holes = X.dropna().head(90).reset_index(drop=True)
    for i, name in enumerate(["price", "product", "fee"]):
        holes.loc[30 * i : 30 * i + 29, name] = None
    filled = model.impute(holes, random_state=0)
    assert filled.notna().all(axis=None)
    assert not any(are_wrong(X, filled, told).any() for told in TOLD)


def test_what_breaks_it_is_unlikely_and_told(fitted):
    model, X = fitted
    rows = X.dropna().head(50)
    other = rows.assign(price=np.where(rows["price"] == X["price"].max(), X["price"].min(), X["price"].max()))
    assert (model.score_samples(rows) - model.score_samples(other)).min() > 2
    pair = {"tariff": "t1", "months": 0}
    asked = next(
        pair | {"fee": fee} for fee in "0259" if are_wrong(X, pd.DataFrame([pair | {"fee": fee}]), "fee").any()
    )
    with pytest.warns(UserWarning, match="'fee' goes with '(tariff' and 'months|months' and 'tariff)'"):
        model.sample(5, conditions=asked, random_state=0)


def test_saved_models_know_it(fitted, tmp_path):
    model, _ = fitted
    save(model, tmp_path / "model")
    drawn = [each.sample(40, random_state=0)[0] for each in (model, load(tmp_path / "model"))]
    pd.testing.assert_frame_equal(*drawn)


def test_densities_sum_to_one(rng):
    a, b = rng.randint(0, 3, 900), rng.randint(0, 4, 900)
    told = np.array([[0, 1, 2, 1], [1, 0, 0, 2], [2, 2, 1, 0]])
    X = pd.DataFrame({"a": a, "told": told[a, b], "b": b}).astype(str)
    X.loc[rng.uniform(size=900) < 0.1, "told"] = None
    model = GMMGAN(2, **PRIOR).fit(X)
    assert model._model.codec.by_two
    every = pd.DataFrame(product("012", ["0", "1", "2", None], "0123"), columns=list(X))
    assert np.exp(model.score_samples(every)).sum() == pytest.approx(1, abs=0.04)  # and unseen levels


def test_labels_take_no_part():
    X = draw(600)
    model = GMMGANClassifier(1, **PRIOR).fit(X.drop(columns="fee"), X["fee"])
    rows, labels = model.sample(300, random_state=0)
    assert not are_wrong(X, rows.assign(fee=labels), "price").any()


def test_chance_tells_nothing(rng):
    a, b, c = rng.randint(0, 4, (3, 2000))
    copies = {"a": a, "b": b, "c": c, "copy": a, "told": b // 2}
    assert not find_told_by_two(copies, list("abc"), ["copy", "told", "c"])
    few = {"a": np.arange(200) // 2, "b": np.arange(200) % 7, "c": rng.randint(0, 5, 200)}
    assert not find_told_by_two(few, list("ab"), ["c"])
    round_ = {"a": a, "b": b, "c": (a + b) % 4}  # of which each two tell the third
    assert find_told_by_two(round_, list("abc"), list("abc")) == {"c": ("a", "b")}
    chain = {"a": a, "b": b, "c": a // 2 + b // 3, "d": c, "e": (a // 2 + b // 3 + c) % 3}
    assert find_told_by_two(chain, list("abcde"), list("abcde")) == {"c": ("a", "b"), "e": ("c", "d")}


def test_which_levels_go_together():
    a, b = np.repeat([0, 1], 6), np.tile([0, 1, 2], 4)
    c = np.where(a == 0, b, 0)
    goes = goes_together(a, b, c, (2, 4, 4), (-1, -1, -1))
    assert goes.shape == (3, 5, 4)
    assert goes[0, 1].tolist() == [False, True, False, False]
    assert goes[0, 3].all()  # a pair that never came
    assert goes[2].all()
    assert goes[:, 4].all()
    c[[0, 5]] = 3  # missing
    assert goes_together(a, b, c, (2, 4, 4), (-1, -1, 3))[:, :, 3].all()
    c[(a == 0) & (b == 0)] = 3
    c[5] = 2
    goes = goes_together(a, b, c, (2, 4, 4), (-1, -1, 3))
    assert goes[0, 0].tolist() == [False, False, False, True]
    assert not goes[1, 0, 3]
