import numpy as np
import pytest
from scipy.integrate import trapezoid
from scipy.stats import norm

from skgmmgan import GMMGAN
from skgmmgan._codec import Codec
from skgmmgan._columns import ABSENT, ACTIVE, MAX_LEVELS, is_discrete
from skgmmgan._dependencies import find_grouped
from skgmmgan._numbers import Decimals
from skgmmgan._rounded import Options
from skgmmgan._table import UNSEEN
from skgmmgan._unknowns import Unknowns


def make_codec(values, categorical=False, nominal=None, **kwargs):
    values = np.asarray(values, dtype=float).reshape(len(values), -1)
    mask = np.broadcast_to(categorical, values.shape[1])
    nominal = mask if nominal is None else np.broadcast_to(nominal, values.shape[1])
    kwargs = {"n_knots": 5, "rng": np.random.RandomState(0), **kwargs}
    return values, Codec(values, mask, nominal, **kwargs)


SIZES = np.cumsum(np.random.RandomState(1).choice([1.0, 2.0, 3.5, 7.0], 60))  # numbers that a catalogue holds


def test_only_numbers_of_an_uneven_list_come_back(rng):
    x = rng.choice(SIZES, 4000)
    values, codec = make_codec(x)
    rows = codec.encode(values, rng)
    assert abs(rows.z.mean()) < 0.05
    assert rows.z.std() == pytest.approx(1, abs=0.05)
    assert np.array_equal(codec.as_given(codec.decode(rows.z, rows.codes, rng)), values)
    fresh = codec.decode(rng.normal(size=(4000, 1)), np.full((4000, 1), ACTIVE), rng)
    assert set(codec.as_given(fresh).ravel()) <= set(SIZES)
    assert not set(codec.as_given(fresh, enforce_decimals=False).ravel()) <= set(SIZES)


def test_numbers_beyond_an_uneven_list_do_not_fly_off(rng):
    _, codec = make_codec(rng.choice(np.append(SIZES, SIZES[-1] + 0.01), 4000))
    beyond = SIZES[-1] + np.array([[1.0], [20.0], [100.0]])
    rows, spread = codec.encode(beyond), codec.encode(beyond, rng)
    assert rows.z.max() < 20
    assert np.array_equal(rows.z, spread.z)
    assert np.allclose(codec.decode(rows.z, rows.codes, rng), beyond)


def test_numbers_that_differ_by_float_error_have_no_cells(rng):
    tenths = rng.randint(1, 60, 6000)
    _, codec = make_codec(np.where(rng.uniform(size=6000) < 0.5, tenths * 0.1, tenths / 10))
    assert isinstance(codec.columns[0].grid, Decimals)
    _, codec = make_codec(1e15 + rng.choice(SIZES, 6000))
    assert isinstance(codec.columns[0].grid, Decimals)


def test_heaps_without_decimals_are_no_atoms():
    counts = np.random.RandomState(0).poisson(np.tile([300, 60, 60, 60, 150], 12))
    _, codec = make_codec(np.repeat((np.arange(60) + 1) / 3, counts))
    assert codec.columns[0].levels is None
    assert len(codec.columns[0].grid.values) == 60


def test_a_line_of_an_uneven_list(rng):
    source = np.round(np.concatenate([np.full(3000, 9.99), rng.choice(SIZES, 2000) + 0.99]), 2)
    values, codec = make_codec(np.column_stack([source, source * 0.0254]))
    assert codec.columns[1].sources == [0]
    asked, fixed = np.array([[np.nan, 38.5 * 0.0254]]), np.array([[False, True]])
    completed, _ = Unknowns(codec, Options()).complete(asked, fixed)
    assert completed[0, 0] == 38.5
    assert np.array_equal(codec.as_given(values)[:, 0], source)


def test_density_of_an_uneven_list(rng):
    _, codec = make_codec(rng.choice(SIZES, 4000))
    x = np.linspace(-50, 300, 700_001)
    rows = codec.encode(x[:, None])
    assert trapezoid(norm.pdf(rows.z[:, 0]) * np.exp(rows.log_slopes[:, 0]), x) == pytest.approx(1.0, abs=1e-3)


def test_rare_numbers_between_others_stay_rare(rng):
    x = np.round(rng.normal(0, 12, 10_000))
    x[:4] = [1 / 3, 2 / 3, 4.6666, 9.3333]
    _, codec = make_codec(x)
    z = rng.normal(size=(50_000, 1))
    drawn = codec.as_given(codec.decode(z, np.full(z.shape, ACTIVE), rng))
    assert np.mean(drawn % 1 != 0) < 0.002


def test_a_spike_beside_an_uneven_list_comes_back(rng):
    x = np.concatenate([np.zeros(3000), rng.choice(SIZES, 2000)])
    values, codec = make_codec(x)
    rows = codec.encode(values)
    assert np.array_equal(np.unique(rows.codes[:, 0]), [ACTIVE, 1])
    assert np.array_equal(codec.as_given(codec.decode(rows.z, rows.codes, rng)), values)
    assert np.isnan(codec.as_given(np.array([[np.nan]]))).all()


def test_few_distinct_numbers_are_levels(rng):
    assert is_discrete(rng.poisson(2, 500).astype(float))
    assert not is_discrete(rng.normal(size=500))
    assert is_discrete(np.full(5, 7.0))


def test_continuous_column_round_trip_and_density(rng):
    values, codec = make_codec(rng.lognormal(0, 1, 400))
    rows = codec.encode(values)
    assert np.allclose(codec.decode(rows.z, rows.codes, rng), values)
    x = np.linspace(1e-3, 400, 400_001)
    rows = codec.encode(x[:, None])
    density = norm.pdf(rows.z[:, 0]) * np.exp(rows.log_slopes[:, 0])
    below = norm.cdf(codec.encode(x[:1, None]).z[0, 0])
    assert trapezoid(density, x) + below == pytest.approx(1.0, abs=1e-3)


def test_values_beyond_the_training_range_have_finite_coordinates(rng):
    _, codec = make_codec(rng.normal(size=200))
    rows = codec.encode(np.array([[-1e6], [1e6]]))
    assert np.isfinite(rows.z).all()
    assert np.isfinite(rows.log_slopes).all()


def test_values_beyond_a_crowded_end_do_not_fly_off(rng):
    _, codec = make_codec(np.concatenate([1000 + rng.uniform(size=300), rng.uniform(1000, 100_000, 30)]))
    assert -30 < codec.encode(np.array([[100.0]])).z[0, 0] < -2


def test_small_numbers_of_a_heavy_tail_are_no_atom(rng):
    values, codec = make_codec(np.where(rng.uniform(size=5000) < 0.3, 0.0, np.exp(4 * rng.normal(size=5000))))
    assert codec.columns[0].levels.unit.n_levels == 2
    assert np.array_equal(codec.as_given(values), values)


def test_atoms_and_missing_cells_become_states(rng):
    x = np.concatenate([np.zeros(100), [np.nan] * 50, rng.normal(5, 1, 350)])
    values, codec = make_codec(x)
    assert [unit.n_levels for unit in codec.units] == [3, 0]
    assert np.allclose(codec.units[0].shares, [0.7, 0.2, 0.1])
    assert codec.units[1].parent == 0
    rows = codec.encode(values)
    assert (rows.codes[:150, 1] == ABSENT).all()
    assert (rows.z[:150, 1] == 0).all()
    assert (rows.codes[150:] == ACTIVE).all()
    assert np.allclose(codec.decode(rows.z, rows.codes, rng), values, equal_nan=True)


def test_first_missing_cell_is_an_unseen_state(rng):
    _, codec = make_codec(np.concatenate([np.zeros(100), rng.normal(5, 1, 350)]))
    assert codec.encode(np.array([[np.nan]])).codes.tolist() == [[ABSENT, ABSENT]]


def test_noise_stays_inside_the_rounding_step(rng):
    values, codec = make_codec(np.round(rng.normal(0, 10, 500), 1))
    noisy = codec.encode(values, rng)
    decoded = codec.decode(noisy.z, noisy.codes, rng)
    assert 0.02 < np.abs(decoded - values).mean() < 0.03
    assert np.allclose(codec.as_given(decoded), values)


def test_bounds_and_decimals_can_be_switched_off(rng):
    _, codec = make_codec(np.round(rng.normal(0, 1, 500), 2))
    x = np.array([[99.123]])
    assert codec.as_given(x)[0, 0] < 10
    assert codec.as_given(x, enforce_bounds=False)[0, 0] == 99.12
    assert codec.as_given(x, enforce_bounds=False, enforce_decimals=False)[0, 0] == 99.123


def levels_of(codec, column, values):
    """Codes of the levels of one column's values."""
    table = np.zeros((len(values), len(codec.columns)))
    table[:, column] = values
    return codec.encode(table).codes[:, codec.slices[column].start].tolist()


def test_nominal_levels_are_ordered_by_frequency_alone_and_numbers_by_size():
    x = np.repeat([0.0, 1.0, 2.0], [10, 20, 70])
    assert levels_of(make_codec(x, True)[1], 0, [2, 1, 0]) == [0, 1, 2]
    assert levels_of(make_codec(x)[1], 0, [2, 1, 0]) == [2, 1, 0]


@pytest.mark.parametrize("n", [300, 30_000])
def test_nominal_levels_are_ordered_by_what_goes_with_them(rng, n):
    kind = rng.choice([0.0, 1.0, 2.0, np.nan], n, p=[0.4, 0.2, 0.1, 0.3])
    price = rng.normal(np.select([kind == 0, kind == 1, kind == 2], [0, 3, 1.5], 4.5))
    noise = rng.normal(size=(n, 3))
    _, codec = make_codec(np.column_stack([noise, kind, price]), [False] * 3 + [True, False])
    assert levels_of(codec, 3, [0, 2, 1, np.nan]) == [0, 1, 2, 3]


def test_nominal_levels_are_ordered_by_other_categories(rng):
    city = rng.choice(6, 2000)
    state = np.where(rng.uniform(size=2000) < 0.9, city % 2, rng.choice(2, 2000))
    _, codec = make_codec(np.column_stack([city, state, np.zeros(2000)]), [True, True, False])
    codes = levels_of(codec, 0, np.arange(6))
    assert sorted(sorted([codes[::2], codes[1::2]])[0]) == [0, 1, 2]


def test_levels_with_an_order_keep_it_where_rare_ones_share_one(rng):
    counts = np.where(np.arange(400) % 2, 3, rng.randint(20, 60, 400))
    _, codec = make_codec(np.repeat(np.arange(400.0), counts), True, nominal=False)
    codes = np.array(levels_of(codec, 0, np.arange(400)))
    assert np.array_equal(codes[::2], np.sort(codes[::2]))
    assert (codes[::2] < MAX_LEVELS - 1).all()
    assert (codes == MAX_LEVELS - 1).sum() == 400 - (MAX_LEVELS - 1)


@pytest.mark.parametrize("n", [500, 12_000])
def test_orders_that_chance_could_make_are_not_used(rng, n):
    kept = 0
    for _ in range(20):
        noise = np.column_stack([rng.choice(5, n, p=[0.3, 0.25, 0.2, 0.15, 0.1]), rng.normal(size=(n, 3))])
        _, codec = make_codec(noise, [True, False, False, False])
        kept += (
            levels_of(codec, 0, np.arange(5)) == np.argsort(-np.bincount(noise[:, 0].astype(int))).argsort().tolist()
        )
    assert kept >= 16


def test_unseen_categories_do_not_place_the_missing_ones(rng):
    kind = rng.choice([0.0, 1.0, 2.0], 2000)
    x = kind + 0.3 * rng.normal(size=2000)
    unseen = rng.uniform(size=2000) < 0.1
    x[unseen] = 9.0
    kind[(kind == 0) & (rng.uniform(size=2000) < 0.3)] = np.nan
    kind[unseen] = UNSEEN
    _, codec = make_codec(np.column_stack([x, kind]), [False, True])
    codes = levels_of(codec, 1, [np.nan, 0, 1, 2])
    assert codes in ([0, 1, 2, 3], [1, 0, 2, 3], [3, 2, 1, 0], [2, 3, 1, 0])


def test_rare_categories_share_a_level_and_are_drawn_at_their_rate(rng):
    counts = np.concatenate([[5000], np.full(999, 3)])
    values, codec = make_codec(np.repeat(np.arange(1000.0), counts), True)
    assert codec.units[0].n_levels == MAX_LEVELS
    rows = codec.encode(values)
    total = np.exp(np.log(codec.units[0].shares[rows.codes[:, 0]]) + rows.log_slopes[:, 0])
    assert np.allclose(total, counts[values[:, 0].astype(int)] / counts.sum())
    codes = np.full((200_000, 1), MAX_LEVELS - 1)
    drawn = codec.decode(np.zeros((200_000, 1)), codes, rng)
    members = np.bincount(drawn[:, 0].astype(int), minlength=1000)
    assert (members > 0).sum() == 1000 - (MAX_LEVELS - 1)
    assert members[members > 0].std() < 2 * np.sqrt(members[members > 0].mean())


def test_spread_fills_the_intervals_of_levels(rng):
    values, codec = make_codec(np.repeat([0.0, 1.0], [3000, 1000]), True)
    z = codec.spread(codec.encode(values), rng).z[:, 0]
    assert abs(z.mean()) < 0.05
    assert z.std() == pytest.approx(1, abs=0.05)
    assert z[:3000].max() <= norm.ppf(0.75) <= z[3000:].min()


def test_features_are_finite(rng):
    x = np.column_stack([rng.normal(size=300), rng.randint(0, 3, 300)])
    x[::7] = np.nan
    values, codec = make_codec(x)
    assert np.isfinite(codec.features(np.vstack([values, [[1e9, 77.0]]]))).all()


def test_all_missing_column_stays_missing(rng):
    values, codec = make_codec(np.full(30, np.nan))
    rows = codec.encode(values)
    assert np.isnan(codec.decode(rows.z, rows.codes, rng)).all()


def test_one_outlier_leaves_the_rest_of_the_column_alone(rng):
    x = np.append(rng.normal(size=2000), 1e10)
    _, codec = make_codec(x, n_knots=9)
    drawn = codec.decode(rng.normal(size=(4000, 1)), np.zeros((4000, 1), int), rng)[:, 0]
    assert np.mean(np.abs(drawn) < 4) > 0.98


def test_codes_of_what_is_asked_for(rng):
    x = np.where(rng.uniform(size=300) < 0.3, np.nan, rng.normal(size=300))
    _, codec = make_codec(np.column_stack([x, rng.randint(0, 3, 300), rng.normal(size=300)]))
    assert codec.missing_levels().tolist() == [1, -1, -1, -1]
    asked = np.array([[np.nan, 2, np.nan], [0.0, 7, 0.0], [99.0, 1, 99.0]])
    fixed = np.ones(3, dtype=bool)
    assert codec.allows(asked, fixed, True).tolist() == [[True, True, False], [True, False, True], [False, True, False]]
    assert codec.allows(asked, fixed, False)[2].all()
    assert codec.unit_mask(np.array([True, False, True])).tolist() == [True, True, False, True]


def wards(n=3000, seed=0):
    """A ward, and a sex that all in one of the wards have."""
    rng = np.random.RandomState(seed)
    ward = rng.choice(4, n, p=[0.4, 0.3, 0.2, 0.1]).astype(float)
    return np.column_stack([ward, np.where(ward == 3, 1.0, rng.randint(0, 2, n))])


def test_levels_that_never_come_together():
    """One ward in ten has one sex only; fifty in it could have been of the other."""
    values = wards()
    codec = Codec(values, np.ones(2, bool), np.ones(2, bool), n_knots=5, rng=np.random.RandomState(0))
    codec.restrict(values)
    ((_, allowed, _),) = codec.units[1].allowed
    ward = codec.encode(np.array([[3.0, 1.0]])).codes[0]
    expected = np.ones((5, 2), dtype=bool)
    expected[ward[0], 1 - ward[1]] = False
    np.testing.assert_array_equal(allowed, expected)
    few = values[:200]  # 20 in that ward, 10 of the other sex expected: that none is there may be chance
    codec = Codec(few, np.ones(2, bool), np.ones(2, bool), n_knots=5, rng=np.random.RandomState(0))
    codec.restrict(few)
    assert not codec.units[1].allowed
    once = np.concatenate([values, [[3.0, 0.0]]])
    codec.restrict(once)
    assert not codec.units[1].allowed


def test_drawn_levels_come_together_only_as_they_did():
    pd = pytest.importorskip("pandas")
    X = pd.DataFrame(wards(), columns=["ward", "sex"]).map(str)
    model = GMMGAN(max_epochs=0, adversarial_rounds=0, random_state=0).fit(X)
    rows, _ = model.sample(5000)
    assert set(rows["sex"][rows["ward"] == "3.0"]) == {"1.0"}
    assert rows["sex"].value_counts(normalize=True)["1.0"] == pytest.approx((X["sex"] == "1.0").mean(), abs=0.03)
    rows, _ = model.sample(500, conditions={"sex": "0.0"})
    assert "3.0" not in set(rows["ward"])
    with pytest.warns(UserWarning, match="contradict what held in every row"):
        model.sample(1, conditions={"ward": "3.0", "sex": "0.0"})


def test_cells_that_few_rows_miss_together_stay_so(rng):
    values = rng.normal(size=(76, 4))
    values[:13] = np.nan
    model = GMMGAN(max_epochs=0, adversarial_rounds=0, random_state=0).fit(values)
    is_missing = np.isnan(model.sample(500)[0])
    assert (is_missing == is_missing[:, :1]).all()
    assert 30 < is_missing[:, 0].sum() < 150
    values[0, 1] = 0.0
    model = GMMGAN(max_epochs=0, adversarial_rounds=0, random_state=0).fit(values)
    assert 0 < np.isnan(model.sample(500)[0]).any(axis=1).mean() < 1


def test_numbers_of_groups_come_back(rng):
    """Six rows of each of 60 firms, with a size that repeats, and a number of the row's own."""
    size = np.round(rng.lognormal(5, 1, 60), 1)
    values = np.column_stack([np.repeat(size, 6), np.round(rng.lognormal(3, 1, 360), 2)])
    rows, _ = GMMGAN(max_epochs=0, adversarial_rounds=0, random_state=0).fit(values).sample(500)
    assert np.isin(rows[:, 0], size).all()
    assert not np.isin(rows[:, 1], values[:, 1]).all()


@pytest.mark.parametrize("kind", ["number", "name"])
def test_what_a_group_tells_stays_so(kind, rng):
    """Of 60 firms: size and rate, which is missing for some, beside the firm's name or number."""
    pd = pytest.importorskip("pandas")
    firms = pd.DataFrame({"firm": rng.choice(10**6, 60, replace=False), "size": rng.lognormal(5, 1, 60).round(1)})
    firms["rate"] = np.where(rng.uniform(size=60) < 0.2, np.nan, rng.uniform(0, 9, 60).round(3))
    if kind == "name":
        firms["firm"] = "firm " + firms["firm"].astype(str)
    table = firms.iloc[rng.randint(0, 60, 700)].assign(wage=rng.lognormal(3, 1, 700).round(2))
    given = {"covariance_type": "full", "reg_covar": 0.01}
    model = GMMGAN(3, max_epochs=0, adversarial_rounds=0, random_state=0, **given).fit(table)
    told = firms.set_index("firm")
    for conditions in ({}, {"size": float(firms["size"][7])}, {"firm": firms["firm"][8]}, {"rate": None}):
        rows, _ = model.sample(200, conditions=conditions, random_state=0)
        pd.testing.assert_frame_equal(told.loc[rows["firm"]].reset_index(drop=True), rows[["size", "rate"]])
    assert rows["rate"].isna().all()
    assert rows["firm"].nunique() > 5


def test_numbers_that_no_group_tells_are_no_levels(rng):
    firm = np.repeat(rng.choice(10**6, 60, replace=False), 10)
    size = np.repeat(np.round(rng.lognormal(5, 1, 60), 1), 10)
    size[3] += 0.1
    values = np.column_stack([firm, size, rng.randint(18, 80, 600)])
    assert find_grouped(values, np.zeros(3, dtype=bool)) == set()
    values[3, 1] -= 0.1
    assert find_grouped(values, np.zeros(3, dtype=bool)) == {0, 1}


def test_decimals_in_single_precision_come_back_as_such(rng):
    x = np.round(rng.normal(20, 5, 400), 1).astype(np.float32).astype(float)
    rows, _ = GMMGAN(2, max_epochs=0, adversarial_rounds=0, random_state=0).fit(np.column_stack([x, x**2])).sample(400)
    np.testing.assert_array_equal(rows[:, 0], rows[:, 0].astype(np.float32))
    np.testing.assert_allclose(rows[:, 0], np.round(rows[:, 0], 1), rtol=1e-6)
    assert np.isin(rows[:, 0], x).mean() > 0.7
