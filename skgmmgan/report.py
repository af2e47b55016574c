"""What a synthetic table is worth, in one page: figures, verdicts in plain words, pictures."""

import base64
import html
import io
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.utils import check_random_state

from ._comparison import as_table, table_of
from ._containers import is_frame
from ._rules import rule_errors_of
from .metrics import (
    c2st_score,
    column_errors,
    copy_rate,
    dcr_share,
    shape_error,
    trend_error,
    tstr_and_constant,
)
from .plotting import DistanceDisplay, GiveawayDisplay, MarginalsDisplay, TrendsDisplay

__all__ = ["QualityReport"]

MAX_ROWS = 10_000  # of each table; larger ones are thinned
GOOD, FAIR, POOR = "good", "fair", "poor"
MIN_ROWS = 10  # of each table
FEW_ROWS = 1000  # below, measures miss much
SLIGHT = 0.02  # difference of test scores that means little
MAX_LEAKED = 0.5  # share of held-out rows that may be real rows, or else these must repeat
MAX_NAMES = 5  # of columns, in words
WORST = 10  # columns and rules that the tables of these show


class Figure(NamedTuple):
    """One line of the report."""

    name: str
    value: float
    usual: str  # what fresh real rows would have
    verdict: str  # good, fair or poor
    words: str


def judge(value, good, fair):
    return GOOD if value <= good else FAIR if value <= fair else POOR


class QualityReport:
    """Fidelity, utility and privacy of a synthetic table, with verdicts.

    Tables of more than 10,000 rows are thinned at random, so that it takes seconds.

    Parameters
    ----------
    real : array-like or DataFrame of shape (n_real, n_features)
        The rows that the model was fitted to.
    synthetic : array-like or DataFrame of shape (n_synthetic, n_features)
        Synthetic rows.
    holdout : array-like or DataFrame of shape (n_holdout, n_features), default=None
        Real rows that trained nothing. Without them copies are the only figure on privacy.
    target : name or index of a column, default=None
        The column that a model is to predict, for the figure of utility. None leaves it out, and so do real rows that
        teach little more than a constant would tell.
    random_state : int, RandomState instance or None, default=None
        Seed of the thinning and of the detectors.

    Raises
    ------
    ValueError
        If a table has fewer than ten rows, their columns differ, one is text in one table only, or a target is given
        without a holdout.
    TypeError
        If what `sample` returns is given, and not its rows alone.

    Warns
    -----
    UserWarning
        If a column of real rows numbers them, or holds text that differs in every row; or if most of the held-out rows
        are real rows, though these hardly repeat.

    Attributes
    ----------
    figures : list of Figure
        Of each measure the `name`, `value`, `usual` (that of fresh real rows), `verdict` ("good", "fair" or "poor")
        and `words`.
    columns : list of tuple
        Name and shape error of each column, largest error first.
    rules : list of tuple
        What held in every real row: the names of the columns of each rule, and the share of the synthetic rows that
        break it, largest first (see `skgmmgan.metrics.rule_errors`).

    Examples
    --------
    >>> import numpy as np
    >>> from skgmmgan.report import QualityReport
    >>> rng = np.random.default_rng(0)
    >>> report = QualityReport(rng.normal(size=(300, 2)), rng.normal(size=(300, 2)), random_state=0)
    >>> [figure.name for figure in report.figures]
    ['detector AUC', 'shape error', 'trend error', 'copies']
    """

    def __init__(self, real, synthetic, holdout=None, *, target=None, random_state=None):
        if target is not None and holdout is None:
            raise ValueError(f"target={target!r} needs a holdout: rows that models are tested on.")
        real, synthetic, holdout = (None if X is None else as_table(X) for X in (real, synthetic, holdout))
        for name, X in (("real", real), ("synthetic", synthetic), ("holdout", holdout)):
            if X is not None and np.shape(X)[0] < MIN_ROWS:
                raise ValueError(f"{name} has {np.shape(X)[0]} rows; a report needs {MIN_ROWS} or more.")
        warn_of_identifiers(real)
        rng = check_random_state(random_state)
        self.shapes = [None if X is None else np.shape(X) for X in (real, synthetic, holdout)]
        self.real, self.synthetic, self.holdout = (
            None if X is None else thin(X, rng) for X in (real, synthetic, holdout)
        )
        order = rng.permutation(np.shape(self.real)[0])
        self.halves = np.array_split(order, 2)
        seed = rng.randint(2**31 - 1)
        self.target = target
        known = [X for X in (self.synthetic, self.holdout) if X is not None]
        self.rules, *of_holdout = rule_errors_of(self.real, *known)
        if holdout is not None:
            self._warn_of_leak(real)
        self.figures = [*self._fidelity(seed), *self._rules(*of_holdout), *self._utility(seed), *self._privacy(seed)]
        self.columns = sorted(column_errors(self.real, self.synthetic), key=lambda pair: -pair[1])

    def _warn_of_leak(self, real):
        leaked = copy_rate(real, self.holdout)
        if leaked > MAX_LEAKED and copy_rate(*(take(self.real, half) for half in self.halves)) < MAX_LEAKED / 2:
            warnings.warn(
                f"{leaked:.0%} of the held-out rows are rows of the real table, which hardly repeat: figures of "
                "utility and privacy flatter then. Give as real rows those of the fit alone, and as holdout others.",
                UserWarning,
                stacklevel=3,
            )

    def _fidelity(self, seed):
        auc = max(0.5, c2st_score(self.real, self.synthetic, random_state=seed))
        yield Figure(
            "detector AUC",
            auc,
            "0.5",
            judge(auc, 0.6, 0.8),
            "how well boosted trees tell real from synthetic rows; 0.5 is guessing, 1 is certainty",
        )
        words = "mean distance between the distributions of single columns, from 0 to 1"
        yield self._error("shape error", shape_error, 2.0, words)
        if np.shape(self.real)[1] > 1:
            yield self._error("trend error", trend_error, 1.5, "the same for pairs of columns")

    def _error(self, name, error, limit, words):
        value = error(self.real, self.synthetic)
        if self.holdout is None:
            usual = error(take(self.real, self.halves[0]), take(self.real, self.halves[1])) / 2**0.5
            words += f"; fresh real rows would have about {usual:.3f}"
        else:
            usual = error(self.real, self.holdout)
            words += f"; held-out rows have {usual:.3f}"
        return Figure(
            name, value, f"{usual:.3f}", judge(value, max(0.03, limit * usual), max(0.1, 2 * limit * usual)), words
        )

    def _rules(self, of_holdout=None):
        if not self.rules:
            return
        columns, share = self.rules[0]
        usual = of_holdout[0][1] if of_holdout else 0.0
        words = f"largest share of rows that break one of {len(self.rules)} rules that hold in every real row"
        if share:
            words += f" ({rule(columns)})"
        if self.holdout is not None:
            words += f"; of held-out rows it is {usual:.3f}"
        verdict = judge(share, max(0.01, 2 * usual), max(0.05, 4 * usual))
        yield Figure("broken rules", share, f"{usual:.3f}", verdict, words)

    def _utility(self, seed):
        target = self.target
        if target is None:
            return
        usual, constant = tstr_and_constant(self.real, self.holdout, target, seed)
        if usual <= constant + max(SLIGHT, np.shape(self.holdout)[0] ** -0.5):  # or by chance
            return
        value, _ = tstr_and_constant(self.synthetic, self.holdout, target, seed)
        words = (
            f"test score of boosted trees that learn {target!r} from synthetic rows; from real rows it is {usual:.3f}"
        )
        yield Figure("train on synthetic", value, f"{usual:.3f}", judge(usual - value, SLIGHT, 0.1), words)

    def _privacy(self, seed):
        copies = copy_rate(self.real, self.synthetic)
        if self.holdout is None:
            words = "share of rows that are real rows, cell for cell; a holdout would tell how many are to be expected"
            yield Figure("copies", copies, "few", judge(copies, 0.01, 0.1), words)
            return
        usual = copy_rate(self.real, self.holdout)
        words = f"share of rows that are training rows, cell for cell; of held-out rows it is {usual:.3f}"
        yield Figure(
            "copies", copies, f"{usual:.3f}", judge(copies, max(0.01, 1.5 * usual), max(0.1, 3 * usual)), words
        )
        share = dcr_share(self.real, self.synthetic, self.holdout, random_state=seed)
        words = "share of rows that lie nearer to a training row than to a held-out row; it is no guarantee of privacy"
        yield Figure("nearer to training", share, "0.5", judge(share, 0.55, 0.65), words)

    def __repr__(self):
        width = max(len(figure.name) for figure in self.figures)
        lines = [f"{f.name:{width}}  {f.value:6.3f}  (real rows {f.usual})  {f.verdict}" for f in self.figures]
        worst = ", ".join(f"{name} {error:.3f}" for name, error in self.columns[:3])
        lines.append(f"largest shape errors: {worst}")
        broken = [f"{rule(columns)} {share:.3f}" for columns, share in self.rules[:3] if share]
        if broken:
            lines.append(f"most broken rules: {', '.join(broken)}")
        return "\n".join([f"QualityReport: {self._sizes()}", *lines])

    def _sizes(self):
        names = ("real", "synthetic", "held-out")
        sizes = [f"{shape[0]:,} {name}" for name, shape in zip(names, self.shapes) if shape]
        return f"{', '.join(sizes)} rows of {self.shapes[0][1]} columns"

    def _repr_html_(self):
        return f"<p>{html.escape(self._sizes())}</p>{self._table()}"

    def _table(self):
        rows = "".join(
            f"<tr><th>{html.escape(f.name)}</th><td>{f.value:.3f}</td><td>{html.escape(f.usual)}</td>"
            f"<td class='{f.verdict}'>{f.verdict}</td><td>{html.escape(f.words)}</td></tr>"
            for f in self.figures
        )
        head = "<tr><th>measure</th><th>value</th><th>real rows</th><th>verdict</th><th>what it is</th></tr>"
        return f"<table class='figures'><thead>{head}</thead><tbody>{rows}</tbody></table>"

    def summary(self):
        """One sentence that a person without statistics can use.

        Returns
        -------
        sentence : str
        """
        verdicts = {figure.name: figure.verdict for figure in self.figures}
        overall = max(verdicts.values(), key=[GOOD, FAIR, POOR].index)
        weak = [name for name, verdict in verdicts.items() if verdict == overall]
        unknown = ""
        if self.holdout is None:
            unknown = " Utility and distances to training rows were not measured: that takes a holdout."
        elif self.target is None:
            unknown = " Utility was not measured: that takes a target."
        elif "train on synthetic" not in verdicts:
            unknown = f" Utility was not measured: the real rows teach too little about {self.target!r}."
        if overall == GOOD:
            worth = "these rows can stand in for the real ones in most analyses"
            if self.shapes[0][0] < FEW_ROWS:
                worth = "but so few real rows show only large differences; compare what matters to you by hand too"
            return f"Every measure is good: {worth}.{unknown}"
        return f"Look twice: {', '.join(weak)} {'is' if len(weak) == 1 else 'are'} {overall}.{unknown}"

    def to_html(self, path):
        """Write the report as one file that needs no other.

        Parameters
        ----------
        path : str or path-like

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        rules = table_rows((rule(names), share) for names, share in self.rules[:WORST])
        sections = "".join(
            f"<section><h2>{title}</h2><p>{words}</p><div class='wide'><img alt='{title}' "
            f"src='data:image/png;base64,{png}'></div></section>"
            for title, words, png in self._pictures()
        )
        page = PAGE.format(
            style=STYLE,
            sizes=html.escape(self._sizes()),
            summary=html.escape(self.summary()),
            table=self._table(),
            columns=table_rows(self.columns[:WORST]),
            rules=RULES.format(rules=rules, n=len(self.rules), shown=min(WORST, len(self.rules))) * bool(rules),
            sections=sections,
        )
        Path(path).write_text(page, encoding="utf-8")

    def _pictures(self):
        tables = (self.real, self.synthetic)
        yield "What gives it away", GIVEAWAY, picture(lambda: GiveawayDisplay.from_tables(*tables, random_state=0))
        yield "Columns", MARGINALS, picture(lambda: MarginalsDisplay.from_tables(*tables))
        if np.shape(self.real)[1] > 1:
            yield "Pairs of columns", TRENDS, picture(lambda: TrendsDisplay.from_tables(*tables))
        if self.holdout is not None:
            title = "Distance to training rows"
            yield title, DISTANCES, picture(lambda: DistanceDisplay.from_tables(*tables, self.holdout))


def warn_of_identifiers(real):
    """One warning of columns that number the rows, or whose text differs in every row."""
    columns = [column for column in table_of(real).columns if column.is_identifier or column.is_counter]
    if columns:
        warnings.warn(
            f"Column {', '.join(column.label for column in columns)} tells each row apart, and so tells synthetic rows "
            "from real ones; leave it out of both tables (--drop NAME on the command line).",
            UserWarning,
            stacklevel=3,
        )


def table_rows(pairs):
    """Rows of a table in HTML, of names and shares."""
    return "".join(f"<tr><th>{html.escape(str(name))}</th><td>{share:.3f}</td></tr>" for name, share in pairs)


def rule(columns):
    """The columns of a rule, in words."""
    first, *others = map(str, columns)
    more = f" and {len(others) - MAX_NAMES} more" if len(others) > MAX_NAMES else ""
    return f"{first} given {', '.join(others[:MAX_NAMES])}{more}"


def thin(X, rng):
    """At most MAX_ROWS rows, at random."""
    if np.shape(X)[0] <= MAX_ROWS:
        return X
    return take(X, rng.permutation(np.shape(X)[0])[:MAX_ROWS])


def take(X, rows):
    """Rows of a DataFrame or array by position."""
    if hasattr(X, "iloc"):
        return X.iloc[rows]
    return X[rows.tolist()] if is_frame(X) else np.asarray(X)[rows]


def picture(draw):
    """PNG of a display, in base64, without a trace in pyplot."""
    import matplotlib

    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        figure = draw().figure_
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=110)
        matplotlib.pyplot.close(figure)
    return base64.b64encode(buffer.getvalue()).decode()


GIVEAWAY = "How much worse a detector gets at telling real from synthetic rows when a column is shuffled."
MARGINALS = "Real rows beside synthetic ones, column by column."
TRENDS = "Association of each pair of columns, and its difference."
DISTANCES = "If synthetic rows were nearer to training rows than held-out rows are, the model would give rows away."
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem; color: #222; }
table { border-collapse: collapse; width: 100%; }
.wide { overflow-x: auto; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #ddd; vertical-align: top; }
td.good { color: #00664b; font-weight: bold; } td.fair { color: #8a5a00; font-weight: bold; }
td.poor { color: #a8201a; font-weight: bold; }
.wide img { max-width: 100%; min-width: 36rem; height: auto; }
@media (max-width: 40rem) {
  .figures tr { display: grid; grid-template-columns: 2fr 1fr 1fr 1fr; border-bottom: 1px solid #ddd; }
  .figures th, .figures td { border: 0; }
  .figures td:last-child, .figures thead th:last-child { grid-column: 1 / -1; }
}
.summary { font-size: 1.2rem; }
"""
RULES = """<section><h2>Rules</h2><p>What holds in every real row, {shown} of {n} rules, the most broken first: of the
columns named, the first is computed from the others, keeps to a range with each level of the other, is no less than
it, or never comes together with some of them.</p>
<table><thead><tr><th>columns</th><th>rows that break it</th></tr></thead><tbody>{rules}</tbody></table></section>"""
PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Quality of synthetic rows</title><style>{style}</style></head>
<body>
<h1>Quality of synthetic rows</h1>
<p>{sizes}</p>
<p class="summary">{summary}</p>
{table}
<section><h2>Single columns</h2><p>Those with the largest shape error.</p>
<table><thead><tr><th>column</th><th>shape error</th></tr></thead><tbody>{columns}</tbody></table></section>
{rules}
{sections}
</body>
</html>
"""
