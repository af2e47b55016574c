import numpy as np
import pytest

from skgmmgan import GMMGAN
from skgmmgan._table import Table

pd = pytest.importorskip("pandas")


def test_frame_round_trip(mixed_table):
    table = Table(mixed_table, "from_dtype")
    back = table.decode(table.encode(mixed_table))
    pd.testing.assert_frame_equal(back, mixed_table)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int16", "int64", "bool"])
def test_array_round_trip(dtype):
    X = np.array([[0, 1], [1, 1], [1, 0]]).astype(dtype)
    table = Table(X, None)
    back = table.decode(table.encode(X))
    assert back.dtype == X.dtype
    assert np.array_equal(back, X)


def test_missing_cells_come_back(mixed_table):
    X = mixed_table.astype({"ok": "object"})
    X.loc[::3, ["size", "group", "kind", "ok"]] = None
    table = Table(X, "from_dtype")
    values = table.encode(X)
    assert np.isnan(values[::3][:, [0, 5, 6, 7]]).all()
    pd.testing.assert_frame_equal(table.decode(values), X)


def test_unseen_category_is_minus_one(mixed_table):
    table = Table(mixed_table, "from_dtype")
    new = mixed_table.head(3).assign(group="z")
    assert (table.encode(new)[:, 5] == -1).all()


@pytest.mark.parametrize("chosen", [["count", "year"], [3, 4], [j in (3, 4) for j in range(9)]])
def test_categorical_features_by_name_index_or_mask(mixed_table, chosen):
    assert np.flatnonzero(Table(mixed_table, chosen).categorical).tolist() == [3, 4, 5, 6, 7, 8]


def test_ordered_categories_are_not_nominal(mixed_table):
    assert not Table(mixed_table, "from_dtype").nominal[8]


@pytest.mark.parametrize("chosen", [["nothing"], [99], [True, False]])
def test_wrong_categorical_features_raise(mixed_table, chosen):
    with pytest.raises(ValueError, match="categorical_features"):
        Table(mixed_table, chosen)


def test_infinite_number_names_column_and_row(mixed_table):
    X = mixed_table.copy()
    X.loc[5, "price"] = np.inf
    with pytest.raises(ValueError, match=r"'price' holds inf .* row 5"):
        Table(X, "from_dtype").encode(X)


def test_duplicate_names_raise(mixed_table):
    with pytest.raises(ValueError, match="'size' occurs more than once"):
        Table(mixed_table.rename(columns={"price": "size"}), "from_dtype")


def test_numbers_that_became_text_name_the_column(mixed_table):
    table = Table(mixed_table, "from_dtype")
    with pytest.raises(ValueError, match="'price'"):
        table.encode(mixed_table.head(2).assign(price="dear"))


def test_integer_categories_of_an_array():
    X = np.array([[3, 0], [7, 1], [3, 2]])
    table = Table(X, [0])
    assert table.encode(X)[:, 0].tolist() == [0, 1, 0]
    assert np.array_equal(table.decode(table.encode(X)), X)


def test_rare_categories_can_be_left_out():
    X = pd.DataFrame({"a": ["x"] * 50 + ["y"] * 50 + ["z"] * 2})
    table = Table(X, min_category_count=3)
    assert table.columns[0].categories == ["x", "y"]
    assert (table.encode(X)[100:] == -1).all()
    with pytest.raises(ValueError, match="'a' has min_category_count=51"):
        Table(X, min_category_count=51)


LARGE = {
    "above 2**53": 2**53 + 2 * np.arange(50) + 1,
    "unsigned": np.uint64(2**63) + np.arange(50, dtype="uint64"),
    "the whole range": np.array([-(2**63), -5, 0, 7, 2**63 - 1]),
    "from zero": np.append(np.arange(40) * 2**54 + 2**53, 0),
}


@pytest.mark.parametrize("x", LARGE.values(), ids=LARGE)
@pytest.mark.parametrize("nullable", [False, True])
def test_large_integers_come_back(x, nullable):
    X = pd.DataFrame({"a": pd.array(x, dtype=str(x.dtype).replace("i", "I").replace("u", "U")) if nullable else x})
    table = Table(X)
    back = table.decode(table.encode(X))
    assert back.dtypes.equals(X.dtypes)
    lost = [abs(int(a) - int(b)) for a, b in zip(back["a"], X["a"])]
    assert max(lost) <= (int(x.max()) - int(x.min())) >> 53
    assert back["a"].max() <= X["a"].max()
    assert back["a"].min() >= X["a"].min()


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "uint64"])
def test_numbers_beyond_an_integer_dtype_are_clipped(dtype):
    X = np.arange(10, dtype=dtype)[:, None]
    for container in (X, pd.DataFrame(X)):
        back = np.asarray(Table(container).decode(np.array([[-1e30], [2.6], [1e30]])))
        assert back.dtype == dtype
        assert back[1] == 3
        assert back[0] < 3 < back[2]


def test_lists_in_cells_name_column_and_value():
    with pytest.raises(ValueError, match=r"'a' holds \[1\], a list"):
        Table(pd.DataFrame({"a": ["x", [1], "y"]}))


def test_true_is_not_one_in_a_mixed_column():
    X = pd.DataFrame({"a": pd.Series([True, 1, "x", 1, 2.5], dtype=object)})
    table = Table(X)
    assert table.decode(table.encode(X))["a"].tolist() == [True, 1, "x", 1, 2.5]
    assert [type(v) for v in table.decode(table.encode(X))["a"]] == [bool, int, str, int, float]


def test_large_integers_read_as_floats_keep_their_origin():
    X = pd.DataFrame({"a": 2**60 + 256 * np.arange(50)})
    assert np.array_equal(Table(X).encode(X.astype(float)), Table(X).encode(X))


def test_hashes_that_repeat_are_categories():
    X = pd.DataFrame({"a": np.repeat([2**62 + 1, -(2**61) + 3, 17], 10)})
    table = Table(X)
    assert table.categorical.all()
    pd.testing.assert_frame_equal(table.decode(table.encode(X)), X)


def test_another_order_of_columns_raises():
    X = pd.DataFrame({0: np.arange(9.0), 1: np.arange(9.0)})
    with pytest.raises(ValueError, match=r"at fit they were \[0, 1\]"):
        Table(X).encode(X[[1, 0]])


def test_unhashable_cells_inside_a_tuple_are_named():
    with pytest.raises(ValueError, match="'a' holds"):
        Table(pd.DataFrame({"a": pd.Series([(1, [2]), "x"], dtype=object)}))


def test_numbers_with_text_among_them_are_told(rng):
    pd = pytest.importorskip("pandas")
    column = pd.Series(rng.randint(0, 500, 200).astype(object))
    column[4] = "n.a."
    with pytest.warns(UserWarning, match="Column 'kwh' holds numbers and text"):
        GMMGAN(1, max_epochs=0, adversarial_rounds=0).fit(pd.DataFrame({"kwh": column, "x": rng.normal(size=200)}))
