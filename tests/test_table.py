import numpy as np
import pytest

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
