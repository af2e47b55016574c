"""Numbers <-> normal scores of their ranks: by a smooth spline through quantiles, or by cells of numbers that repeat.

A transform is a monotone map of the real line with a closed inverse, which goes on as a straight line beyond its ends.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri
from scipy.stats.mstats import hdquantiles

MAX_END_SLOPE = 3.0  # of a transform beyond its ends, relative to its mean slope
FEW_NUMBERS = 1000  # up to here quantiles are smoothed and spikes are doubted
NORMAL_IQR = 1.349  # interquartile range of a standard normal variable


class Spline(NamedTuple):
    """Knots of a monotone rational-quadratic spline, each array of shape (n_knots,)."""

    x: np.ndarray
    y: np.ndarray
    slopes: np.ndarray

    def forward(self, x):
        """Value and log-slope of the spline at x, two arrays of the shape of x."""
        k, inside = _locate(self.x, x)
        width = self.x[k + 1] - self.x[k]
        height = self.y[k + 1] - self.y[k]
        secant, left, right = height / width, self.slopes[k], self.slopes[k + 1]
        t = np.clip((x - self.x[k]) / width, 0.0, 1.0)
        u = t * (1 - t)
        denominator = secant + (left + right - 2 * secant) * u
        y = self.y[k] + height * (secant * t**2 + left * u) / denominator
        slope = secant**2 * (right * t**2 + 2 * secant * u + left * (1 - t) ** 2) / denominator**2
        ends = np.where(x < self.x[0], self.slopes[0], self.slopes[-1])
        return (
            np.where(inside, y, _outside(x, self.x, self.y, self.slopes)),
            np.log(np.where(inside, slope, ends)),
        )

    def inverse(self, y):
        """The x whose spline's value is y, by the stable root of the segment's quadratic."""
        k, inside = _locate(self.y, y)
        width = self.x[k + 1] - self.x[k]
        height = self.y[k + 1] - self.y[k]
        secant, left, right = height / width, self.slopes[k], self.slopes[k + 1]
        rise = np.clip(y - self.y[k], 0.0, height)
        bend = rise * (left + right - 2 * secant)
        a = height * (secant - left) + bend
        b = height * left - bend
        c = -secant * rise
        t = 2 * c / (-b - np.sqrt(np.maximum(b**2 - 4 * a * c, 0.0)))
        x = self.x[k] + width * np.clip(t, 0.0, 1.0)
        return np.where(inside, x, _outside(y, self.y, self.x, 1 / self.slopes))


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
    return Spline(x, y, _with_ends(x, y, secants, np.sqrt(secants[:-1] * secants[1:])))


def _with_ends(x, y, secants, slopes):
    """Slopes between those beyond both ends: the outermost secants, at most MAX_END_SLOPE times the mean slope."""
    most = MAX_END_SLOPE * (y[-1] - y[0]) / (x[-1] - x[0])
    return np.concatenate([np.minimum(secants[:1], most), slopes, np.minimum(secants[-1:], most)])


def _locate(knots, values):
    """Index of the segment that holds each value, and whether the value lies between the outermost knots."""
    segment = np.clip(np.searchsorted(knots, values, side="right") - 1, 0, len(knots) - 2)
    return segment, (values >= knots[0]) & (values <= knots[-1])


def _outside(values, source, target, slopes):
    """The straight lines that carry on beyond the first and the last knot."""
    low = target[0] + (values - source[0]) * slopes[0]
    return np.where(values < source[0], low, target[-1] + (values - source[-1]) * slopes[-1])


def quantiles(x, shares):
    """Sample quantiles; of few numbers, Harrell and Davis' weighted means of the order statistics [1]_.

    References
    ----------
    .. [1] F. E. Harrell and C. E. Davis, "A new distribution-free quantile estimator", Biometrika 69, 1982.
    """
    if len(x) > FEW_NUMBERS:
        return np.quantile(x, shares, method="hazen")
    return np.asarray(hdquantiles(x, shares))


def fit_normal_scores(x, n_knots):
    """Spline from numbers to normal scores through quantiles; with two knots, standardisation."""
    if n_knots <= 2 or np.ptp(x) == 0:
        low, centre, high = np.quantile(x, [0.25, 0.5, 0.75])
        spread = (high - low) / NORMAL_IQR or x.std() or max(abs(centre), 1.0)
        return fit_spline(np.array([centre - spread, centre + spread]), np.array([-1.0, 1.0]))
    end = -ndtri(0.5 / len(x))
    scores = np.linspace(-end, end, n_knots)
    knots = quantiles(x, ndtr(scores))
    apart = np.concatenate([[True], np.diff(knots) > 8 * np.spacing(np.abs(knots[1:]) + np.abs(knots[:-1]))])
    return fit_spline(knots[apart], scores[apart])


def _pieces(edges, x):
    """Piece that each x lies on, 0 before the first edge, and the edge where the piece begins or, if it is 0, ends."""
    piece = np.searchsorted(edges, x, side="right")
    return piece, np.maximum(piece - 1, 0)


class Cells:
    """Numbers that repeat <-> normal scores of their ranks, by a straight line in the cell of each number.

    A cell reaches half way to the neighbours, the outermost ones as far to the other side. Beyond them the slope is at
    most MAX_END_SLOPE times the mean slope.

    Parameters
    ----------
    values : different numbers in ascending order, two or more
    counts : rows that hold each of them
    """

    def __init__(self, values, counts):
        middles = (values[:-1] + values[1:]) / 2
        end = -ndtri(0.5 / counts.sum())
        self.values = values
        self.edges = np.concatenate([[2 * values[0] - middles[0]], middles, [2 * values[-1] - middles[-1]]])
        self.scores = np.concatenate([[-end], ndtri(np.cumsum(counts)[:-1] / counts.sum()), [end]])
        slopes = np.diff(self.scores) / np.diff(self.edges)
        self.slopes = _with_ends(self.edges, self.scores, slopes, slopes)

    def nearest(self, x):
        """The number in whose cell each x lies; NaN stays."""
        piece, _ = _pieces(self.edges, x)
        return np.where(np.isnan(x), x, self.values[np.clip(piece - 1, 0, len(self.values) - 1)])

    def spread(self, x, rng):
        """Uniform draws from the cells of x; numbers beyond them stay."""
        piece, edge = _pieces(self.edges, x)
        end = np.minimum(edge + 1, len(self.values))
        drawn = self.edges[edge] + rng.uniform(size=len(x)) * (self.edges[end] - self.edges[edge])
        return np.where((piece == 0) | (piece > len(self.values)), x, drawn)

    def forward(self, x):
        """Score of each x, and the log-slope there."""
        piece, edge = _pieces(self.edges, x)
        slope = self.slopes[piece]
        return self.scores[edge] + slope * (x - self.edges[edge]), np.log(slope)

    def inverse(self, z):
        piece, edge = _pieces(self.scores, z)
        return self.edges[edge] + (z - self.scores[edge]) / self.slopes[piece]
