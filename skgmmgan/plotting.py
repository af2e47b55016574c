"""Pictures of a synthetic table beside the real one, and of a fitted model. They need matplotlib, and no torch.

Each display follows scikit-learn: a class method computes and draws, the object holds what was computed, and `plot`
draws it again. Tables are DataFrames or arrays of numbers, with missing cells.
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.inspection import permutation_importance
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ._containers import is_missing
from ._table import Table
from .metrics import N_BINS, _as_table, _boosting, _distance_features, _matrices

__all__ = [
    "ComponentsDisplay",
    "DistanceDisplay",
    "GiveawayDisplay",
    "HistoryDisplay",
    "MarginalsDisplay",
    "TrendsDisplay",
]

REAL, SYNTHETIC, MARK = "#0072B2", "#D55E00", "#000000"  # of Okabe and Ito, for all kinds of colour vision
STRENGTH, DIFFERENCE = "cividis", "PuOr"
N_BARS = 30  # of a histogram
N_TREND_LEVELS = 20  # of a category in an association
N_RANKED = 20  # columns that a bar chart names
MIN_COMPONENT_ROWS = 5


def _pyplot():
    """matplotlib.pyplot, or an ImportError that says how to install it."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError("matplotlib is needed for plots: pip install 'skgmmgan[plot]'.") from error
    return plt


def _axes(axes, n, n_columns, size):
    """The figure and n axes: those given, or a grid in a new figure with panels of a size in inches."""
    plt = _pyplot()
    if axes is None:
        n_rows = -(-n // n_columns)
        figsize = (size[0] * n_columns, size[1] * n_rows)
        figure, grid = plt.subplots(n_rows, n_columns, figsize=figsize, layout="constrained", squeeze=False)
        for spare in grid.flat[n:]:
            spare.remove()
        return figure, grid.ravel()[:n]
    axes = np.asarray(axes, dtype=object).ravel()
    if len(axes) != n:
        raise ValueError(f"axes holds {len(axes)} axes; {n} are needed, one for each panel.")
    return axes[0].figure, axes


def _text(value, width=18):
    """A name or category as a short text without markup."""
    text = " ".join(str(value).split())
    return (text if len(text) <= width else f"{text[: width - 1]}…").replace("$", r"\$")


def _read(*tables):
    """The description of the first table, and float matrices of all."""
    matrices, _ = _matrices(*tables)
    return Table(_as_table(tables[0])), matrices


def _positions(table, columns):
    """Indices of the columns with these names."""
    unknown = [name for name in columns if name not in table.names]
    if unknown:
        raise ValueError(f"columns names {unknown[0]!r}, which is no column of the table; they are {table.names}.")
    return [table.names.index(name) for name in columns]


def _place_numbers(x, edges):
    """The bin of each number between inner edges; the last code, len(edges) + 1, is that of missing cells."""
    return np.where(np.isnan(x), len(edges) + 1, np.searchsorted(edges, x, side="right"))


def _place_categories(x, frequent):
    """The rank of each code among frequent ones, then a code for all others, and the last for missing cells."""
    order = np.argsort(frequent)
    at = order[np.clip(np.searchsorted(frequent, x, sorter=order), 0, len(frequent) - 1)] if len(frequent) else 0
    known = np.take(frequent, at) == x if len(frequent) else np.zeros(len(x), dtype=bool)
    return np.where(np.isnan(x), len(frequent) + 1, np.where(known, at, len(frequent)))


def _frequent(x, n):
    """The n most frequent codes, the most frequent first."""
    codes, counts = np.unique(x[~np.isnan(x)], return_counts=True)
    return codes[np.argsort(-counts, kind="stable")[:n]]


def _histogram_edges(x):
    """Edges of at most N_BARS equal bins over the middle 99 % of a column; of integers they hold equally many."""
    x = x[~np.isnan(x)]
    if not len(x):
        return np.array([0.0, 1.0])
    low, high = np.quantile(x, [0.005, 0.995], method="nearest")
    if low == high:
        low, high = x.min(), x.max()
    if (x == np.rint(x)).all():
        step = -(-(high - low + 1) // N_BARS)
        return np.arange(low, high + step + 1, step) - 0.5 if low < high else np.array([low - 0.5, low + 0.5])
    return np.linspace(low, high, N_BARS + 1) if low < high else np.array([low - 0.5, low + 0.5])


def _rank_edges(x):
    """Inner edges of N_BINS bins that hold about as many rows each; repeated numbers stay together."""
    values, counts = np.unique(x[~np.isnan(x)], return_counts=True)
    rank = (np.cumsum(counts) - counts / 2) / counts.sum()
    last = np.flatnonzero(np.diff(np.floor(N_BINS * rank)))
    return (values[last] + values[last + 1]) / 2


def _end_ticks(column, edges):
    """Ticks at the ends of a column of times or large integers, and their texts; None for other numbers."""
    if not (column.origin or column.container.is_time(column.dtype)):
        return None
    ends = np.array([np.ceil(edges[0]), np.floor(edges[-1])])
    return ends, [str(value).removesuffix(" 00:00:00")[:16] for value in column.container.objects(column.decode(ends))]


def _set_ticks(axis, ticks):
    """Put ticks at the ends of an axis, and turn their texts inwards."""
    axis.set_ticks(ticks[0], ticks[1])
    if axis.axis_name == "x":
        for label, side in zip(axis.get_ticklabels(), ["left", "right"]):
            label.set_horizontalalignment(side)


def _overlay(ax, edges, real, other, labels):
    """One distribution as a filled step, the other as its outline; NaN leaves a gap."""
    ax.stairs(real, edges, fill=True, color=REAL, alpha=0.5, label=labels[0])
    ax.stairs(other, edges, color=SYNTHETIC, linewidth=1.3, label=labels[1])


class Marginal(NamedTuple):
    """Shares of the cells of one column.

    Attributes
    ----------
    name : object
        Name of the column.
    edges : ndarray of shape (n_bins + 1,) or None
        Edges of the bins, in units of the column (times in ticks); None for categories.
    levels : list
        The categories shown, the most frequent first; empty for numbers.
    real, synthetic : ndarray of shape (n_bins + 1,) or (n_levels + 2,)
        Shares, which sum to 1; of the bins or of the levels and all other categories, the last one of missing cells.
    ticks : tuple or None
        Positions and texts of the ends of a column of times.
    """

    name: object
    edges: np.ndarray | None
    levels: list
    real: np.ndarray
    synthetic: np.ndarray
    ticks: tuple | None


def _marginal(name, column, real, synthetic, max_levels):
    """Marginal of the values of one column."""
    if column.categories is None:
        edges, levels = _histogram_edges(real), []
        codes = [_place_numbers(x, edges[1:-1]) for x in (real, synthetic)]
        n, ticks = len(edges), _end_ticks(column, edges)
    else:
        frequent, edges, ticks = _frequent(real, max_levels), None, None
        levels = [column.categories[int(code)] for code in frequent]
        codes = [_place_categories(x, frequent) for x in (real, synthetic)]
        n = len(frequent) + 2
    shares = [np.bincount(c, minlength=n) / len(c) for c in codes]
    return Marginal(name, edges, levels, *shares, ticks)


class MarginalsDisplay:
    """The distribution of each column, real against synthetic.

    A number has bins of equal width over the middle 99 % of the real column, and the outermost ones count what lies
    beyond. A category has its most frequent real levels, and "other" for the rest.

    Parameters
    ----------
    marginals : list of Marginal
        Shares of the cells of each column: `name`, `edges`, `levels`, `real`, `synthetic`.

    Attributes
    ----------
    axes_ : ndarray of shape (n_columns,)
        Axes of the panels.
    figure_ : Figure
        The figure that holds them.
    """

    def __init__(self, marginals):
        self.marginals = marginals

    @classmethod
    def from_tables(cls, real, synthetic, *, columns=None, max_columns=40, max_levels=8, axes=None):
        """Compute the shares and draw them.

        Parameters
        ----------
        real : array-like or DataFrame of shape (n_real, n_features)
            Real rows.
        synthetic : array-like or DataFrame of shape (n_synthetic, n_features)
            Synthetic rows.
        columns : list, default=None
            Names of the columns to show (indices for an array); None shows all.
        max_columns : int, default=40
            Of more columns only those with the largest differences (total variation) are shown.
        max_levels : int, default=8
            How many categories a column shows.
        axes : array-like of Axes, default=None
            One for each panel; None makes a figure.

        Returns
        -------
        display : MarginalsDisplay
            What was computed and drawn.
        """
        _pyplot()
        table, (real, synthetic) = _read(real, synthetic)
        at = range(len(table.names)) if columns is None else _positions(table, columns)
        marginals = [_marginal(table.names[j], table.columns[j], real[:, j], synthetic[:, j], max_levels) for j in at]
        variation = np.array([np.abs(m.real - m.synthetic).sum() for m in marginals])
        shown = np.sort(np.argsort(-variation, kind="stable")[:max_columns])
        return cls([marginals[i] for i in shown]).plot(axes=axes)

    def plot(self, axes=None):
        """Draw the panels.

        Parameters
        ----------
        axes : array-like of Axes, default=None
            One for each panel; None makes a figure.

        Returns
        -------
        self : MarginalsDisplay
            The display, with `axes_` and `figure_`.
        """
        n = len(self.marginals)
        n_columns = max(min(n, 3), int(np.ceil(np.sqrt(1.6 * n))))
        width = np.clip(16 / n_columns, 2.0, 3.6)
        self.figure_, self.axes_ = _axes(axes, n, n_columns, (width, 0.8 * width))
        size = 8 if n <= 12 else 6
        for ax, marginal in zip(self.axes_, self.marginals):
            (_draw_levels if marginal.edges is None else _draw_bins)(ax, marginal, size)
            ax.set_title(_text(marginal.name, 26), fontsize=size + 1)
            ax.locator_params(axis="y", nbins=3)
            ax.tick_params(labelsize=size, length=2, pad=2)
        if axes is None:
            handles, labels = self.axes_[0].get_legend_handles_labels()
            self.figure_.legend(handles, labels, loc="outside upper right", ncols=2)
        else:
            self.axes_[0].legend(fontsize=size)
        return self


def _draw_bins(ax, marginal, size):
    """Histogram of a number, with a bar of its missing cells beside it."""
    edges, real, synthetic = marginal.edges, marginal.real[:-1], marginal.synthetic[:-1]
    if marginal.real[-1] or marginal.synthetic[-1]:
        edges = np.append(edges, edges[-1] + np.array([0.06, 0.12]) * (edges[-1] - edges[0]))
        real, synthetic = (np.append(m[:-1], [np.nan, m[-1]]) for m in (marginal.real, marginal.synthetic))
        at = {"transform": ax.get_xaxis_transform(), "rotation": 90, "va": "top", "ha": "center", "fontsize": size}
        ax.text(edges[-2:].mean(), 0.97, "missing", **at)
    _overlay(ax, edges, real, synthetic, ("real", "synthetic"))
    if marginal.ticks is None:
        ax.locator_params(axis="x", nbins=4)
        ax.ticklabel_format(axis="x", scilimits=(-3, 4), useOffset=False)
        ax.xaxis.get_offset_text().set_fontsize(size)
    else:
        _set_ticks(ax.xaxis, marginal.ticks)


def _draw_levels(ax, marginal, size):
    """Bars of categories."""
    names = [_text("missing" if is_missing(v) else v, 12) for v in [*marginal.levels, "other", "missing"]]
    shown = (marginal.real > 0) | (marginal.synthetic > 0)
    n = shown.sum()
    edges = (np.arange(n)[:, None] + [-0.4, 0.4]).ravel()
    values = np.full((2, 2 * n), np.nan)
    values[:, ::2] = marginal.real[shown], marginal.synthetic[shown]
    _overlay(ax, edges, *values[:, :-1], ("real", "synthetic"))
    ax.set_xticks(range(n), [name for name, s in zip(names, shown) if s], rotation=90)


def _levels_of(column, real, synthetic):
    """Codes of a column in two tables for its associations."""
    if column.categories is None:
        edges = _rank_edges(real)
        return [_place_numbers(x, edges) for x in (real, synthetic)]
    frequent = _frequent(real, N_TREND_LEVELS)
    return [_place_categories(x, frequent) for x in (real, synthetic)]


def _cramers_v(codes):
    """Bias-corrected Cramér's V of each pair of columns of codes (n, d), as (d, d); 0 of columns with one level."""
    n, d = codes.shape
    n_levels = codes.max(axis=0) + 1
    start = np.concatenate([[0], np.cumsum(n_levels)[:-1]])
    one_hot = csr_array(
        (np.ones(n * d), (codes + start).ravel(), np.arange(0, n * d + 1, d)), shape=(n, n_levels.sum())
    )
    joint = (one_hot.T @ one_hot).toarray()
    counts = joint.diagonal()
    expected = np.maximum(np.outer(counts, counts), 1.0)
    by_pair = np.add.reduceat(np.add.reduceat(joint**2 / expected, start, axis=0), start, axis=1)
    k = np.add.reduceat(counts > 0, start, dtype=float)
    shrink = max(n - 1, 1)
    phi = np.maximum(0.0, by_pair - 1 - np.outer(k - 1, k - 1) / shrink)
    k = k - (k - 1) ** 2 / shrink
    smaller = np.minimum.outer(k, k) - 1
    return np.sqrt(np.divide(phi, smaller, out=np.zeros((d, d)), where=smaller > 1e-9)).clip(max=1.0)


class TrendsDisplay:
    """How strongly each pair of columns hangs together, in the real and in the synthetic table.

    The measure is Cramér's V with Bergsma's correction for bias [1]_, for all types alike: numbers are in ten bins
    that hold about as many real rows each, categories beyond the 20 most frequent are one level, and missing cells are
    a level. It is 0 for independent columns and 1 if one tells the other.

    Parameters
    ----------
    names : list
        Names of the columns.
    real, synthetic : ndarray of shape (n_features, n_features)
        Associations, between 0 and 1; 0 for a column with a single level.

    Attributes
    ----------
    axes_ : ndarray of shape (3,)
        Axes of the real table, the synthetic table, and the difference synthetic - real.
    figure_ : Figure
        The figure that holds them.

    References
    ----------
    .. [1] W. Bergsma, "A bias-correction for Cramér's V and Tschuprow's T", Journal of the Korean Statistical Society
       42, 2013.
    """

    def __init__(self, names, real, synthetic):
        self.names = names
        self.real = real
        self.synthetic = synthetic

    @classmethod
    def from_tables(cls, real, synthetic, *, axes=None):
        """Compute the associations and draw them.

        Parameters
        ----------
        real : array-like or DataFrame of shape (n_real, n_features)
            Real rows.
        synthetic : array-like or DataFrame of shape (n_synthetic, n_features)
            Synthetic rows.
        axes : array-like of three Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : TrendsDisplay
            What was computed and drawn.
        """
        _pyplot()
        table, (real, synthetic) = _read(real, synthetic)
        codes = [_levels_of(*column) for column in zip(table.columns, real.T, synthetic.T)]
        return cls(table.names, *(_cramers_v(np.column_stack(part)) for part in zip(*codes))).plot(axes=axes)

    def plot(self, axes=None):
        """Draw the heat maps.

        Parameters
        ----------
        axes : array-like of three Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        self : TrendsDisplay
            The display, with `axes_` and `figure_`.
        """
        d = len(self.names)
        width = np.clip(2.5 + 0.1 * d, 3.2, 6.5)
        self.figure_, self.axes_ = _axes(axes, 3, 3, (width, width))
        difference = self.synthetic - self.real
        most = max(0.1, np.abs(difference).max())
        mean = np.abs(difference[np.triu_indices(d, 1)]).mean() if d > 1 else 0.0
        panels = [
            ("real", self.real, STRENGTH, (0, 1)),
            ("synthetic", self.synthetic, STRENGTH, (0, 1)),
            (f"synthetic - real, on average ±{mean:.3f}", difference, DIFFERENCE, (-most, most)),
        ]
        for ax, (title, values, colours, (low, high)) in zip(self.axes_, panels):
            image = ax.imshow(values, cmap=colours, vmin=low, vmax=high)
            ax.set_title(title, fontsize=9)
            self._label(ax, ax is self.axes_[0])
            if ax is not self.axes_[0]:
                shared = self.axes_[:2] if ax is self.axes_[1] else ax
                bar = self.figure_.colorbar(image, ax=shared, shrink=0.6, aspect=30, pad=0.02)
                bar.ax.tick_params(labelsize=7)
        return self

    def _label(self, ax, is_first):
        """Names of the columns, as far as they can be read."""
        d = len(self.names)
        names = [_text(name, 16) for name in self.names]
        if d > 60:
            ax.set(xticks=[], yticks=[])
            return
        size = 8 if d <= 20 else 6 if d <= 45 else 4.5
        ax.set_xticks(range(d), names, rotation=90, fontsize=size)
        ax.set_yticks(range(d), names if is_first else [], fontsize=size) if is_first else ax.set_yticks([])


class ComponentsDisplay:
    """Real and sampled rows in two columns, and an ellipse for each component of the mixture.

    The mixture lives in the coordinates of the codec, where an ellipse of the columns has no exact counterpart. So each
    ellipse is estimated from the sampled rows, weighted by their responsibilities: two standard deviations of the
    component in units of the columns. A component with fewer than five rows has none.

    Parameters
    ----------
    names : tuple of two names
        The columns.
    real, synthetic : ndarray of shape (n_rows, 2)
        Rows in which both columns are present.
    means : ndarray of shape (n_components, 2)
        Means of the components, in units of the columns.
    covariances : ndarray of shape (n_components, 2, 2)
        Their covariances; NaN for a component without an ellipse.
    ticks : tuple of two
        For each column None or, if it holds times, positions and texts of its ends.

    Attributes
    ----------
    ax_ : Axes
        Where it was drawn.
    figure_ : Figure
        The figure that holds it.
    ellipses_ : dict from int to Polygon
        The ellipse of each component that has one.
    """

    def __init__(self, names, real, synthetic, means, covariances, ticks=(None, None)):
        self.names = names
        self.real = real
        self.synthetic = synthetic
        self.means = means
        self.covariances = covariances
        self.ticks = ticks

    @classmethod
    def from_estimator(cls, model, X, columns, *, n_samples=1000, random_state=None, ax=None):
        """Sample rows and draw them.

        Parameters
        ----------
        model : GMMGAN
            A fitted model.
        X : array-like or DataFrame of shape (n_rows, n_features)
            Real rows; at most `n_samples` of them are shown.
        columns : tuple of two names
            Columns of numbers or times (indices for an array).
        n_samples : int, default=1000
            How many rows are drawn.
        random_state : int, RandomState instance or None, default=None
            Seed of the sample; None continues the model's own stream.
        ax : Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : ComponentsDisplay
            What was computed and drawn.
        """
        _pyplot()
        check_is_fitted(model)
        if not hasattr(model, "component_summary"):
            raise TypeError(f"A {type(model).__name__} does not tell the components of its rows; give a GMMGAN.")
        table = Table(_as_table(X))
        if len(columns) != 2:
            raise ValueError(f"columns={columns!r} must be two names.")
        at = _positions(table, columns)
        for j in at:
            if table.columns[j].categories is not None:
                raise ValueError(f"Column {table.names[j]!r} holds categories; choose two columns of numbers or times.")
        rows, _ = model.sample(n_samples, random_state=random_state)
        (real, synthetic), _ = _matrices(X, rows)
        real = real[check_random_state(random_state).permutation(len(real))[:n_samples]][:, at]
        synthetic, responsibilities = synthetic[:, at], model.predict_proba(rows)
        present = ~np.isnan(synthetic).any(axis=1)
        moments = [_moments(synthetic[present], r) for r in responsibilities[present].T]
        means, covariances = (np.array(part) for part in zip(*moments))
        real, synthetic = real[~np.isnan(real).any(axis=1)], synthetic[present]
        ticks = tuple(_end_ticks(table.columns[j], _histogram_edges(x)) for j, x in zip(at, real.T))
        return cls(tuple(columns), real, synthetic, means, covariances, ticks).plot(ax=ax)

    def plot(self, ax=None):
        """Draw rows and ellipses.

        Parameters
        ----------
        ax : Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        self : ComponentsDisplay
            The display, with `ax_`, `figure_` and `ellipses_`.
        """
        from matplotlib.patches import Polygon

        self.figure_, (self.ax_,) = _axes(ax, 1, 1, (6, 5))
        for rows, colour, label in [(self.real, REAL, "real"), (self.synthetic, SYNTHETIC, "sampled")]:
            self.ax_.scatter(*rows.T, s=5, color=colour, alpha=0.35, linewidths=0, label=label)
        self.ellipses_ = {}
        for k in np.flatnonzero(~np.isnan(self.means).any(axis=1)):
            outline = Polygon(_ellipse(self.means[k], self.covariances[k]), fill=False, color=MARK, linewidth=1)
            self.ellipses_[int(k)] = self.ax_.add_patch(outline)
            box = {"boxstyle": "round,pad=0.1", "facecolor": "white", "alpha": 0.7, "linewidth": 0}
            self.ax_.annotate(str(k), self.means[k], fontsize=8, ha="center", va="center", bbox=box)
        self.ax_.autoscale_view()
        self.ax_.set(xlabel=_text(self.names[0], 40), ylabel=_text(self.names[1], 40))
        for axis, ticks in zip((self.ax_.xaxis, self.ax_.yaxis), self.ticks):
            if ticks is not None:
                _set_ticks(axis, ticks)
        self.ax_.set_title("numbered ellipses: components, two standard deviations", fontsize=9)
        self.ax_.legend(markerscale=3)
        return self


def _moments(rows, weights):
    """Weighted mean (2,) and covariance (2, 2) of rows; NaN with too few of them."""
    if weights.sum() < MIN_COMPONENT_ROWS:
        return np.full(2, np.nan), np.full((2, 2), np.nan)
    return np.average(rows, axis=0, weights=weights), np.cov(rows.T, aweights=weights, ddof=0)


def _ellipse(mean, covariance, n_std=2.0):
    """Points of the ellipse, (n, 2); by Cholesky factors, whatever the units of the columns."""
    (xx, xy), (_, yy) = covariance
    slope = xy / np.sqrt(xx) if xx > 0 else 0.0
    angle = np.linspace(0, 2 * np.pi, 100, endpoint=False)
    x, y = np.cos(angle), np.sin(angle)
    return mean + n_std * np.column_stack([np.sqrt(xx) * x, slope * x + np.sqrt(max(0.0, yy - slope**2)) * y])


class HistoryDisplay:
    """How a fit went: losses, held-out log-likelihoods, and what was selected.

    The first panel has the losses of the warm start, the second what its epochs gain over the prior on held-out rows,
    the third what each adversarial round gains over the one before. All are in nats per row, in the coordinates of the
    codec.

    Parameters
    ----------
    history : list of dict
        `history_` of a fitted model.

    Attributes
    ----------
    axes_ : ndarray of shape (3,)
        Axes of the losses, the gains of epochs, and the gains of rounds.
    figure_ : Figure
        The figure that holds them.
    """

    def __init__(self, history):
        self.history = history

    @classmethod
    def from_estimator(cls, model, *, axes=None):
        """Draw the history of a model.

        Parameters
        ----------
        model : GMMGAN or GMMGANClassifier
            A fitted model.
        axes : array-like of three Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : HistoryDisplay
            What was drawn.
        """
        check_is_fitted(model)
        return cls(model.history_).plot(axes=axes)

    def plot(self, axes=None):
        """Draw losses and gains.

        Parameters
        ----------
        axes : array-like of three Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        self : HistoryDisplay
            The display, with `axes_` and `figure_`.
        """
        self.figure_, self.axes_ = _axes(axes, 3, 3, (4.2, 3.6))
        stages = {name: [e for e in self.history if e["stage"] == name] for name in ("warm start", "all rows")}
        rounds = [entry for entry in self.history if entry["stage"] in ("absorb", "keep")]
        selected = [entry["selected"] for entry in self.history if entry["stage"] == "selection"]
        epoch = next((text for text in selected if text.startswith("epoch")), None)
        kept = next((text for text in selected if text.endswith("kept")), None)
        losses, gains, steps = self.axes_
        losses.set(title="warm start: losses", xlabel="epoch", ylabel="nats per row")
        gains.set(title="warm start: gain", xlabel="epoch", ylabel="held-out gain over the prior, nats per row")
        steps.set(title=f"adversarial rounds{f': {kept}' if kept else ''}", ylabel="held-out gain, nats per row")
        if stages["warm start"]:
            _draw_losses(losses, stages)
            _draw_gains(gains, stages["warm start"], epoch)
        else:
            _say(losses, "no epochs")
            _say(gains, "no epochs")
        if rounds:
            _draw_rounds(steps, rounds)
        else:
            _say(steps, "no rounds")
        return self


def _say(ax, text):
    """Say that there is nothing to draw."""
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center")
    ax.set(xticks=[], yticks=[])


def _draw_losses(ax, stages):
    """Losses of training and held-out rows by epoch, and of the epochs on all rows."""
    epochs = [entry["epoch"] for entry in stages["warm start"]]
    marks = {"marker": "o", "markersize": 3}
    ax.plot(epochs, [entry["generator_loss"] for entry in stages["warm start"]], color=REAL, label="training", **marks)
    held_out = [-entry["held_out_log_likelihood"] for entry in stages["warm start"]]
    ax.plot(epochs, held_out, color=SYNTHETIC, label="held-out", **marks)
    if stages["all rows"]:
        again = [(entry["epoch"], entry["generator_loss"]) for entry in stages["all rows"]]
        ax.plot(*zip(*again), color=MARK, linestyle="--", label="training, all rows", **marks)
    ax.locator_params(axis="x", integer=True)
    ax.legend(fontsize=8)


def _draw_gains(ax, epochs, selected):
    """Held-out gain by epoch, from 0 of the prior on, and the epoch that was selected."""
    gains = [0.0, *(entry["held_out_gain"] for entry in epochs)]
    at = [0, *(entry["epoch"] for entry in epochs)]
    ax.axhline(0, color=MARK, linewidth=0.5)
    ax.plot(at, gains, color=SYNTHETIC, marker="o", markersize=3)
    if selected is not None:
        best = int(selected.split()[1])
        ax.plot(best, gains[at.index(best)], "*", color=MARK, markersize=12, label=f"selected: {selected}")
        ax.legend(fontsize=8, loc="best")
    ax.locator_params(axis="x", integer=True)


def _draw_rounds(ax, rounds):
    """Held-out gain of each round with one standard error, where it is known, and whether it was kept."""
    names = [f"{e['stage']} {e['round']}" + (f", α = {e['alpha']:.2f}" if "alpha" in e else "") for e in rounds]
    gains = np.array([entry["held_out_gain"] for entry in rounds])
    errors = np.array([entry.get("held_out_gain_std", np.nan) for entry in rounds])
    kept = np.array([entry["kept"] for entry in rounds])
    ax.axhline(0, color=MARK, linewidth=0.5)
    for which, label, style in [
        (kept, "kept", {"color": SYNTHETIC}),
        (~kept, "not kept", {"facecolor": "white", "edgecolor": SYNTHETIC, "hatch": "///"}),
    ]:
        if which.any():
            ax.bar(np.flatnonzero(which), gains[which], yerr=errors[which], capsize=3, label=label, **style)
    ax.set_xticks(range(len(rounds)), names, rotation=90, fontsize=7)
    ax.legend(fontsize=8)


class GiveawayDisplay:
    """Which columns give synthetic rows away: the permutation importance of each for a detector.

    Boosted trees learn to tell real from synthetic rows on two thirds of both. On the others a column is permuted, and
    its importance is what the detector loses [1]_. Of columns that tell the same, each may seem unimportant.

    Parameters
    ----------
    names : list
        Names of the columns.
    importances : ndarray of shape (n_features, n_repeats)
        Drops of the area under the ROC curve on held-out rows.
    auc : float
        The area without permutation: 0.5 if the tables can't be told apart, 1 if they always can.

    Attributes
    ----------
    ax_ : Axes
        Where it was drawn.
    figure_ : Figure
        The figure that holds it.

    References
    ----------
    .. [1] L. Breiman, "Random forests", Machine Learning 45, 2001.
    """

    def __init__(self, names, importances, auc):
        self.names = names
        self.importances = importances
        self.auc = auc

    @classmethod
    def from_tables(cls, real, synthetic, *, n_repeats=5, random_state=None, ax=None):
        """Train the detector, and draw what it needs.

        Parameters
        ----------
        real : array-like or DataFrame of shape (n_real, n_features)
            Real rows; best as many as synthetic ones.
        synthetic : array-like or DataFrame of shape (n_synthetic, n_features)
            Synthetic rows.
        n_repeats : int, default=5
            How often each column is permuted.
        random_state : int, RandomState instance or None, default=None
            Seed of the split, the detector and the permutations.
        ax : Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : GiveawayDisplay
            What was computed and drawn.
        """
        _pyplot()
        rng = check_random_state(random_state)
        table, (real, synthetic) = _read(real, synthetic)
        X, y = np.concatenate([real, synthetic]), np.repeat([1, 0], [len(real), len(synthetic)])
        observed = ~np.isnan(X).all(axis=0)
        X_train, X_test, y_train, y_test = train_test_split(
            X[:, observed], y, test_size=1 / 3, stratify=y, random_state=rng.randint(2**31 - 1)
        )
        kind, categorical = HistGradientBoostingClassifier, table.categorical[observed]
        detector = _boosting(kind, categorical, X[:, observed], rng.randint(2**31 - 1)).fit(X_train, y_train)
        found = permutation_importance(
            detector, X_test, y_test, scoring="roc_auc", n_repeats=n_repeats, random_state=rng.randint(2**31 - 1)
        )
        importances = np.zeros((X.shape[1], n_repeats))
        importances[observed] = found.importances
        auc = roc_auc_score(y_test, detector.predict_proba(X_test)[:, 1])
        return cls(table.names, importances, float(auc)).plot(ax=ax)

    def plot(self, ax=None):
        """Draw the bars of the 20 most important columns, with one standard deviation over the repeats.

        Parameters
        ----------
        ax : Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        self : GiveawayDisplay
            The display, with `ax_` and `figure_`.
        """
        means, stds = self.importances.mean(axis=1), self.importances.std(axis=1)
        top = np.argsort(-means, kind="stable")[:N_RANKED]
        self.figure_, (self.ax_,) = _axes(ax, 1, 1, (6, 1.2 + 0.22 * max(len(top), 4)))
        self.ax_.barh(range(len(top)), means[top], xerr=stds[top], color=SYNTHETIC, error_kw={"linewidth": 1})
        self.ax_.set_yticks(range(len(top)), [_text(self.names[j], 30) for j in top], fontsize=8)
        self.ax_.invert_yaxis()
        self.ax_.axvline(0, color=MARK, linewidth=0.5)
        self.ax_.set_xlabel("drop in AUC when the column is permuted")
        self.ax_.set_title(f"real or synthetic: AUC {self.auc:.3f} (0.5 is best)", fontsize=10)
        return self


class DistanceDisplay:
    """How near synthetic and held-out rows lie to the nearest training row.

    If synthetic rows lie nearer than held-out rows, which trained nothing, the model gives training rows away. The
    distance is that of :func:`~skgmmgan.metrics.dcr_share`: the sum over columns of differences in standard deviations
    of the training rows, and 1 for each category that differs.

    Parameters
    ----------
    synthetic : ndarray of shape (n_synthetic,)
        Distances of the synthetic rows.
    holdout : ndarray of shape (n_holdout,)
        Distances of the held-out rows.

    Attributes
    ----------
    ax_ : Axes
        Where it was drawn.
    figure_ : Figure
        The figure that holds it.
    """

    def __init__(self, synthetic, holdout):
        self.synthetic = synthetic
        self.holdout = holdout

    @classmethod
    def from_tables(cls, real, synthetic, holdout, *, ax=None):
        """Measure the distances and draw them.

        Parameters
        ----------
        real : array-like or DataFrame of shape (n_real, n_features)
            The training rows.
        synthetic : array-like or DataFrame of shape (n_synthetic, n_features)
            Synthetic rows.
        holdout : array-like or DataFrame of shape (n_holdout, n_features)
            Real rows that trained nothing.
        ax : Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : DistanceDisplay
            What was computed and drawn.
        """
        _pyplot()
        matrices, categorical = _matrices(real, synthetic, holdout)
        real, *others = _distance_features(matrices, categorical)
        nearest = NearestNeighbors(n_neighbors=1, metric="manhattan").fit(real)
        return cls(*(nearest.kneighbors(rows)[0][:, 0] for rows in others)).plot(ax=ax)

    def plot(self, ax=None):
        """Draw the histograms; the last bin counts the largest 1 % too.

        Parameters
        ----------
        ax : Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        self : DistanceDisplay
            The display, with `ax_` and `figure_`.
        """
        self.figure_, (self.ax_,) = _axes(ax, 1, 1, (6, 4))
        parts = [self.holdout, self.synthetic]
        edges = np.linspace(0, np.quantile(np.concatenate(parts), 0.99) or 1.0, N_BARS + 1)
        shares = [np.histogram(np.minimum(x, edges[-1]), edges)[0] / len(x) for x in parts]
        labels = [
            f"{name}: median {np.median(x):.3g}, at distance 0 {np.mean(x == 0):.1%}"
            for name, x in zip(["held-out", "synthetic"], parts)
        ]
        _overlay(self.ax_, edges, *shares, labels)
        for x, colour in zip(parts, [REAL, SYNTHETIC]):
            self.ax_.axvline(np.median(x), color=colour, linestyle=":", linewidth=1)
        self.ax_.set(xlabel="distance to the nearest training row", ylabel="share of rows")
        self.ax_.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, 1.16))
        return self
