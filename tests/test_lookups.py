"""Categories of which there are more than levels, and what they tell of others."""

import numpy as np
import pytest

from skgmmgan import GMMGAN, load, save
from skgmmgan.metrics import rule_errors

pd = pytest.importorskip("pandas")

PRIOR = {"max_epochs": 0, "adversarial_rounds": 0, "random_state": 0}
CITIES, ZIPS = 400, 700


@pytest.fixture(scope="module")
def places():
    """By zip code: the city and its state."""
    rng = np.random.RandomState(0)
    city = np.sort(rng.randint(0, CITIES, ZIPS))
    state = rng.choice(list("ABCDEFGH"), CITIES)
    places = pd.DataFrame({"city": [f"city {c}" for c in city], "state": state[city]})
    return places.set_index(pd.Index([f"{z:05d}" for z in rng.choice(10**5, ZIPS, replace=False)], name="zip"))


def draw(places, n, seed):
    rng = np.random.RandomState(seed)
    share = 1 / np.arange(1, ZIPS + 1) ** 0.6
    rows = places.iloc[rng.permutation(ZIPS)].sample(n, replace=True, weights=share, random_state=seed).reset_index()
    income = np.exp(3 + 0.1 * rows["state"].map(ord) + rng.normal(0, 0.4, n)).round(1)
    return rows.assign(income=income)


@pytest.fixture(scope="module", params=["zip first", "zip last"])
def fitted(request, places):
    X = draw(places, 3000, 1)
    X = X if request.param == "zip first" else X[["state", "income", "city", "zip"]]
    return GMMGAN(**PRIOR).fit(X), X


def are_right(rows, places):
    told = places.loc[rows["zip"]]
    return (told[["city", "state"]].to_numpy() == rows[["city", "state"]].to_numpy()).all(axis=1)


def test_drawn_categories_tell_what_they_did(fitted, places):
    model, X = fitted
    rows, _ = model.sample(3000, random_state=0)
    assert are_right(rows, places).all()
    assert rows["zip"].nunique() > 450
    assert rows["city"].nunique() > 280
    assert max(share for columns, share in rule_errors(X, rows) if "income" not in columns) == 0
    top = X["zip"].value_counts().index[0]
    assert (rows["zip"] == top).mean() == pytest.approx((X["zip"] == top).mean(), abs=0.01)


def test_conditions_on_rare_categories(fitted, places):
    model, X = fitted
    rare_zip, rare_city = X["zip"].value_counts().index[-1], X["city"].value_counts().index[-1]
    state = places.loc[places["city"] == rare_city, "state"].iloc[0]
    for conditions in ({"zip": rare_zip}, {"city": rare_city}, {"city": rare_city, "state": state}, {"state": "C"}):
        rows, _ = model.sample(50, conditions=conditions, random_state=0)
        assert are_right(rows, places).all()
        for name, value in conditions.items():
            assert (rows[name] == value).all()
    other = "A" if state != "A" else "B"
    with pytest.warns(UserWarning, match="at fit .'(state|city)' goes with '(state|city)'"):
        model.sample(5, conditions={"city": rare_city, "state": other}, random_state=0)


def test_gaps_of_places_are_filled(fitted, places):
    model, X = fitted
    holes = X.head(90).copy()
    holes.loc[holes.index[:30], "city"] = None
    holes.loc[holes.index[:60], "state"] = None
    holes.loc[holes.index[60:], "zip"] = None
    filled = model.impute(holes, random_state=0)
    assert (filled[["city", "state"]][:60] == X[["city", "state"]][:60]).all(axis=None)
    assert are_right(filled, places)[60:].mean() > 0.9


def test_rows_that_break_it_score_low(fitted, places):
    model, X = fitted
    rows = X.head(200)
    for broken in (rows.assign(city=np.roll(rows["city"], 1)), rows.assign(state=np.roll(rows["state"], 1))):
        wrong = ~are_right(broken, places)
        fall = model.score_samples(rows)[wrong] - model.score_samples(broken)[wrong]
        assert np.isfinite(fall).all()
        assert np.median(fall) > 3


def test_probabilities_sum_to_one():
    """Of every zip code, given the state."""
    rng = np.random.RandomState(0)
    state = rng.choice(list("AB"), 300)
    zips = np.arange(300).astype(str)
    rows = rng.choice(300, 2000, p=np.linspace(0.2, 1.8, 300) / 300)
    model = GMMGAN(1, **PRIOR).fit(pd.DataFrame({"state": state[rows], "zip": zips[rows]}))
    seen = np.unique(rows)
    every = pd.DataFrame({"state": state[seen], "zip": zips[seen]})
    assert np.exp(model.score_samples(every)).sum() == pytest.approx(1, abs=0.01)


def test_saved_and_loaded(fitted, tmp_path):
    model, X = fitted
    save(model, tmp_path / "model.skg")
    again = load(tmp_path / "model.skg")
    np.testing.assert_array_equal(model.score_samples(X.head(50)), again.score_samples(X.head(50)))
    pd.testing.assert_frame_equal(model.sample(50, random_state=3)[0], again.sample(50, random_state=3)[0])


def test_a_category_that_tells_nothing_is_drawn_as_before(places):
    X = draw(places, 2000, 1)
    X["state"] = np.where(np.arange(2000) % 97 == 0, "Z", X["state"])
    model = GMMGAN(**PRIOR).fit(X)
    assert [X.columns[lookup.column] for lookup in model._model.codec.lookups] == ["zip"]
    assert np.isfinite(model.score_samples(X)).all()


def test_what_is_hardly_hit_is_left_away():
    """A name tells three columns that have nothing to do with each other, and there are two rows of each."""
    rng = np.random.RandomState(0)
    own = rng.permutation(np.repeat(np.arange(365), 2))[:600]
    X = pd.DataFrame({name: rng.randint(n, size=365)[own] for name, n in (("a", 12), ("b", 20), ("c", 7))}).astype(str)
    X["date"] = [f"name {i}" for i in own]
    model = GMMGAN(2, covariance_type="full", reg_covar=0.01, **PRIOR).fit(X)
    (lookup,) = model._model.codec.lookups
    assert 0 < len(lookup.units) < 3
    rows, _ = model.sample(500, random_state=0)
    told = X.drop_duplicates("date").set_index("date").loc[rows["date"]].reset_index(drop=True)
    kept = [X.columns[j] for j, s in enumerate(model._model.codec.slices) if s.start in lookup.units]
    assert (rows[kept] == told[kept]).to_numpy().mean() > 0.99
