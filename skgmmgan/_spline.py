"""Monotone rational-quadratic splines: smooth, invertible maps of the real line with closed forms.

A spline goes through ordered knots with given positive slopes, and on as a straight line beyond them.
"""

from typing import NamedTuple

import numpy as np

MAX_END_SLOPE = 3.0


class Spline(NamedTuple):
    """Knots of a monotone rational-quadratic spline, each array of shape (n_knots,)."""

    x: np.ndarray
    y: np.ndarray
    slopes: np.ndarray


def fit_spline(x, y):
    """Spline through strictly increasing knots, with geometric means of neighbouring secants as slopes.

    The rational-quadratic interpolant is monotone for any positive slopes [1]_. The slopes at both ends, which go on
    outside, are at most MAX_END_SLOPE times the mean slope, so that values beyond a crowded end do not fly off.

    References
    ----------
    .. [1] J. A. Gregory and R. Delbourgo, "Piecewise rational quadratic interpolation to monotonic data",
       IMA Journal of Numerical Analysis 2, 1982.
    """
    secants = np.diff(y) / np.diff(x)
    inner = np.sqrt(secants[:-1] * secants[1:])
    most = MAX_END_SLOPE * (y[-1] - y[0]) / (x[-1] - x[0])
    return Spline(x, y, np.concatenate([np.minimum(secants[:1], most), inner, np.minimum(secants[-1:], most)]))


def _locate(knots, values):
    """Index of the segment that holds each value, and whether the value lies between the outermost knots."""
    segment = np.clip(np.searchsorted(knots, values, side="right") - 1, 0, len(knots) - 2)
    return segment, (values >= knots[0]) & (values <= knots[-1])


def _outside(values, source, target, slopes):
    """The straight lines that carry on beyond the first and the last knot."""
    low = target[0] + (values - source[0]) * slopes[0]
    return np.where(values < source[0], low, target[-1] + (values - source[-1]) * slopes[-1])


def forward(spline, x):
    """Value and log-slope of the spline at x, two arrays of the shape of x."""
    k, inside = _locate(spline.x, x)
    width = spline.x[k + 1] - spline.x[k]
    height = spline.y[k + 1] - spline.y[k]
    secant, left, right = height / width, spline.slopes[k], spline.slopes[k + 1]
    t = np.clip((x - spline.x[k]) / width, 0.0, 1.0)
    u = t * (1 - t)
    denominator = secant + (left + right - 2 * secant) * u
    y = spline.y[k] + height * (secant * t**2 + left * u) / denominator
    slope = secant**2 * (right * t**2 + 2 * secant * u + left * (1 - t) ** 2) / denominator**2
    ends = np.where(x < spline.x[0], spline.slopes[0], spline.slopes[-1])
    return (
        np.where(inside, y, _outside(x, spline.x, spline.y, spline.slopes)),
        np.log(np.where(inside, slope, ends)),
    )


def inverse(spline, y):
    """The x whose spline value is y, by the stable root of the segment's quadratic."""
    k, inside = _locate(spline.y, y)
    width = spline.x[k + 1] - spline.x[k]
    height = spline.y[k + 1] - spline.y[k]
    secant, left, right = height / width, spline.slopes[k], spline.slopes[k + 1]
    rise = np.clip(y - spline.y[k], 0.0, height)
    bend = rise * (left + right - 2 * secant)
    a = height * (secant - left) + bend
    b = height * left - bend
    c = -secant * rise
    t = 2 * c / (-b - np.sqrt(np.maximum(b**2 - 4 * a * c, 0.0)))
    x = spline.x[k] + width * np.clip(t, 0.0, 1.0)
    return np.where(inside, x, _outside(y, spline.y, spline.x, 1 / spline.slopes))
