"""Rows are drawn again among those with the same levels, so that a rule costs no level its share."""

import numpy as np
import pandas as pd
import pytest

from skgmmgan import GMMGAN, GMMGANClassifier, load, save
from skgmmgan._strata import find_strata, pairs_of

PRIOR = {"n_components": 3, "max_epochs": 0, "adversarial_rounds": 0, "random_state": 0}
TOWNS = {"Berlin": (52.5, 13.4), "Paris": (48.9, 2.35), "Madrid": (40.4, -3.7), "Rome": (41.9, 12.5)}


def places(n=1500, seed=0):
    """Towns with coordinates, of which one mixture for all of them knows little."""
    rng = np.random.RandomState(seed)
    town = rng.choice(list(TOWNS), n)
    lat, lon = (np.round([TOWNS[t][k] for t in town] + rng.normal(0, 0.05, n), 3) for k in (0, 1))
    return pd.DataFrame({"town": pd.Categorical(town), "lat": lat, "lon": lon, "sales": rng.gamma(2, 100, n).round()})


@pytest.fixture(scope="module")
def model():
    return GMMGAN(**PRIOR).fit(places())


def test_levels_keep_their_share(model):
    rows, _ = model.sample(6000)
    strata = model._model.strata
    assert strata.columns == [0]
    assert np.ptp(strata.log_within) > 0.5
    shares = [X["town"].value_counts(normalize=True) for X in (rows, places())]
    assert shares[0].to_dict() == pytest.approx(shares[1].to_dict(), abs=0.03)
    assert not model._model.beyond(model._values(rows)).any()


def test_conditions_weigh_rows_as_they_are_drawn(model):
    """Given sales, which tell nothing of the town, towns have their shares, too."""
    rows, _ = model.sample(2000, conditions={"sales": 150})
    shares = rows["town"].value_counts(normalize=True)
    assert shares.to_dict() == pytest.approx(dict.fromkeys(TOWNS, 0.25), abs=0.06)


def test_classes_keep_their_share():
    X = places()
    classifier = GMMGANClassifier(1, covariance_type="full", reg_covar=1e-3, max_epochs=0, adversarial_rounds=0)
    classifier.fit(X.drop(columns="sales"), np.where(X["sales"] > 300, "good", "bad"))
    _, y = classifier.sample(4000, random_state=0)
    assert (y == "good").mean() == pytest.approx((X["sales"] > 300).mean(), abs=0.03)


def test_saved_and_loaded(model, tmp_path):
    pytest.importorskip("skops")
    save(model, tmp_path / "model")
    assert load(tmp_path / "model").score(places()) == model.score(places())


def test_strata_are_the_levels_that_matter():
    rng = np.random.RandomState(0)
    levels = {3: rng.randint(0, 4, 10_000), 5: rng.randint(-1, 3, 10_000), 7: rng.randint(0, 50, 10_000)}
    kept = rng.uniform(size=10_000) < np.array([0.9, 0.1, 0.5, 0.5])[levels[3]]
    strata = find_strata(levels, {3: 4, 5: 3, 7: 50}, kept)
    assert strata.columns == [3]
    assert np.exp(strata.log_within) == pytest.approx([0.9, 0.1, 0.5, 0.5, 0.5], abs=0.03)
    assert strata.of({3: np.array([2, -1, 0])}, 3).tolist() == [2, 4, 0]
    kept &= rng.uniform(size=10_000) < np.array([1.0, 1.0, 0.2])[levels[5]]
    assert sorted(find_strata(levels, {3: 4, 5: 3, 7: 50}, kept).columns) == [3, 5]
    assert find_strata(levels, {3: 4, 5: 3, 7: 50}, rng.uniform(size=10_000) < 0.5).columns == []
    alone = find_strata({}, {}, np.array([True, True, False, True]))
    assert alone.columns == []
    assert alone.of({}, 1).tolist() == [0]
    assert np.exp(alone.log_within) == pytest.approx(0.75)


def test_pairs_are_of_the_same_code_and_use_each_once():
    wanted, offered = np.array([2, 0, 2, 5, 2]), np.array([0, 2, 0, 2, 7])
    first, second = pairs_of(wanted, offered)
    assert (wanted[first] == offered[second]).all()
    assert sorted(wanted[first]) == [0, 2, 2]
    assert len(set(first)) == len(set(second)) == 3
