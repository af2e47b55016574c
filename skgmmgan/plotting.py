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

from ._comparison import as_table, boosting, matrices_of
from ._neighbors import distance_features
from ._table import Table
from .metrics import N_BINS

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
MAX_NAMED = 60  # columns that a heat map names
MIN_COMPONENT_ROWS = 5


def _import_pyplot():
    """matplotlib.pyplot, or an ImportError that says how to install it."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError("matplotlib is needed for plots: pip install 'skgmmgan[plot]'.") from error
    return plt


def _short(value, width):
    """A name or category as a text without mathematics, its middle left out if it is long."""
    text = " ".join(str(value).split())
    if len(text) > width:
        text = f"{text[: width // 2]}…{text[-((width - 1) // 2) :]}"
    return text.replace("$", r"\$")


def _read(*tables):
    """The description of the first table, and float matrices of all."""
    _import_pyplot()
    matrices, _ = matrices_of(*tables)
    return Table(as_table(tables[0])), matrices


def _positions(table, columns):
    """Indices of the columns with these names."""
    unknown = [name for name in columns if name not in table.names]
    if unknown:
        raise ValueError(f"columns names {unknown[0]!r}, which is no column of the table; they are {table.names}.")
    return [table.names.index(name) for name in columns]


def _equal_bins(x):
    """Edges of at most N_BARS equal bins over the middle 99 % of a column; bins of integers hold equally many."""
    if not len(x):
        return np.array([0.0, 1.0])
    low, high = np.quantile(x, [0.005, 0.995], method="nearest")
    if low == high:
        low, high = x.min(), x.max()
    if low == high:
        return low + np.array([-0.5, 0.5])
    if (x != np.rint(x)).any():
        return np.linspace(low, high, N_BARS + 1)
    step = np.ceil((high - low + 1) / N_BARS)
    return np.arange(low, high + 1 + step, step) - 0.5


def _equal_shares(x):
    """Edges of N_BINS bins that hold about as many rows each; repeated numbers stay together."""
    values, counts = np.unique(x, return_counts=True)
    rank = (np.cumsum(counts) - counts / 2) / max(len(x), 1)
    last = np.flatnonzero(np.diff(np.floor(N_BINS * rank)))
    return np.array([-np.inf, *(values[last] + values[last + 1]) / 2, np.inf])


def _cells(column, real, synthetic, find_edges, n_levels):
    """Edges of the bins of a column, or its most frequent codes, and where the cells of both tables belong.

    After the bins come missing cells; after the frequent codes come all others, then missing cells.
    """
    observed = real[~np.isnan(real)]
    if column.categories is None:
        grid = find_edges(observed)
        places = [np.searchsorted(grid[1:-1], x, side="right") for x in (real, synthetic)]
        n = len(grid) - 1
    else:
        counts = np.bincount(observed.astype(int), minlength=len(column.categories))
        grid = np.argsort(-counts, kind="stable")[:n_levels]
        rank = np.full(len(counts) + 1, len(grid))  # the last one is that of unseen categories, whose code is -1
        rank[grid] = np.arange(len(grid))
        places = [rank[np.nan_to_num(x).astype(int)] for x in (real, synthetic)]
        n = len(grid) + 1
    return grid, [np.where(np.isnan(x), n, place) for x, place in zip((real, synthetic), places)]


def _end_ticks(column, edges):
    """Positions and texts of the ends of a column of times or large integers; None for other numbers."""
    is_time = column.container.is_time(column.dtype)
    if not (column.origin or is_time):
        return None
    ends = np.array([np.ceil(edges[0]), np.floor(edges[-1])])
    low, high = column.container.objects(column.decode(ends))
    if is_time:
        return ends, [str(value).removesuffix(" 00:00:00")[:16] for value in (low, high)]
    return ends, [str(low), f"+{int(high) - int(low)}"]


def _set_ticks(axis, ticks):
    """Ticks at the ends of an axis, their texts turned inwards."""
    axis.set_ticks(*ticks)
    if axis.axis_name == "x":
        for label, side in zip(axis.get_ticklabels(), ["left", "right"]):
            label.set_horizontalalignment(side)


def _overlay(ax, edges, filled, outlined, labels=("real", "synthetic")):
    """One distribution as filled bars, another as their outline; NaN leaves a gap."""
    ax.stairs(filled, edges, fill=True, color=REAL, alpha=0.5, label=labels[0])
    ax.stairs(outlined, edges, color=SYNTHETIC, linewidth=1.3, label=labels[1])


class _Display:
    """What the displays share: the axes that they draw into."""

    def _layout(self):
        """Number of panels, panels in a row, and the width and height of each in inches."""
        return 1, 1, (6, 4)

    def plot(self, ax=None):
        """Draw what was computed.

        Parameters
        ----------
        ax : Axes or array-like of Axes, default=None
            One for each panel; None makes a figure.

        Returns
        -------
        self : object
            The display, with `axes_` and `figure_`.
        """
        plt = _import_pyplot()
        n, n_columns, (width, height) = self._layout()
        if ax is None:
            shape = -(-n // n_columns), n_columns
            size = width * shape[1], height * shape[0]
            self.figure_, axes = plt.subplots(*shape, figsize=size, layout="compressed", squeeze=False)
            for spare in axes.flat[n:]:
                spare.remove()
            self.axes_ = axes.ravel()[:n]
        else:
            self.axes_ = np.asarray(ax, dtype=object).ravel()
            if len(self.axes_) != n:
                raise ValueError(f"ax holds {len(self.axes_)} axes; {n} are needed, one for each panel.")
            self.figure_ = self.axes_[0].figure
        self._draw(*self.axes_)
        return self


class Marginal(NamedTuple):
    """Shares of the cells of a column: see `MarginalsDisplay`."""

    name: object
    edges: np.ndarray | None  # (n_bins + 1,) in units of the column, times in ticks; None for categories
    levels: list  # the categories shown
    real: np.ndarray  # (n_bins + 1,) or (n_levels + 2,)
    synthetic: np.ndarray
    ticks: tuple | None


class MarginalsDisplay(_Display):
    """The distribution of each column, real against synthetic.

    A number has bins of equal width over the middle 99 % of the real column, and the outermost ones count what lies
    beyond. A category has its most frequent real levels, and "other" for the rest.

    Parameters
    ----------
    marginals : list of Marginal
        Of each column its `name`, `edges` of bins (None for categories), the `levels` that are shown, and the shares
        `real` and `synthetic` of the bins or levels, of all other levels, and of missing cells; they sum to 1.

    Attributes
    ----------
    axes_ : ndarray of shape (n_columns,)
        Axes of the panels.
    figure_ : Figure
        The figure that holds them.

    Examples
    --------
    >>> import numpy as np
    >>> from skgmmgan.plotting import MarginalsDisplay
    >>> display = MarginalsDisplay.from_tables(np.array([[1], [2]]), np.array([[2], [2]]))
    >>> display.marginals[0].synthetic.tolist()  # no 1, only 2, nothing missing
    [0.0, 1.0, 0.0]
    """

    def __init__(self, marginals):
        self.marginals = marginals

    @classmethod
    def from_tables(cls, real, synthetic, *, columns=None, max_columns=40, max_levels=8, ax=None):
        """Compute the shares and draw them.

        Parameters
        ----------
        real : array-like or DataFrame of shape (n_real, n_features)
            Real rows.
        synthetic : array-like or DataFrame of shape (n_synthetic, n_features)
            Synthetic rows.
        columns : list, default=None
            Names of the columns to show (indices for an array); None is all.
        max_columns : int, default=40
            Of more columns only those that differ most (in total variation) are shown.
        max_levels : int, default=8
            How many categories of a column are shown.
        ax : array-like of Axes, default=None
            One for each panel; None makes a figure.

        Returns
        -------
        display : MarginalsDisplay
            What was computed and drawn.
        """
        table, (real, synthetic) = _read(real, synthetic)
        chosen = range(len(table.names)) if columns is None else _positions(table, columns)
        marginals = [
            cls._marginal(table.names[j], table.columns[j], real[:, j], synthetic[:, j], max_levels) for j in chosen
        ]
        difference = np.array([np.abs(m.real - m.synthetic).sum() for m in marginals])
        shown = np.sort(np.argsort(-difference, kind="stable")[:max_columns])
        return cls([marginals[i] for i in shown]).plot(ax)

    @staticmethod
    def _marginal(name, column, real, synthetic, max_levels):
        grid, places = _cells(column, real, synthetic, _equal_bins, max_levels)
        is_number = column.categories is None
        shares = [np.bincount(x, minlength=len(grid) + (0 if is_number else 2)) / len(x) for x in places]
        if is_number:
            return Marginal(name, grid, [], *shares, _end_ticks(column, grid))
        return Marginal(name, None, [column.categories[code] for code in grid], *shares, None)

    def _layout(self):
        n = len(self.marginals)
        n_columns = min(n, max(3, int(np.ceil(np.sqrt(1.6 * n)))))
        width = np.clip(16 / n_columns, 2.0, 3.6)
        return n, n_columns, (width, 0.8 * width)

    def _draw(self, *axes):
        size = 8 if len(axes) <= 12 else 6
        for ax, marginal in zip(axes, self.marginals):
            ax.set_title(_short(marginal.name, 26), fontsize=size + 1)
            ax.tick_params(labelsize=size, length=2, pad=2)
            ax.locator_params(axis="y", nbins=3)
            (_draw_levels if marginal.edges is None else _draw_bins)(ax, marginal, size)
        if self.figure_.get_layout_engine() is None:  # which would make room
            axes[0].legend(fontsize=size)
        else:
            self.figure_.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=2)


def _draw_bins(ax, marginal, size):
    """Histogram of numbers, with a bar of missing cells beside it."""
    edges, shares = marginal.edges, (marginal.real[:-1], marginal.synthetic[:-1])
    if marginal.real[-1] or marginal.synthetic[-1]:
        edges = np.append(edges, edges[-1] + np.array([0.06, 0.12]) * (edges[-1] - edges[0]))
        shares = [np.insert(share, -1, np.nan) for share in (marginal.real, marginal.synthetic)]
        where = {"transform": ax.get_xaxis_transform(), "rotation": 90, "va": "top", "ha": "center", "fontsize": size}
        ax.text(edges[-2:].mean(), 0.97, "missing", **where)
    _overlay(ax, edges, *shares)
    if marginal.ticks is None:
        ax.locator_params(axis="x", nbins=4)
        ax.ticklabel_format(axis="x", scilimits=(-3, 4), useOffset=False)
        ax.xaxis.get_offset_text().set_fontsize(size)
    else:
        _set_ticks(ax.xaxis, marginal.ticks)


def _draw_levels(ax, marginal, size):
    """Bars of categories that occur."""
    shown = np.flatnonzero(marginal.real + marginal.synthetic)
    names = [_short(level, 14) for level in [*marginal.levels, "other", "missing"]]
    edges = (np.arange(len(shown))[:, None] + [-0.4, 0.4]).ravel()
    shares = [np.insert(share[shown], range(1, len(shown)), np.nan) for share in (marginal.real, marginal.synthetic)]
    _overlay(ax, edges, *shares)
    ax.set_xticks(range(len(shown)), [names[i] for i in shown], rotation=90)


def _cramers_v(codes):
    """Bias-corrected Cramér's V of each pair of columns of codes (n, d), as (d, d); 0 of columns with one level."""
    n, d = codes.shape
    n_levels = codes.max(axis=0) + 1
    start = np.cumsum(n_levels) - n_levels
    at = (codes + start).ravel(), np.arange(0, n * d + 1, d)
    one_hot = csr_array((np.ones(n * d), *at), shape=(n, n_levels.sum()))
    joint = (one_hot.T @ one_hot).toarray()
    counts = joint.diagonal()
    terms = joint**2 / np.maximum(np.outer(counts, counts), 1.0)
    phi = np.add.reduceat(np.add.reduceat(terms, start, axis=0), start, axis=1) - 1
    k = np.add.reduceat(counts > 0, start, dtype=float)  # levels that occur
    shrink = max(n - 1, 1)
    phi = np.maximum(0.0, phi - np.outer(k - 1, k - 1) / shrink)
    k = k - (k - 1) ** 2 / shrink
    most = np.minimum.outer(k, k) - 1
    return np.sqrt(np.divide(phi, most, out=np.zeros((d, d)), where=most > 1e-9)).clip(max=1.0)


class TrendsDisplay(_Display):
    """How strongly each pair of columns hangs together, in the real and in the synthetic table.

    The measure is Cramér's V with the correction of its bias [1]_, for all types alike: numbers are in ten bins that
    hold about as many real rows each, categories beyond the 20 most frequent are one level, and missing cells are a
    level. It is 0 for independent columns and 1 if each tells the other.

    Parameters
    ----------
    names : list
        Names of the columns.
    real : ndarray of shape (n_features, n_features)
        Associations in the real table; 0 for a column with a single level.
    synthetic : ndarray of shape (n_features, n_features)
        Associations in the synthetic table.

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
        self.names, self.real, self.synthetic = names, real, synthetic

    @classmethod
    def from_tables(cls, real, synthetic, *, ax=None):
        """Compute the associations and draw them.

        Parameters
        ----------
        real : array-like or DataFrame of shape (n_real, n_features)
            Real rows.
        synthetic : array-like or DataFrame of shape (n_synthetic, n_features)
            Synthetic rows.
        ax : array-like of three Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : TrendsDisplay
            What was computed and drawn.
        """
        table, (real, synthetic) = _read(real, synthetic)
        columns = zip(table.columns, real.T, synthetic.T)
        codes = zip(*(_cells(*column, _equal_shares, N_TREND_LEVELS)[1] for column in columns))
        return cls(table.names, *(_cramers_v(np.column_stack(part)) for part in codes)).plot(ax)

    def _layout(self):
        width = np.clip(2.5 + 0.1 * len(self.names), 3.2, 6.5)
        return 3, 3, (width, width)

    def _draw(self, *axes):
        d = len(self.names)
        difference = self.synthetic - self.real
        most = max(0.1, np.abs(difference).max())
        mean = np.abs(difference).sum() / max(d * (d - 1), 1)
        panels = [
            ("real", self.real, STRENGTH, (0, 1)),
            ("synthetic", self.synthetic, STRENGTH, (0, 1)),
            (f"synthetic - real, {mean:.3f} off on average", difference, DIFFERENCE, (-most, most)),
        ]
        images = []
        for ax, (title, values, colours, (low, high)) in zip(axes, panels):
            images.append(ax.imshow(values, cmap=colours, vmin=low, vmax=high))
            ax.set_title(title, fontsize=9)
            names = [_short(name, 16) for name in self.names] if d <= MAX_NAMED else []
            size = np.clip(240 / d, 4, 8)
            ax.set_xticks(range(len(names)), names, rotation=90, fontsize=size)
            ax.set_yticks(range(len(names)), names if ax is axes[0] else [""] * len(names), fontsize=size)
        for image, beside in [(images[0], axes[:2]), (images[2], axes[2:])]:
            self.figure_.colorbar(image, ax=beside, shrink=0.6, aspect=30).ax.tick_params(labelsize=7)


class ComponentsDisplay(_Display):
    """Real and sampled rows in two columns, and an ellipse for each component of the mixture.

    The mixture lives in coordinates, where an ellipse of the columns has no exact counterpart. So each ellipse is
    estimated from the sampled rows, weighted by their responsibilities: two standard deviations of the component, in
    units of the columns. A component with fewer than five rows has none.

    Parameters
    ----------
    names : tuple of two names
        The columns.
    real : ndarray of shape (n_real, 2)
        Real rows in which both columns are present.
    synthetic : ndarray of shape (n_synthetic, 2)
        Sampled rows in which both columns are present.
    means : ndarray of shape (n_components, 2)
        Means of the components, in units of the columns; NaN for a component without an ellipse.
    covariances : ndarray of shape (n_components, 2, 2)
        Their covariances.
    ticks : tuple of two, default=(None, None)
        For each column None or, if it holds times, positions and texts of its ends.

    Attributes
    ----------
    axes_ : ndarray of shape (1,)
        Where it was drawn.
    figure_ : Figure
        The figure that holds it.
    ellipses_ : dict from int to Polygon
        The ellipse of each component that has one.
    """

    def __init__(self, names, real, synthetic, means, covariances, ticks=(None, None)):
        self.names, self.real, self.synthetic = names, real, synthetic
        self.means, self.covariances, self.ticks = means, covariances, ticks

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
            How many rows are sampled.
        random_state : int, RandomState instance or None, default=None
            Seed of the sample; None continues the model's own stream.
        ax : Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : ComponentsDisplay
            What was computed and drawn.
        """
        check_is_fitted(model)
        if not hasattr(model, "component_summary"):
            raise TypeError(f"A {type(model).__name__} does not tell the components of rows; give a GMMGAN.")
        table, (real,) = _read(X)
        if len(columns) != 2:
            raise ValueError(f"columns={columns!r} must be two names.")
        at = _positions(table, columns)
        for j in at:
            if table.columns[j].categories is not None:
                raise ValueError(f"Column {table.names[j]!r} holds categories; choose two columns of numbers or times.")
        rows, _ = model.sample(n_samples, random_state=random_state)
        responsibilities = model.predict_proba(rows)
        order = check_random_state(random_state).permutation(len(real))[:n_samples]
        real, synthetic = real[order][:, at], matrices_of(X, rows)[0][1][:, at]
        real, present = real[~np.isnan(real).any(axis=1)], ~np.isnan(synthetic).any(axis=1)
        synthetic = synthetic[present]
        means, covariances = zip(*(_moments(synthetic, weights) for weights in responsibilities[present].T))
        ticks = tuple(_end_ticks(table.columns[j], _equal_bins(x)) for j, x in zip(at, real.T))
        return cls(tuple(columns), real, synthetic, np.array(means), np.array(covariances), ticks).plot(ax)

    def _draw(self, ax):
        from matplotlib.patches import Polygon

        for rows, colour, label in [(self.real, REAL, "real"), (self.synthetic, SYNTHETIC, "sampled")]:
            ax.scatter(*rows.T, s=5, color=colour, alpha=0.35, linewidths=0, label=label)
        self.ellipses_ = {}
        box = {"boxstyle": "round,pad=0.1", "facecolor": "white", "alpha": 0.7, "linewidth": 0}
        for k in np.flatnonzero(~np.isnan(self.means).any(axis=1)).tolist():
            outline = Polygon(_ellipse(self.means[k], self.covariances[k]), fill=False, color=MARK, linewidth=1)
            self.ellipses_[k] = ax.add_patch(outline)
            ax.annotate(str(k), self.means[k], fontsize=8, ha="center", va="center", bbox=box)
        ax.autoscale_view()
        ax.set(xlabel=_short(self.names[0], 40), ylabel=_short(self.names[1], 40))
        for axis, ticks in zip((ax.xaxis, ax.yaxis), self.ticks):
            if ticks is not None:
                _set_ticks(axis, ticks)
        ax.set_title("components of the mixture: two standard deviations", fontsize=9)
        ax.legend(markerscale=3, fontsize=8)


def _moments(rows, weights):
    """Weighted mean (2,) and covariance (2, 2) of rows; NaN with too few of them."""
    if weights.sum() < MIN_COMPONENT_ROWS:
        return np.full(2, np.nan), np.full((2, 2), np.nan)
    return np.average(rows, axis=0, weights=weights), np.cov(rows.T, aweights=weights, ddof=0)


def _ellipse(mean, covariance, n_std=2.0):
    """Points (100, 2) of an ellipse, from the Cholesky factor: units of the columns may differ by any factor."""
    std = np.sqrt(covariance[0, 0])
    slope = covariance[0, 1] / std if std else 0.0
    rest = np.sqrt(max(0.0, covariance[1, 1] - slope**2))
    angle = np.linspace(0, 2 * np.pi, 100)
    x, y = np.cos(angle), np.sin(angle)
    return mean + n_std * np.column_stack([std * x, slope * x + rest * y])


class HistoryDisplay(_Display):
    """How a fit went: losses, gains on held-out rows, and what was selected.

    The panels are the losses of the warm start, what its epochs gain over the prior on held-out rows, and what each
    adversarial round gains over the one before. All are in nats per row, in the coordinates of the mixture.

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
    def from_estimator(cls, model, *, ax=None):
        """Draw the history of a model.

        Parameters
        ----------
        model : GMMGAN or GMMGANClassifier
            A fitted model.
        ax : array-like of three Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : HistoryDisplay
            What was drawn.
        """
        check_is_fitted(model)
        return cls(model.history_).plot(ax)

    def _layout(self):
        return 3, 3, (4.2, 3.6)

    def _draw(self, losses, gains, rounds):
        _draw_losses(losses, self._entries("warm start"), self._entries("all rows"))
        _draw_gains(gains, self._entries("warm start"), self._selected("epoch "))
        _draw_rounds(rounds, self._entries("absorb", "keep"), self._selected(" kept"))

    def _entries(self, *stages):
        return [entry for entry in self.history if entry["stage"] in stages]

    def _selected(self, what):
        """What was selected, in words with `what` among them; None if nothing was."""
        return next((e["selected"] for e in self._entries("selection") if what in e["selected"]), None)


def _has_any(ax, entries, what):
    """Whether there are entries; if not, the axes say so."""
    if not entries:
        ax.text(0.5, 0.5, f"no {what}", transform=ax.transAxes, ha="center", va="center")
        ax.set(xticks=[], yticks=[])
    return bool(entries)


def _draw_losses(ax, epochs, on_all_rows):
    """Losses of training and held-out rows by epoch, and of further epochs on all rows."""
    ax.set(title="warm start: loss", xlabel="epoch", ylabel="nats per row")
    if not _has_any(ax, epochs, "epochs"):
        return
    lines = [
        (epochs, "generator_loss", 1, {"color": REAL, "label": "training rows"}),
        (epochs, "held_out_log_likelihood", -1, {"color": SYNTHETIC, "label": "held-out rows"}),
        (on_all_rows, "generator_loss", 1, {"color": MARK, "linestyle": "--", "label": "all rows, afterwards"}),
    ]
    for entries, name, sign, style in lines:
        if entries:
            ax.plot([e["epoch"] for e in entries], [sign * e[name] for e in entries], marker=".", **style)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend(fontsize=8)


def _draw_gains(ax, epochs, selected):
    """Gain on held-out rows by epoch, the prior being epoch 0, and the epoch that was selected."""
    ax.set(title="warm start: gain over the prior", xlabel="epoch", ylabel="nats per held-out row")
    if not _has_any(ax, epochs, "epochs"):
        return
    gain = {0: 0.0} | {entry["epoch"]: entry["held_out_gain"] for entry in epochs}
    ax.axhline(0, color=MARK, linewidth=0.5)
    ax.plot(list(gain), list(gain.values()), ".-", color=SYNTHETIC)
    if selected:
        best = int(selected.removeprefix("epoch "))
        ax.plot(best, gain[best], "*", color=MARK, markersize=12, label=f"selected: {selected}")
        ax.legend(fontsize=8)
    ax.xaxis.get_major_locator().set_params(integer=True)


def _draw_rounds(ax, rounds, selected):
    """Gain on held-out rows of each adversarial round, its standard error where it is known, and whether it stays."""
    ax.set(title=f"adversarial rounds: {selected or 'gain'}", ylabel="nats per held-out row")
    if not _has_any(ax, rounds, "rounds"):
        return
    gains = np.array([entry["held_out_gain"] for entry in rounds])
    stds = np.array([entry.get("held_out_gain_std", np.nan) for entry in rounds])
    kept = np.array([entry["kept"] for entry in rounds])
    ax.axhline(0, color=MARK, linewidth=0.5)
    open_bars = {"facecolor": "white", "edgecolor": SYNTHETIC, "hatch": "///"}
    for which, label, style in [(kept, "kept", {"color": SYNTHETIC}), (~kept, "not kept", open_bars)]:
        if which.any():
            ax.bar(np.flatnonzero(which), gains[which], yerr=stds[which], capsize=3, label=label, **style)
    names = [f"{e['stage']} {e['round']}" + (f", alpha {e['alpha']:.2f}" if "alpha" in e else "") for e in rounds]
    ax.set_xticks(range(len(rounds)), names, rotation=90, fontsize=7)
    ax.legend(fontsize=8)


class GiveawayDisplay(_Display):
    """Which columns give synthetic rows away: the importance of each for a detector.

    Boosted trees learn to tell real from synthetic rows on two thirds of both. On the others each column is permuted,
    and its importance is what the detector loses [1]_. Of columns that tell the same, each may seem unimportant.

    Parameters
    ----------
    names : list
        Names of the columns.
    importances : ndarray of shape (n_features, n_repeats)
        Drops of the area under the ROC curve on held-out rows.
    auc : float
        That area before: 0.5 if the tables can't be told apart, 1 if they always can.

    Attributes
    ----------
    axes_ : ndarray of shape (1,)
        Where it was drawn.
    figure_ : Figure
        The figure that holds it.

    References
    ----------
    .. [1] L. Breiman, "Random forests", Machine Learning 45, 2001.
    """

    def __init__(self, names, importances, auc):
        self.names, self.importances, self.auc = names, importances, auc

    @classmethod
    def from_tables(cls, real, synthetic, *, n_repeats=5, random_state=None, ax=None):
        """Train the detector and draw what it needs.

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
        table, (real, synthetic) = _read(real, synthetic)
        seed = int(check_random_state(random_state).randint(2**31 - 1))
        X, y = np.concatenate([real, synthetic]), np.repeat([1, 0], [len(real), len(synthetic)])
        observed = ~np.isnan(X).all(axis=0)
        X = X[:, observed]
        train, test = train_test_split(np.arange(len(X)), test_size=1 / 3, stratify=y, random_state=seed)
        detector = boosting(HistGradientBoostingClassifier, table.categorical[observed], X, seed)
        detector.fit(X[train], y[train])
        importances = np.zeros((len(table.names), n_repeats))
        importances[observed] = permutation_importance(
            detector, X[test], y[test], scoring="roc_auc", n_repeats=n_repeats, random_state=seed
        ).importances
        auc = roc_auc_score(y[test], detector.predict_proba(X[test])[:, 1])
        return cls(table.names, importances, float(auc)).plot(ax)

    def _layout(self):
        return 1, 1, (6, 1.2 + 0.22 * np.clip(len(self.names), 4, N_RANKED))

    def _draw(self, ax):
        means, stds = self.importances.mean(axis=1), self.importances.std(axis=1)
        top = np.argsort(-means, kind="stable")[:N_RANKED]
        ax.barh(range(len(top)), means[top], xerr=stds[top], color=SYNTHETIC, error_kw={"linewidth": 1})
        ax.set_yticks(range(len(top)), [_short(self.names[j], 30) for j in top], fontsize=8)
        ax.invert_yaxis()
        ax.axvline(0, color=MARK, linewidth=0.5)
        ax.set_xlabel("drop in AUC when the column is permuted")
        ax.set_title(f"real or synthetic: AUC {self.auc:.3f} (0.5 is best)", fontsize=10)


class DistanceDisplay(_Display):
    """How near synthetic and held-out rows lie to the nearest training row.

    If synthetic rows lie nearer than held-out rows, which trained nothing, the model gives training rows away. The
    distance is that of :func:`~skgmmgan.metrics.dcr_share`: differences of numbers in standard deviations of the
    training rows, and 1 for each category that differs, summed over columns. The last bin counts the largest 1 % too.

    Parameters
    ----------
    synthetic : ndarray of shape (n_synthetic,)
        Distances of the synthetic rows.
    holdout : ndarray of shape (n_holdout,)
        Distances of the held-out rows.

    Attributes
    ----------
    axes_ : ndarray of shape (1,)
        Where it was drawn.
    figure_ : Figure
        The figure that holds it.
    """

    def __init__(self, synthetic, holdout):
        self.synthetic, self.holdout = synthetic, holdout

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
        table, matrices = _read(real, synthetic, holdout)
        real, *others = distance_features(matrices, table.categorical)
        nearest = NearestNeighbors(n_neighbors=1, metric="manhattan").fit(real)
        return cls(*(nearest.kneighbors(rows)[0][:, 0] for rows in others)).plot(ax)

    def _draw(self, ax):
        parts = {"held-out": self.holdout, "synthetic": self.synthetic}
        edges = np.linspace(0, np.quantile(np.concatenate([*parts.values()]), 0.99) or 1.0, N_BARS + 1)
        shares = [np.histogram(np.minimum(x, edges[-1]), edges)[0] / len(x) for x in parts.values()]
        labels = [f"{k}: median {np.median(x):.3g}, {np.mean(x == 0):.1%} at distance 0" for k, x in parts.items()]
        _overlay(ax, edges, *shares, labels)
        ax.set(xlabel="distance to the nearest training row", ylabel="share of rows", ylim=(0, 1.25 * np.max(shares)))
        ax.legend(fontsize=8, loc="upper right")
