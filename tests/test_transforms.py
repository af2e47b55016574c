import numpy as np
import pytest

from skgmmgan._transforms import Cells, fit_spline

NUMBERS = np.array([-2.0, -1.9, 0.0, 5.0, 5.5])


@pytest.fixture
def spline():
    return fit_spline(NUMBERS, np.array([-3.0, -1.0, 0.5, 1.0, 4.0]))


@pytest.fixture(params=["spline", "cells"])
def transform(request, spline):
    return spline if request.param == "spline" else Cells(NUMBERS, np.array([300, 20, 100, 10, 50]))


def test_inverse_undoes_forward(transform):
    x = np.linspace(-20, 30, 1001)
    assert np.allclose(transform.inverse(transform.forward(x)[0]), x, atol=1e-9)


def test_passes_through_knots(spline):
    assert np.allclose(spline.forward(spline.x)[0], spline.y)


def test_log_slope_is_the_derivative(transform):
    x = np.linspace(-4, 8, 997)
    numeric = (transform.forward(x + 1e-6)[0] - transform.forward(x - 1e-6)[0]) / 2e-6
    assert np.allclose(np.exp(transform.forward(x)[1]), numeric, rtol=1e-4)


def test_slope_is_continuous(spline):
    for knot in spline.x:
        left, right = spline.forward(np.array([knot - 1e-9, knot + 1e-9]))[1]
        assert left == pytest.approx(right, abs=1e-5)
