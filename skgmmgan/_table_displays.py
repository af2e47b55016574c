"""Pictures of a synthetic table beside the real one."""

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.inspection import permutation_importance
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state

from ._comparison import boosting, stacked
from ._display import (
    MARK,
    N_BARS,
    SYNTHETIC,
    Display,
    end_ticks,
    equal_bins,
    overlay,
    positions,
    read,
    set_ticks,
    short,
)
from ._neighbors import distance_features, nearest

STRENGTH, DIFFERENCE = "cividis", "PuOr"  # colours of a heat map
N_BINS = 10  # of a number in an association
N_TREND_LEVELS = 20  # of a category in an association
N_RANKED = 20  # columns that a bar chart names
MAX_NAMED = 60  # columns that a heat map names


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


class Marginal(NamedTuple):
    """Shares of the cells of a column: see `MarginalsDisplay`."""

    name: object
    edges: np.ndarray | None  # (n_bins + 1,) in units of the column, times in ticks; None for categories
    levels: list  # the categories shown
    real: np.ndarray  # (n_bins + 1,) or (n_levels + 2,)
    synthetic: np.ndarray
    ticks: tuple | None


class MarginalsDisplay(Display):
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
        (real, synthetic), table = read(real, synthetic)
        chosen = range(len(table.names)) if columns is None else positions(table, columns)
        marginals = [
            cls._marginal(table.names[j], table.columns[j], real[:, j], synthetic[:, j], max_levels) for j in chosen
        ]
        difference = np.array([np.abs(m.real - m.synthetic).sum() for m in marginals])
        shown = np.sort(np.argsort(-difference, kind="stable")[:max_columns])
        return cls([marginals[i] for i in shown]).plot(ax)

    @staticmethod
    def _marginal(name, column, real, synthetic, max_levels):
        grid, places = _cells(column, real, synthetic, equal_bins, max_levels)
        is_number = column.categories is None
        shares = [np.bincount(x, minlength=len(grid) + (0 if is_number else 2)) / len(x) for x in places]
        if is_number:
            return Marginal(name, grid, [], *shares, end_ticks(column, grid))
        return Marginal(name, None, [column.categories[code] for code in grid], *shares, None)

    def _layout(self):
        n = len(self.marginals)
        return n, min(n, 4), (2.8, 2.2) if n > 3 else (3.6, 2.9)

    def _draw(self, *axes):
        size = 8
        for ax, marginal in zip(axes, self.marginals):
            ax.set_title(short(marginal.name, 26), fontsize=size + 1)
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
    overlay(ax, edges, *shares)
    if marginal.ticks is None:
        ax.locator_params(axis="x", nbins=4)
        ax.ticklabel_format(axis="x", scilimits=(-3, 4), useOffset=False)
        ax.xaxis.get_offset_text().set_fontsize(size)
    else:
        set_ticks(ax.xaxis, marginal.ticks)


def _draw_levels(ax, marginal, size):
    """Bars of categories that occur."""
    shown = np.flatnonzero(marginal.real + marginal.synthetic)
    names = [short(level, 14) for level in [*marginal.levels, "other", "missing"]]
    edges = (np.arange(len(shown))[:, None] + [-0.4, 0.4]).ravel()
    shares = [np.insert(share[shown], range(1, len(shown)), np.nan) for share in (marginal.real, marginal.synthetic)]
    overlay(ax, edges, *shares)
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


class TrendsDisplay(Display):
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
        (real, synthetic), table = read(real, synthetic)
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
            names = [short(name, 16) for name in self.names] if d <= MAX_NAMED else []
            size = np.clip(240 / d, 4, 8)
            ax.set_xticks(range(len(names)), names, rotation=90, fontsize=size)
            ax.set_yticks(range(len(names)), names if ax is axes[0] else [""] * len(names), fontsize=size)
        for image, beside in [(images[0], axes[:2]), (images[2], axes[2:])]:
            self.figure_.colorbar(image, ax=beside, shrink=0.6, aspect=30).ax.tick_params(labelsize=7)


class GiveawayDisplay(Display):
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
        (real, synthetic), table = read(real, synthetic)
        seed = int(check_random_state(random_state).randint(2**31 - 1))
        X, y, observed = stacked(real, synthetic)
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
        ax.set_yticks(range(len(top)), [short(self.names[j], 30) for j in top], fontsize=8)
        ax.invert_yaxis()
        ax.axvline(0, color=MARK, linewidth=0.5)
        ax.set_xlabel("drop in AUC when the column is permuted")
        ax.set_title(f"real or synthetic: AUC {self.auc:.3f} (0.5 is best)", fontsize=10)


class DistanceDisplay(Display):
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
        matrices, table = read(real, synthetic, holdout)
        real, *others = distance_features(matrices, table.categorical)
        return cls(*(nearest(rows, real) for rows in others)).plot(ax)

    def _draw(self, ax):
        parts = {"held-out": self.holdout, "synthetic": self.synthetic}
        edges = np.linspace(0, np.quantile(np.concatenate([*parts.values()]), 0.99) or 1.0, N_BARS + 1)
        shares = [np.histogram(np.minimum(x, edges[-1]), edges)[0] / len(x) for x in parts.values()]
        labels = [f"{k}: median {np.median(x):.3g}, {np.mean(x == 0):.1%} at distance 0" for k, x in parts.items()]
        overlay(ax, edges, *shares, labels)
        ax.set(xlabel="distance to the nearest training row", ylabel="share of rows", ylim=(0, 1.25 * np.max(shares)))
        ax.legend(fontsize=8, loc="upper right")
