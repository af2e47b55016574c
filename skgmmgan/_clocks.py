"""Times as numbers: how a column counts them, and the hours and weekdays that hold many of its rows."""

from typing import NamedTuple

import numpy as np

from ._transforms import Spline

MINUTE, HOUR, DAY = 1, 60, 1440  # minutes
MONDAY = 3  # days from the Monday before it to the epoch
WEEK = 7  # days
MIN_RHYTHM_ROWS = 50
N_ERRORS = 2  # standard errors by which shares must tell the times of other days better than a constant
PSEUDO_COUNT = 0.5  # of each part, where other days are told
UNSEEN_ROWS = 0.01  # at least, that parts without any row stand for


class Clock(NamedTuple):
    """How times are numbers: the tick from which they count, and the ticks of a day."""

    origin: int
    ticks_per_day: int

    def periods(self, x, minutes):
        """Whole periods of so many minutes from the epoch to numbers x, (n,) integers; float error takes none away."""
        ticks = np.floor(x + np.spacing(np.abs(x))).astype(np.int64) + self.origin
        days, rest = np.divmod(ticks, self.ticks_per_day)
        return days * (DAY // minutes) + rest * (DAY // minutes) // self.ticks_per_day

    def starts(self, periods, minutes):
        """The numbers at which periods begin, (n,)."""
        days, rest = np.divmod(periods, DAY // minutes)
        return (days * self.ticks_per_day + rest * self.ticks_per_day // (DAY // minutes) - self.origin).astype(float)

    @property
    def since_monday(self):
        """Ticks from the start of a week to number 0."""
        return (self.origin + MONDAY * self.ticks_per_day) % (WEEK * self.ticks_per_day)


class Rhythm(NamedTuple):
    """Times <-> numbers of weeks of which each part is as long as its share of the rows.

    Hours of work are long then, and nights are short: what a smooth density draws comes when rows of the table do.
    """

    week: float  # ticks
    phase: float  # ticks from the start of a week to that of the cell of number 0
    shares: np.ndarray  # of equal parts of a week

    def forward(self, x):
        """Number of weeks at x and its log-slope there, two arrays of the shape of x."""
        weeks, rest = np.divmod(x + self.phase, self.week)
        at = rest * (len(self.shares) / self.week)
        part = np.minimum(at.astype(int), len(self.shares) - 1)
        share = self.shares[part]
        return weeks + self._starts[part] + (at - part) * share, np.log(share * (len(self.shares) / self.week))

    def inverse(self, weeks):
        whole, rest = np.divmod(weeks, 1.0)
        part = np.searchsorted(self._starts, rest, side="right") - 1
        at = part + ((rest - self._starts[part]) / self.shares[part]).clip(0, 1)
        return (whole + at / len(self.shares)) * self.week - self.phase

    @property
    def _starts(self):
        return np.append(0.0, np.cumsum(self.shares)[:-1])


class RhythmicSpline(NamedTuple):
    """A transform of times: a spline of their numbers of weeks."""

    rhythm: Rhythm
    spline: Spline

    def forward(self, x):
        weeks, log_slope = self.rhythm.forward(x)
        z, log_slope_of_spline = self.spline.forward(weeks)
        return z, log_slope + log_slope_of_spline

    def inverse(self, z):
        return self.rhythm.inverse(self.spline.inverse(z))


def find_rhythm(x, clock, step):
    """The Rhythm of times on a grid, or None if the hours and weekdays of some days do not tell those of others.

    Shares of weekdays, of parts of a day, of both, or of each hour of a week are tried; those are taken by which even
    days tell odd ones best, and odd days even ones. The parts of a week that hold no row have the share of those that
    hold one [1]_.

    Parameters
    ----------
    x : (n,) numbers
    step : their rounding step, or 0

    References
    ----------
    .. [1] I. J. Good, "The population frequencies of species and the estimation of population parameters", Biometrika,
       1953.
    """
    phase, per_day = clock.since_monday, clock.ticks_per_day
    day, rest = np.divmod(x + phase, per_day)
    is_odd, most, found = day % 2 == 1, 0.0, None
    if len(x) < MIN_RHYTHM_ROWS or (step and phase % step):
        return None
    for n, models in MODELS.items():
        if per_day % n or (step and per_day // n % step):
            continue
        part = (day % WEEK * n + rest * n // per_day).astype(int)
        counts = [np.bincount(part[rows], minlength=WEEK * n).reshape(WEEK, n) for rows in (is_odd, ~is_odd)]
        for model in models:
            odd, even = (np.log(model(half, _smoothed).ravel() * (WEEK * n))[part] for half in counts)
            gain = np.where(is_odd, even, odd)  # in nats, to a constant density
            least = gain.sum() - N_ERRORS * gain.std() * len(x) ** 0.5
            if least > most:
                most, found = least, model(counts[0] + counts[1], _with_unseen).ravel()
    return None if found is None else Rhythm(float(WEEK * per_day), phase + step / 2, found)


def _smoothed(counts):
    return (counts + PSEUDO_COUNT) / (counts + PSEUDO_COUNT).sum()


def _with_unseen(counts):
    """Shares, none of them 0, from counts."""
    are_empty = counts == 0
    n_unseen = max((counts == 1).sum(), UNSEEN_ROWS) * are_empty.any()
    return np.where(are_empty, n_unseen / max(are_empty.sum(), 1), counts) / (counts.sum() + n_unseen)


def _of_days(counts, shares):
    return np.repeat(shares(counts.sum(axis=1))[:, None] / counts.shape[1], counts.shape[1], axis=1)


def _of_times(counts, shares):
    return np.repeat(shares(counts.sum(axis=0))[None] / WEEK, WEEK, axis=0)


def _of_both(counts, shares):
    return shares(counts.sum(axis=1))[:, None] * shares(counts.sum(axis=0))


def _of_week(counts, shares):
    return shares(counts)


MODELS = {  # by the parts of a day whose shares may differ: days, three hours, hours and quarters of an hour
    1: (_of_days,),
    8: (_of_times, _of_both),
    24: (_of_times, _of_both, _of_week),
    96: (_of_times, _of_both),
}
