"""Columns that are computed from several others and rounded."""

import warnings

import numpy as np
import pytest
from scipy.stats import lognorm, poisson

from skgmmgan import GMMGAN, load, save
from skgmmgan._codec import Codec
from skgmmgan._formulas import find_products, find_rounded_sums
from skgmmgan._relations import LinearColumn
from skgmmgan._rounded import FunctionColumn, Options, ProductColumn, RoundedSum

PRIOR = {"covariance_type": "full", "reg_covar": 1e-3, "max_epochs": 0, "adversarial_rounds": 0, "random_state": 0}


def cents(x):
    return np.round(x + 1e-9, 2)


def bills(n=1500, seed=0):
    """Quantity, price, their product, a tax on it, shipping, and the sum of all."""
    rng = np.random.RandomState(seed)
    quantity, price = rng.poisson(2, n) + 1, cents(rng.lognormal(3, 0.8, n))
    total, shipping = cents(quantity * price), cents(rng.gamma(2, 3, n))
    tax = cents(0.19 * total)
    return np.column_stack([quantity, price, total, tax, shipping, cents(total + tax + shipping)])


def bodies(n=1500, seed=0):
    """Weight, height and body mass index."""
    rng = np.random.RandomState(seed)
    weight, height = np.round(rng.normal(75, 12, n), 1), np.round(rng.normal(172, 9, n))
    return np.column_stack([weight, height, np.round(weight / (height / 100) ** 2, 1)])


def grades(n=1500, seed=0):
    """Three grades, their mean, and a score that weighs them."""
    rng = np.random.RandomState(seed)
    g = np.clip(np.round(rng.normal(70, 10, (n, 1)) + rng.normal(0, 8, (n, 3))), 0, 100)
    return np.column_stack([g, np.round(g.mean(axis=1), 1), np.round(g @ [0.2, 0.3, 0.5])])


def codec_of(values):
    none = np.zeros(values.shape[1], dtype=bool)
    return Codec(values, none, none, n_knots=10, rng=np.random.RandomState(0))


def relations(values):
    """Kind and sources of the columns that are computed."""
    return {j: (type(column).__name__, column.sources) for j, column in codec_of(values).lines()}


def hold(rows):
    """Share of the bills in which everything adds up."""
    quantity, price, total, tax, shipping, due = rows.T
    misses = [total - quantity * price, tax - 0.19 * total, due - total - tax - shipping]
    return (np.abs(misses) < 0.0051).all(axis=0).mean()


@pytest.fixture(scope="module")
def shop():
    return GMMGAN(**PRIOR).fit(bills())


def test_products_and_what_is_computed_from_them():
    found = relations(bills())
    assert found[2] == ("ProductColumn", [0, 1])
    assert found[3] == ("LinearColumn", [2, 6])  # the tax, by its difference from a multiple of the total
    assert found[5] in [("LinearColumn", [2, 4, 6]), ("LinearColumn", [4, 2, 6])]


def test_quotients_and_squares(rng):
    (index,) = (column for _, column in codec_of(bodies()).lines())
    assert (index.sources, index.exponents.tolist(), index.factor) == ([0, 1], [1.0, -2.0], 10_000.0)
    radius = np.round(rng.uniform(1, 9, 300), 1)
    (area,) = (column for _, column in codec_of(np.column_stack([radius, np.round(3.14 * radius**2, 2)])).lines())
    assert (area.sources, area.power, area.factor) == ([0], 2, 3.14)


FUNCTIONS = {
    "log": (np.log, (0, 0, 1.0)),
    "log10 to 3 digits": (lambda x: np.round(np.log10(x), 3), (0, 0, 1 / np.log(10))),
    "log1p": (np.log1p, (0, 1, 1.0)),
    "hundreds of squares": (lambda x: x**2 / 100, (2, 0, 0.01)),
    "cubes": (lambda x: x**3, (3, 0, 1.0)),
    "roots": (np.sqrt, (0.5, 0, 1.0)),
    "litres from miles": (lambda x: np.round(235.21 / x, 4), (-1, 0, 235.21)),
    "log in single precision": (lambda x: np.log(x).astype(np.float32), (0, 0, 1.0)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_a_column(name, rng):
    """Also where both are missing, and with the source behind."""
    of, expected = FUNCTIONS[name]
    x = np.where(rng.uniform(size=400) < 0.1, np.nan, np.round(rng.lognormal(3, 0.7, 400), 2))
    values = np.column_stack([x, rng.normal(size=400), of(x)])
    for own, table in (2, values), (0, values[:, ::-1]):
        ((j, column),) = codec_of(table).lines()
        if column.power in (0, -1):
            assert j == own
        if j == own:
            assert (column.power, column.added) == expected[:2]
            assert column.factor == pytest.approx(expected[2], rel=1e-4)
        rows = GMMGAN(**PRIOR, n_components=2).fit(table).sample(200)[0]
        np.testing.assert_allclose(rows[:, own], of(rows[:, 2 - own]), rtol=2e-6, atol=0.5 * column.step)
        assert 0 < np.isnan(rows[:, own]).sum() < 60


def test_no_functions_by_chance(rng):
    x = np.round(rng.lognormal(3, 0.7, 400), 2)
    nearly = np.log(x)
    nearly[5] += 1e-4
    gap = np.log(x)
    gap[5] = np.nan
    for other in nearly, gap, np.log(x) + rng.normal(0, 1e-3, 400), np.sin(x), np.full(400, 2.0):
        assert not any(kind == "FunctionColumn" for kind, _ in relations(np.column_stack([x, other])).values())


@pytest.mark.parametrize("power", [2, 3])
def test_functions_of_heavy_tails_are_exact(power, rng):
    for x in (np.round(rng.lognormal(5, 2, 1000)) + 1, np.round(rng.lognormal(0, 4, 1000), 2) + 0.01):
        rows, _ = GMMGAN(2, **PRIOR).fit(np.column_stack([x, x**power])).sample(1000)
        np.testing.assert_allclose(rows[:, 1], rows[:, 0] ** power, rtol=1e-9)


def test_products_of_heavy_tails_are_exact(rng):
    price, quantity = rng.lognormal(0, 5, 1000), rng.poisson(1, 1000).astype(float)
    rows, _ = GMMGAN(2, **PRIOR).fit(np.column_stack([price, quantity, price * quantity])).sample(1000)
    np.testing.assert_allclose(rows[:, 2], rows[:, 0] * rows[:, 1], rtol=1e-9)


def test_noise_about_a_function_is_no_rounding(rng):
    x = rng.lognormal(0, 3, 1000) + 0.01
    assert relations(np.column_stack([x, 1 / x + rng.uniform(0, 0.01, 1000)])) == {}
    x = rng.randint(1, 37_000, 1000).astype(float)
    assert 1 not in relations(np.column_stack([x, x**2 + rng.randint(-3, 4, 1000)]))


def test_sums_beside_logarithms(rng):
    base, bonus = np.round(rng.lognormal(8, 0.5, 800)), np.round(rng.lognormal(5, 1, 800)) + 1
    X = np.column_stack([base, bonus, base + bonus, np.log(base), np.log(bonus), np.log(base + bonus)])
    rows, _ = GMMGAN(2, **PRIOR).fit(X).sample(500)
    np.testing.assert_array_equal(rows[:, 0] + rows[:, 1], rows[:, 2])
    np.testing.assert_allclose(np.log(rows[:, :3]), rows[:, 3:])


def test_a_logarithm_that_the_decimals_of_its_source_do_not_have(rng):
    wage = np.round(rng.lognormal(2, 0.6, 1000), 2)
    model = GMMGAN(2, **PRIOR).fit(np.column_stack([wage, rng.normal(size=1000), np.log(wage)]))
    rows, _ = model.sample(100, conditions={2: 2.0})
    assert (rows[:, [0, 2]] == [7.39, 2.0]).all()
    with pytest.warns(UserWarning, match=r"\(column 2 = log\(column 0\)\)"):
        model.sample(5, conditions={0: 7.5, 2: 2.0})


def test_what_has_no_logarithm(rng):
    x = np.abs(rng.normal(size=800)) * 3
    values = np.column_stack([x, np.log(x), np.sqrt(x)])
    rows, _ = GMMGAN(2, enforce_bounds=False, **PRIOR).fit(values).sample(3000)
    assert np.isfinite(rows).all()
    model = GMMGAN(2, **PRIOR).fit(values)
    filled = model.impute(np.array([[0.0, np.nan, 0.0], [-1.0, np.nan, np.nan]]))
    assert np.isfinite(filled).all()
    assert filled[0, 1] == values[:, 1].min()


def test_computed_numbers_are_in_single_precision_too(rng):
    x = np.round(rng.normal(20, 3, 500), 1)
    columns = [x, x, np.log(x), np.round(np.log(x), 2), np.round(0.19 * x, 2), np.round(x**2, 2)]
    values = np.column_stack(columns).astype(np.float32).astype(float)
    rows, _ = GMMGAN(2, **PRIOR).fit(values).sample(500)
    np.testing.assert_array_equal(rows, rows.astype(np.float32))
    np.testing.assert_array_equal(rows[:, 0], rows[:, 1])


def test_conditions_on_functions(rng):
    wage = np.round(rng.lognormal(3, 0.5, 1500), 2)
    wage[::9] = np.nan
    years = rng.poisson(9, 1500).astype(float)
    model = GMMGAN(**PRIOR).fit(np.column_stack([wage, years, np.round(np.log(wage), 3), years**2]))
    rows, _ = model.sample(50, conditions={2: 3.0, 3: 64})
    np.testing.assert_allclose(rows[:, 0], np.exp(3.0), rtol=6e-4)
    assert (rows[:, 1] == 8).all()
    rows, _ = model.sample(50, conditions={2: np.nan})
    assert np.isnan(rows[:, 0]).all()
    rows, _ = model.sample(50, conditions={0: 20.0})
    assert (rows[:, 2] == 2.996).all()
    filled = model.impute(np.array([[np.nan, 4, 2.5, np.nan], [12.0, np.nan, np.nan, 9]]))
    np.testing.assert_allclose(filled[:, [2, 3]], [[2.5, 16], [2.485, 9]])
    assert (filled[1, 1], round(np.log(filled[0, 0]), 3)) == (3, 2.5)
    with pytest.warns(UserWarning, match=r"at fit \(column 2 = log\(column 0\)\)"):
        model.sample(5, conditions={0: 20.0, 2: 3.5})


def test_one_of_three_columns_is_the_product():
    """The price is the total by the quantity, too; but one of the three must be drawn."""
    for order in ([0, 1, 2], [2, 1, 0], [1, 2, 0]):
        (total,) = relations(bills()[:, order])
        assert order[total] == 2


def test_no_products_by_chance(rng):
    numbers = [rng.normal(size=(400, 15)), rng.randint(1, 60, (400, 15)), np.round(rng.gamma(2, 9, (100, 15)))]
    assert all(relations(X.astype(float)) == {} for X in numbers)
    nearly = np.column_stack([np.round(rng.lognormal(3, 1, 500), 2), rng.choice([1.0, 1.0001, 1.0002], 500)])
    nearly = np.column_stack([nearly, np.round(0.5 * nearly[:, 0], 1)])
    assert not any(kind == "ProductColumn" for kind, _ in relations(nearly).values())
    almost = bills()
    almost[7, 2] += 0.02
    assert 2 not in relations(almost)


def test_sums_that_are_rounded():
    found = dict(codec_of(grades()).lines())
    assert set(found) == {3, 4}
    np.testing.assert_allclose(found[3].slopes, 1 / 3, rtol=1e-9)
    np.testing.assert_allclose(found[4].slopes, [0.2, 0.3, 0.5], rtol=1e-9)
    assert all(isinstance(column, RoundedSum) for column in found.values())


def test_no_sums_by_chance(rng):
    X = np.round(rng.multivariate_normal(np.zeros(8), 0.95 + 0.05 * np.eye(8), 2000) * 20)
    assert relations(X) == {}
    assert find_rounded_sums(np.empty((0, 3)), {}, [], {}, {}) == {} == find_products(np.empty((0, 3)), {}, [], {})


def test_ages_on_a_day_and_minutes_between_two_times(rng):
    pd = pytest.importorskip("pandas")
    n = 2000
    birth = pd.Timestamp("1940-01-01") + pd.to_timedelta(rng.randint(0, 24_000, n), unit="D")
    start = pd.Timestamp("2021-01-01") + pd.to_timedelta(rng.randint(0, 900 * 86_400, n), unit="s")
    end = start + pd.to_timedelta(rng.gamma(3, 400, n).astype(int), unit="s")

    def age_on(day, birth):
        return day.dt.year - birth.dt.year - (day.dt.strftime("%m%d") < birth.dt.strftime("%m%d"))

    X = pd.DataFrame({"birth": birth, "start": start, "end": end, "day": start.normalize()})
    X["age"], X["minutes"] = age_on(X.day, X.birth), ((end - start).total_seconds() / 60).round()
    model = GMMGAN(**PRIOR).fit(X)
    for conditions in ({}, {"age": 40}, {"minutes": 30}, {"age": 40, "birth": pd.Timestamp("1982-03-05")}):
        rows, _ = model.sample(500, conditions=conditions or None)
        assert (age_on(rows.day, rows.birth) == rows.age).mean() > 0.98
        seconds = (rows.end - rows.start).dt.total_seconds()
        assert (np.abs(seconds / 60 - rows.minutes) <= 0.5).all()
        assert (rows.day == rows.start.dt.normalize()).all()
        assert all((rows[name] == value).all() for name, value in conditions.items())


def test_drawn_rows_add_up(shop):
    rows, _ = shop.sample(3000)
    assert hold(rows) == 1.0
    real = bills(3000, seed=1)
    assert np.quantile(rows, 0.5, axis=0) == pytest.approx(np.quantile(real, 0.5, axis=0), rel=0.1)
    assert (rows <= bills().max(axis=0)).all()  # also what is multiplied is within its bounds
    refined = GMMGAN(max_epochs=2, adversarial_rounds=1, random_state=0).fit(bills())
    assert hold(refined.sample(1000)[0]) == 1.0


@pytest.mark.parametrize(
    "conditions",
    [{2: 100.0}, {2: 100.0, 0: 4}, {2: 100.0, 1: 25.0}, {0: 4}, {1: 19.99}, {3: 19.0}, {5: 200.0}, {5: 200.0, 0: 2}],
    ids=str,
)
def test_conditions_on_what_is_multiplied(shop, conditions):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rows, _ = shop.sample(200, conditions=conditions)
    assert hold(rows) == 1.0
    assert all((rows[:, j] == value).all() for j, value in conditions.items())
    assert len(np.unique(rows, axis=0)) > 100


def test_quantities_given_a_total(shop):
    """Against the shares of the quantities whose price would be in whole cents."""
    rows, _ = shop.sample(2000, conditions={2: 100.0})
    quantity = np.arange(1, 11)
    price = 100 / quantity
    share = poisson.pmf(quantity - 1, 2) * lognorm.pdf(price, 0.8, scale=np.exp(3))
    share *= np.abs(cents(price) * quantity - 100) < 1e-6
    assert rows[:, 0].mean() == pytest.approx((share * quantity).sum() / share.sum(), abs=0.3)
    assert set(rows[:, 0]) <= {1, 2, 4, 5, 8, 10}


@pytest.mark.parametrize("conditions", [{0: 2, 2: 97.53}, {1: 33.0, 2: 100.0}, {0: 2, 1: 10.0, 2: 30.0}], ids=str)
def test_contradictions_are_told(shop, conditions):
    with pytest.warns(UserWarning, match="contradict what held in every row"):
        shop.sample(10, conditions=conditions)


def test_formulas_are_told():
    x = np.array([1.0, 2.0])
    formulas = [
        (FunctionColumn(x, 0.0, 0, 0, 1, 0.5), "0.5 * log('a' + 1)"),
        (FunctionColumn(x, 0.0, 0, -1, 0, 1.0), "'a'^-1"),
        (ProductColumn(x, 0.0, [0, 1], [1, -2], 1e4), "10000 * 'a' * 'b'^-2"),
        (ProductColumn(x, 0.0, [0, 1], [1, 1], 1.0, [np.nan, -0.01]), "'a' * (1 -0.01 'b')"),
        (RoundedSum(x, 0.0, [0, 1], [0.5, -1], 3.0, 0.0), "0.5 'a' - 'b' + 3"),
        (LinearColumn(x, 0.0, [0, 1], [-1, 0.5], -2.0), "- 'a' + 0.5 'b' - 2"),
    ]
    for column, formula in formulas:
        assert column.formula(["'a'", "'b'"][: len(column.sources)]) == formula


def test_a_factor_of_zero(rng):
    """No discount, whatever the price."""
    rate = rng.choice([0, 0.1, 0.2], 1500, p=[0.7, 0.2, 0.1])
    price = np.round(rng.lognormal(3, 0.8, 1500), 2)
    X = np.column_stack([price, rate, cents(price * rate)])
    model = GMMGAN(**PRIOR).fit(X)
    rows, _ = model.sample(2000, conditions={2: 0.0})
    assert (rows[:, 1] == 0).all()
    assert np.log(rows[:, 0]).std() == pytest.approx(0.8, abs=0.1)
    rows, _ = model.sample(2000)
    assert (np.abs(rows[:, 2] - rows[:, 0] * rows[:, 1]) < 0.0051).all()


def test_gaps_are_filled_by_what_they_must_be(shop):
    rows = bills(90, seed=5)
    X = rows.copy()
    for j in (0, 1, 2):
        X[30 * j : 30 * j + 30, j] = np.nan
    np.testing.assert_allclose(shop.impute(X, random_state=0), rows)
    X[:, :2] = np.nan
    X[:, 2] = rows[:, 2]
    assert hold(shop.impute(X, random_state=0)) == 1.0


def test_a_product_adds_nothing_to_the_density():
    """But that its bounds leave some rows out; and rows whose product is another one have next to none."""
    X = bills()[:, :3]
    model, parts = GMMGAN(**PRIOR).fit(X), GMMGAN(**PRIOR).fit(X[:, :2])
    within = model._model.strata.log_within[-1]
    assert -0.05 < within < 0
    assert model.score(X) + within == pytest.approx(parts.score(X[:, :2]), abs=0.01)
    assert (model.score_samples(X + [0, 0, 0.5]) < model.score_samples(X) - 5).all()


def test_saved_and_loaded(shop, tmp_path):
    pytest.importorskip("skops")
    path = tmp_path / "model"
    save(shop, path)
    np.testing.assert_array_equal(load(path).sample(50, random_state=1)[0], shop.sample(50, random_state=1)[0])
    X = grades()
    model = GMMGAN(**PRIOR).fit(X)
    save(model, path)
    np.testing.assert_array_equal(load(path).score_samples(X), model.score_samples(X))


def test_solutions_are_those_that_round_to_the_number(rng):
    """Drawn evenly from the grid, each."""
    x = np.full(4000, 10.0)
    column = ProductColumn(np.array([1.0, 400.0]), 1.0, [0, 1], [1.0, 1.0], 1.0)
    factor = codec_of(np.round(rng.uniform(0, 9, (500, 1)), 1)).columns[0]
    values = np.column_stack([np.full(4000, 3.0), np.full(4000, np.nan)])
    solution = column.solve(1, factor, values, x, Options(), np.random.RandomState(0))
    numbers, counts = np.unique(solution.x, return_counts=True)
    np.testing.assert_allclose(numbers, [3.2, 3.3, 3.4, 3.5])  # 9.6 to 10.5
    assert counts.min() > 800
    np.testing.assert_allclose(solution.log_size, np.log(4))


def test_rates_and_what_they_belong_to(rng):
    """A price times a quantity less a discount, and a tax whose rate differs from row to row."""
    n = 2000
    quantity, price, discount = rng.poisson(2, n) + 1, cents(rng.lognormal(3, 0.8, n)), 5 * rng.randint(0, 4, n)
    tax = rng.choice([7, 19], n)
    net = cents(quantity * price * (1 - discount / 100))
    X = np.column_stack([quantity, price, discount, tax, net, cents(net * (1 + tax / 100))])
    (_, net), (_, gross) = codec_of(X).lines()
    assert (net.sources, net.rates.tolist()[2], net.factor) == ([0, 1, 2], -0.01, 1.0)
    assert (gross.sources, gross.rates.tolist()[1], gross.factor) == ([4, 3], 0.01, 1.0)
    model = GMMGAN(**PRIOR).fit(X)
    for conditions in ({}, {4: 100.0}, {5: 119.0}, {5: 119.0, 2: 10}, {5: 107.0, 3: 7}, {4: 100.0, 0: 2, 3: 7}):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            rows, _ = model.sample(200, conditions=conditions or None)
        quantity, price, discount, tax, net, gross = rows.T
        np.testing.assert_allclose(net, quantity * price * (1 - discount / 100), atol=0.0051)
        np.testing.assert_allclose(gross, net * (1 + tax / 100), atol=0.0051)
        assert all((rows[:, j] == value).all() for j, value in conditions.items())


def test_what_hangs_on_a_number_twice(rng):
    """Pay is a price less a discount, which is a part of the price; wages count for hours and for overtime."""
    n = 3000
    price, rate = np.round(rng.lognormal(3, 0.6, n), 2), rng.choice([0, 0.1, 0.2, 0.3], n, p=[0.4, 0.3, 0.2, 0.1])
    off = cents(price * rate)
    X = np.column_stack([price, rate, off, np.round(price - off, 2)])
    model = GMMGAN(**PRIOR).fit(X)
    rows, _ = model.sample(500, conditions={3: 18.0})
    np.testing.assert_allclose(rows[:, 2], rows[:, 0] * rows[:, 1], atol=0.0051)
    np.testing.assert_allclose(rows[:, 0] - rows[:, 2], 18.0)
    near = np.abs(X[:, 3] - 18) < 2
    shares = [(X[near, 1] == r).mean() for r in (0, 0.1, 0.2, 0.3)]
    np.testing.assert_allclose([(rows[:, 1] == r).mean() for r in (0, 0.1, 0.2, 0.3)], shares, atol=0.1)
    Y = X[:200].copy()
    Y[:, [0, 2]] = np.nan
    filled = model.impute(Y)
    np.testing.assert_allclose(filled[:, 0] - filled[:, 2], Y[:, 3])

    hours, overtime = np.round(rng.normal(38, 5, n) * 4) / 4, np.round(rng.exponential(3, n) * 4) / 4
    wage = np.round(rng.lognormal(3, 0.3, n), 2)
    base, extra = cents(hours * wage), cents(1.5 * overtime * wage)
    model = GMMGAN(**PRIOR).fit(np.column_stack([hours, wage, overtime, base, extra, cents(base + extra)]))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        rows, _ = model.sample(50, conditions={2: 2.0, 5: 1000.0})
    hours, wage, overtime, base, extra, gross = rows.T
    assert np.abs(gross - base - extra).max() < 0.0051 or "nothing was found that meets both" in str(told[0].message)


def test_the_quotient_is_computed_where_a_product_would_leave_it_free(rng):
    """Rounded products of exact quotients give the counts back, but not the other way round."""
    total = rng.poisson(200, 2000) + 20
    count = rng.binomial(total, rng.beta(2, 3, 2000))
    for share in (count / total, np.round(100 * count / total, 1)):
        (j, column), *more = codec_of(np.column_stack([total, count, share])).lines()
        assert (j, column.sources, column.exponents.tolist(), more) == (2, [0, 1], [-1.0, 1.0], [])


def test_dates_and_their_distance_beside_another_number(rng):
    """A slope of 8.64e10 microseconds a day beside one of 1."""
    days, start = rng.randint(1, 100, 1500), 1.6e15 + 86_400e6 * rng.randint(0, 1000, 1500)
    billed = days + rng.randint(-1, 2, 1500)
    X = np.column_stack([billed, days, start, start + 86_400e6 * days])
    rows, _ = GMMGAN(**PRIOR).fit(X).sample(500)
    np.testing.assert_array_equal(rows[:, 3] - rows[:, 2], 86_400e6 * rows[:, 1])


def test_no_warnings_reach_users(rng):
    """Of infinite ends, of what no number belongs to."""
    a, b = np.round(rng.normal(0, 5, 2000), 2), np.round(rng.exponential(1, 2000) + 0.01, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = GMMGAN(**PRIOR).fit(np.column_stack([a, b, np.round(a / b, 2)]))
        rows, _ = model.sample(20, conditions={0: 0.0, 2: 0.0})
    assert len(np.unique(rows[:, 1])) > 5


def test_bounds_and_decimals_that_are_not_enforced():
    X = bills()[:, :3]
    rows, _ = GMMGAN(enforce_bounds=False, **PRIOR).fit(X).sample(3, conditions={2: 1800.0, 0: 3})
    assert (rows[:, 1] == 600.0).all()
    rows, _ = GMMGAN(enforce_decimals=False, **PRIOR).fit(X).sample(3, conditions={2: 50.0, 0: 3})
    np.testing.assert_allclose(rows[:, 1], 50 / 3)
