import numpy as np
import pytest

from skgmmgan._model import choose_cap, log_mean_exp


@pytest.mark.parametrize("spread", [0.5, 2.0, 5.0])
def test_cap_is_the_largest_with_enough_acceptance(spread, rng):
    log_tilt = spread * rng.normal(size=20_000)
    log_cap = choose_cap(log_tilt, 0.2)
    accept = [np.exp(np.minimum(log_tilt, c) - c).mean() for c in (log_cap, log_cap + 0.01)]
    assert accept[0] >= 0.2
    assert accept[1] < 0.2 or log_cap + 0.01 > log_tilt.max()


def test_log_mean_exp_of_a_lognormal(rng):
    value, std = log_mean_exp(1000 + rng.normal(size=100_000))
    assert value == pytest.approx(1000.5, abs=4 * std)
    assert std == pytest.approx(np.sqrt(np.e - 1) / np.sqrt(100_000), rel=0.1)
