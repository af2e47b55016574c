import numpy as np
import pytest


@pytest.fixture
def rng():
    return np.random.RandomState(0)


@pytest.fixture(scope="session")
def mixed_table():
    """A table of every kind of column, with relations between them; 600 rows."""
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    n = 600
    group = rng.choice(["a", "b", "c"], n, p=[0.6, 0.3, 0.1])
    size = rng.normal(0, 1, n) + 3 * (group == "b")
    return pd.DataFrame(
        {
            "size": size,
            "price": np.round(np.exp(1 + 0.3 * size + 0.1 * rng.normal(size=n)), 2),
            "paid": np.where(rng.uniform(size=n) < 0.4, 0.0, rng.gamma(2.0, 1.0, n)),
            "count": rng.poisson(2, n).astype("int16"),
            "year": rng.integers(1900, 2100, n),
            "group": group,
            "kind": pd.Categorical(np.where(size > 1, "big", "small"), categories=["big", "never", "small"]),
            "ok": rng.uniform(size=n) < 0.3,
            "grade": pd.Categorical(rng.integers(1, 4, n), categories=[1, 2, 3], ordered=True),
        }
    )
