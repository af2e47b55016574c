"""What the displays share: how tables are read, and the axes that are drawn into."""

import numpy as np

from ._comparison import matrices_of

REAL, SYNTHETIC, MARK = "#0072B2", "#D55E00", "#000000"  # of Okabe and Ito, for all kinds of colour vision
N_BARS = 30  # of a histogram


def import_pyplot():
    """matplotlib.pyplot, or an ImportError that says how to install it."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError("matplotlib is needed for plots: pip install 'skgmmgan[plot]'.") from error
    return plt


def short(value, width):
    """A name or category as a text without mathematics, its middle left out if it is long."""
    text = " ".join(str(value).split())
    if len(text) > width:
        text = f"{text[: width // 2]}…{text[-((width - 1) // 2) :]}"
    return text.replace("$", r"\$")


def read(*tables):
    """Float matrices of tables, and the description of the first; an ImportError before any work."""
    import_pyplot()
    return matrices_of(*tables)


def positions(table, columns):
    """Indices of the columns with these names."""
    unknown = [name for name in columns if name not in table.names]
    if unknown:
        raise ValueError(f"columns names {unknown[0]!r}, which is no column of the table; they are {table.names}.")
    return [table.names.index(name) for name in columns]


def equal_bins(x):
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


def end_ticks(column, edges):
    """Positions and texts of the ends of a column of times or large integers; None for other numbers."""
    is_time = column.container.is_time(column.dtype)
    if not (column.origin or is_time):
        return None
    ends = np.array([np.ceil(edges[0]), np.floor(edges[-1])])
    low, high = column.container.objects(column.decode(ends))
    if is_time:
        return ends, [str(value).removesuffix(" 00:00:00")[:16] for value in (low, high)]
    return ends, [str(low), f"+{int(high) - int(low)}"]


def set_ticks(axis, ticks):
    """Ticks at the ends of an axis, their texts turned inwards."""
    axis.set_ticks(*ticks)
    if axis.axis_name == "x":
        for label, side in zip(axis.get_ticklabels(), ["left", "right"]):
            label.set_horizontalalignment(side)


def overlay(ax, edges, filled, outlined, labels=("real", "synthetic")):
    """One distribution as filled bars, another as their outline; NaN leaves a gap."""
    ax.stairs(filled, edges, fill=True, color=REAL, alpha=0.5, label=labels[0])
    ax.stairs(outlined, edges, color=SYNTHETIC, linewidth=1.3, label=labels[1])


class Display:
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
        plt = import_pyplot()
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
