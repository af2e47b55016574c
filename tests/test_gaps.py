"""Columns that others determine and of which some cells are missing by chance."""

import numpy as np
import pytest
import torch

from skgmmgan import GMMGAN, load, save
from skgmmgan._dependencies import dependency, hidden_dependency
from skgmmgan._generator import restricted
from skgmmgan.metrics import rule_errors

pd = pytest.importorskip("pandas")

PRIOR = {"max_epochs": 0, "adversarial_rounds": 0, "random_state": 0}
PAIRS = [("shop", "city"), ("city", "state"), ("shop", "size")]


def draw(n, n_shops, n_cities, gaps, seed=0):
    """Shops in cities in states, with sizes of their own; a share of the cells of each column is missing by chance."""
    rng = np.random.RandomState(seed)
    city, size = rng.randint(0, n_cities, n_shops), rng.choice(np.arange(40, 400, 3), n_shops)
    shop = rng.choice(n_shops, n, p=rng.dirichlet(np.ones(n_shops)))
    X = pd.DataFrame({"age": rng.normal(40, 10, n).round(), "shop": [f"shop {s}" for s in shop]})
    X["city"], X["state"] = [f"city {c}" for c in city[shop]], [f"state {c % 5}" for c in city[shop]]
    X["size"] = size[shop].astype(float)
    for name, share in gaps.items():
        X.loc[rng.uniform(size=n) < share, name] = None
    return X


def unseen(X, rows):
    """Pairs of cells, both there, that never came together, though others did with the first of them."""
    found = set()
    for pair in map(list, PAIRS):
        known, own = (set(table[pair].dropna().itertuples(index=False, name=None)) for table in (X, rows))
        firsts = {first for first, _ in known}
        found |= {(first, second) for first, second in own - known if first in firsts}
    return found


TABLES = {
    "told": (900, 60, 20, {"city": 0.06, "size": 0.1}),
    "both": (900, 60, 20, {"shop": 0.08, "city": 0.06}),
    "many": (4000, 400, 280, {"shop": 0.05, "city": 0.06, "state": 0.04, "size": 0.05}),
}


@pytest.fixture(scope="module", params=TABLES)
def fitted(request):
    X = draw(*TABLES[request.param])
    return GMMGAN(2, **PRIOR).fit(X), X


def test_gaps_hide_no_dependency(fitted):
    model, X = fitted
    rows, _ = model.sample(3000, random_state=0)
    assert not unseen(X, rows)
    assert rows.isna().mean().to_numpy() == pytest.approx(X.isna().mean().to_numpy(), abs=0.025)
    shares = dict(rule_errors(X, rows))
    assert [shares[second, first] for first, second in PAIRS] == [0, 0, 0]


def test_gaps_are_filled_with_what_was_hidden(fitted):
    model, X = fitted
    filled = model.impute(X, random_state=0)
    assert not unseen(X, filled[X["shop"].notna()])
    assert filled.notna().all(axis=None)
    hidden = X["city"].isna() & X["shop"].notna()
    known = X.dropna().drop_duplicates("shop").set_index("shop")["city"].reindex(filled.loc[hidden, "shop"])
    assert (known.isna() | (known.to_numpy() == filled.loc[hidden, "city"].to_numpy())).all()


def test_conditions(fitted):
    model, X = fitted
    complete = X.dropna()
    for name in ("shop", "city", "state"):
        rows, _ = model.sample(60, conditions={name: complete[name].iloc[0]}, random_state=0)
        assert not unseen(X, rows)
    for name in X.columns[X.isna().any()]:
        rows, _ = model.sample(60, conditions={name: None}, random_state=0)
        assert rows[name].isna().all()
        assert not unseen(X, rows)


def test_a_gap_breaks_nothing_and_another_city_does(fitted):
    model, X = fitted
    rows = X.dropna().head(20)
    wrong = rows.assign(city=X["city"].dropna().iloc[-1])
    wrong, rows = wrong[wrong["city"] != rows["city"]], rows[wrong["city"] != rows["city"]]
    own, gap, other = (model.score_samples(table).mean() for table in (rows, rows.assign(city=None), wrong))
    assert own - gap < 15
    assert other < gap - 2 or other < own - 5


def test_saved_models_know_gaps(fitted, tmp_path):
    model, X = fitted
    save(model, tmp_path / "model")
    copy = load(tmp_path / "model")
    pd.testing.assert_frame_equal(copy.sample(50, random_state=1)[0], model.sample(50, random_state=1)[0])
    np.testing.assert_allclose(copy.score_samples(X.head(50)), model.score_samples(X.head(50)))


def test_other_shops_are_unlikely(fitted):
    model, X = fitted
    assert np.isfinite(model.score_samples(X)).all()
    assert model.score(model.sample(1000, random_state=0)[0]) > model.score(draw(1000, 60, 20, {}, seed=9)) + 3


def draw_pairs(case, n=2500):
    """Plans and prices, or shops and cities, whose gaps are not at random."""
    rng = np.random.RandomState(0)
    if case == "of some":  # a price is missing exactly if the plan is free, and some plans are missing
        plan = rng.choice(["free", "basic", "pro"], n, p=[0.5, 0.3, 0.2])
        X = pd.DataFrame({"first": plan, "second": pd.Series(plan).map({"basic": "9", "pro": "29"})})
        X.loc[rng.uniform(size=n) < 0.1, "first"] = None
        return X
    shop, u = rng.randint(0, 12, n), rng.uniform(size=n)
    X = pd.DataFrame({"first": [f"shop {s}" for s in shop], "second": [f"city {s % 5}" for s in shop]})
    if case == "never both":
        X.loc[u < 0.3, "first"], X.loc[u > 0.7, "second"] = None, None
    else:  # in some shops alone
        X.loc[(shop < 6) & (u < 0.5), "second"] = None
    return X


@pytest.mark.parametrize("case", ["of some", "never both", "some shops"])
def test_gaps_that_are_ruled_out_stay_so(case):
    X = draw_pairs(case)
    rows, _ = GMMGAN(2, **PRIOR).fit(X).sample(3000, random_state=0)
    pairs = [pd.crosstab(t["first"].fillna("gap"), t["second"].fillna("gap")) for t in (X, rows)]
    known = pairs[0].reindex_like(pairs[1]).fillna(0)
    ruled_out = (known == 0) & (np.outer(known.sum(axis=1), known.sum()) / len(X) > 25)
    assert ruled_out.to_numpy().any()
    assert (pairs[1].to_numpy()[ruled_out] == 0).all()


def test_shops_whose_cities_are_always_missing_are_as_frequent():
    rng = np.random.RandomState(0)
    shop, city = rng.randint(0, 1500, 4000), rng.randint(0, 20, 1500)
    X = pd.DataFrame({"shop": [f"s{s}" for s in shop], "city": [f"c{c}" for c in city[shop]]})
    X.loc[rng.uniform(size=4000) < 0.25, "city"] = None
    model = GMMGAN(2, **PRIOR).fit(X)
    rows, _ = model.sample(8000, random_state=0)
    alone = X.groupby("shop")["city"].count() == 0
    shares = [table["shop"].map(alone).mean() for table in (X, rows)]
    assert 0.03 < shares[0] == pytest.approx(shares[1], abs=0.01)
    told = X.loc[X["shop"].isin(X["shop"].value_counts().index[:3])].dropna().iloc[0]  # rare, as all are
    drawn, _ = model.sample(400, conditions={"shop": told["shop"]}, random_state=0)
    assert set(drawn["city"].dropna()) == {told["city"]}
    assert 0.02 < drawn["city"].isna().mean() < 0.6


def test_contradicting_cells_do_not_make_a_third_missing():
    rng = np.random.RandomState(0)
    shop = rng.randint(0, 30, 3000)
    X = pd.DataFrame({"shop": [f"s{s}" for s in shop], "city": [f"c{s % 10}" for s in shop]})
    X["district"] = [f"d{s % 5}" for s in shop]
    for name in X:
        X.loc[rng.uniform(size=3000) < 0.05, name] = None
    with pytest.warns(UserWarning, match="contradict"):
        rows, _ = GMMGAN(2, **PRIOR).fit(X).sample(300, conditions={"shop": "s3", "city": "c7"}, random_state=0)
    assert rows["district"].isna().mean() < 0.3


@pytest.mark.parametrize("n_levels", [6, 40, 400])
def test_a_level_tells_whether_another_cell_is_missing(n_levels, rng):
    told = np.where(rng.uniform(size=1500) < 0.1, "no show", rng.choice(list("abc"), 1500))
    comment = pd.Series(rng.randint(0, n_levels, 1500).astype(str)).mask(told == "no show")
    start = rng.randint(480, 1020, 1500).astype(float)
    X = pd.DataFrame({"comment": comment, "start": start, "come": start - rng.randint(0, 25, 1500), "told": told})
    X["come"] = X["come"].mask(told == "no show")
    model = GMMGAN(2, **PRIOR).fit(X)
    rows, _ = model.sample(2000, random_state=0)
    for name in ("comment", "come"):
        assert (rows[name].isna() == (rows["told"] == "no show")).all()
        assert model.sample(50, conditions={"told": "no show"}, random_state=0)[0][name].isna().all()
    mixed = rows.assign(told=np.roll(rows["told"], 1))
    assert ("told", "comment") in dict(rule_errors(X, mixed))


def test_dependency_but_for_gaps(rng):
    a = rng.randint(0, 6, 600)
    b = np.where(rng.uniform(size=600) < 0.1, 3, a % 3)
    a[rng.uniform(size=600) < 0.1] = 6
    assert dependency(a, b, (7, 4)) is None
    expected = np.ones((8, 4), dtype=bool)
    expected[:6, :3] = np.arange(6)[:, None] % 3 == np.arange(3)
    assert (hidden_dependency(a, b, (7, 4), (6, 3)) == expected).all()


def test_what_came_with_gaps_alone_stays_so():
    a, b = np.repeat(np.arange(5), 100), np.repeat([0, 1, 0, 1, 2], 100)
    b[[3, 250]] = 2  # missing
    allowed = hidden_dependency(a, b, (5, 3), (-1, 2))
    assert allowed.tolist()[4:] == [[False, False, True], [True, True, True]]


def test_a_gap_is_as_likely_as_without_masks():
    log_prob = torch.log(torch.tensor([[0.5, 0.2, 0.2, 0.1]])).expand(3, -1)
    allowed = torch.tensor([[True, False, False, True], [True, True, False, False], [False, False, False, True]])
    left = torch.softmax(restricted(log_prob, [allowed], gap=3), 1)
    expected = [[0.9, 0, 0, 0.1], [5 / 7, 2 / 7, 0, 0], [0, 0, 0, 1]]
    np.testing.assert_allclose(left, expected, rtol=1e-6)
    others = torch.tensor([[False, True, False, True]] * 3)  # which contradict the first, and not the last
    left = torch.softmax(restricted(log_prob, [allowed, others], gap=3), 1)
    expected = [[0.5, 0.2, 0.2, 0.1], [0, 1, 0, 0], [0, 0, 0, 1]]
    np.testing.assert_allclose(left, expected, rtol=1e-6)
