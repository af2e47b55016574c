"""The command line: ``skgmmgan`` or ``python -m skgmmgan``."""

import re
import sys
import warnings
from pathlib import Path

try:
    import click
except ImportError:
    sys.exit("The command line needs click, pandas and skops: pip install 'skgmmgan[cli]'.")

import numpy as np

from ._conditional import booleans
from ._containers import import_pandas
from ._files import KINDS, TIMES, TRUTH, WITH_OFFSET, describe, parse_cell, read_like, read_table, write_table
from ._gmmgan import GMMGAN
from ._saving import load, save
from ._spelling import iso_literals
from ._table import did_you_mean
from .report import QualityReport

WORDS = {spelt: truth for word, truth in TRUTH.items() for spelt in (word, word.upper())}
EXPECTED = (ValueError, TypeError, OSError, ImportError, MemoryError, OverflowError)


class OneLine(click.Group):
    """Commands whose errors and warnings are one line each on stderr, and whose exit status is 1 after an error."""

    def invoke(self, ctx):
        with warnings.catch_warnings():
            warnings.simplefilter("default", UserWarning)
            warnings.showwarning = lambda message, *_: click.echo(f"Warning: {one_line(message)}", err=True)
            try:
                return super().invoke(ctx)
            except FileNotFoundError as error:
                raise click.ClickException(f"there is no file {error.filename}") from error
            except EXPECTED as error:
                raise click.ClickException(in_options(error)) from error


def one_line(message):
    return " ".join(str(message).split())


def in_options(message):
    """A message in one line, in which parameters are options of commands or said to be those of Python."""
    message = re.sub(r"\benforce_\w+=False", r"\g<0> in Python", one_line(message))
    return re.sub(r"\b(where|condition)s?=(?!\w)", r"--\1", message)


def kinds(ctx, param, values):
    """Kinds of columns from texts NAME=KIND; a name may hold "="."""
    types = {}
    for text in values:
        name, _, kind = text.rpartition("=")
        if kind not in KINDS or not name:
            raise click.BadParameter(f"{text!r} is not NAME={'|'.join(KINDS)}")
        if types.setdefault(name, kind) != kind:
            raise click.BadParameter(f"column {name!r} has two kinds, {types[name]} and {kind}")
    return types


def parse_conditions(texts, template, spelling):
    """Conditions from texts NAME=VALUE, the name being the longest that is a column; cells as they were spelt, too."""
    conditions = {}
    for text in texts:
        names = [text[:i] for i, sign in enumerate(text) if sign == "="]
        if not names:
            raise click.UsageError(f"{text!r} is not NAME=VALUE")
        name = next((name for name in reversed(names) if name in template), None)
        if name is None:
            columns = ", ".join(map(str, template))
            raise click.UsageError(
                f"--condition {text!r} names no column{did_you_mean(names[0], template)}; they are {columns}. --where "
                "takes ranges"
            )
        if name in conditions:
            raise click.UsageError(
                f"column {name!r} has two conditions, and a row has one value; --where '{name} in [...]' takes several"
            )
        how, value = spelling["columns"].get(name, {}) if spelling else {}, text[len(name) + 1 :]
        if value.startswith("="):
            raise click.UsageError(f"--condition {text!r} has two signs; write {name}{value}")
        conditions[name] = parse_cell(value, template[name], how)
    return conditions


def components(ctx, param, value):
    if value == "auto":
        return value
    try:
        return int(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is neither a number nor auto") from None


def options(*decorators):
    """One decorator of several."""

    def decorate(function):
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


def check_page(ctx, param, value):
    """An HTML file that can be written."""
    if Path(value).suffix.lower() not in (".html", ".htm"):
        raise click.BadParameter(f"the report is an HTML file; {value!r} must end in .html")
    return check_folder(ctx, param, value)


def check_folder(ctx, param, value):
    """A file that can be written, so that no fit is lost."""
    if value not in (None, "-") and not Path(value).absolute().parent.is_dir():
        raise click.BadParameter(f"there is no folder {Path(value).parent}")
    return value


reading = options(
    click.option(
        "--type", "types", callback=kinds, multiple=True, help=f"NAME={'|'.join(KINDS)}; again for each column."
    ),
    click.option("--drop", multiple=True, metavar="NAME", help="Leave a column out; again for each."),
    click.option("--quiet", is_flag=True, help="No column types and no progress on stderr."),
)
fitting = options(
    reading,
    click.option("--n-components", default="auto", callback=components, show_default=True, help="Of the mixture."),
    click.option("--quick", is_flag=True, help="The mixture alone: no network, no discriminators."),
)
seeding = click.option("--seed", type=int, help="Of everything random: the same rows again.")
drawing = options(
    click.option("-n", "n", type=click.IntRange(min=0), required=True, help="Rows to draw."),
    click.option(
        "--condition",
        "conditions",
        multiple=True,
        help="NAME=VALUE, dates as 2024-12-31, empty for a missing cell; again for each column.",
    ),
    click.option("--where", help="Rows to keep, as pandas' eval has it: 'age >= 30 and city == \"Bonn\"'."),
)
out = click.option(
    "-o", "--output", default="-", show_default=True, callback=check_folder, help="CSV or Parquet; - is CSV on stdout."
)


@click.group(cls=OneLine, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="skgmmgan")
def main():
    """Synthetic tables: fit a model to a table, draw rows like it, and measure how good they are.

    Tables are CSV (.csv, .tsv, compressed or not) or Parquet files; - stands for CSV on standard input or output.
    """


def described(data, types, drop, quiet):
    """The table of a file, and on stderr what its columns were taken for."""
    table = read_table(data, types, drop)
    if not quiet:
        click.echo(describe(table), err=True)
    return table


def learn(table, n_components, quick, quiet, seed):
    """A fitted model of a table, which knows how the cells of its file were spelt."""
    short = {"max_epochs": 0, "adversarial_rounds": 0} if quick else {}
    model = GMMGAN(n_components=n_components, verbose=int(not quiet), random_state=seed, **short).fit(table)
    model.spelling_ = table.attrs.get("spelling")
    return model


def wanted(conditions, where, rows, spelling):
    """What `GMMGAN.sample` is asked for, by the names of its parameters; `rows` are some that may be drawn."""
    conditions = parse_conditions(conditions, rows, spelling)
    return {"conditions": conditions or None, "where": where and selection(where, rows, spelling)}


def selection(where, rows, spelling):
    """What tells the rows that an expression keeps; an expression that tells no booleans is refused."""
    times = rows.select_dtypes("datetimetz").columns  # local ones, but for an expression with an offset
    times = [] if re.search(WITH_OFFSET, where) else times

    def keep(rows):
        rows = rows.assign(**{name: rows[name].dt.tz_localize(None) for name in times})
        return rows.eval(expression, local_dict={}, global_dict={}, resolvers=[WORDS])

    try:
        has_times = any(dtype.kind in TIMES for dtype in rows.dtypes)
        expression = iso_literals(where, spelling) if has_times else where
        found = keep(rows)
        if getattr(found, "shape", None) != (len(rows),):
            raise ValueError("it tells no truth of each row")
        booleans(found, len(rows))
    except Exception as error:  # whatever the parser of pandas and the columns raise
        columns, why = ", ".join(map(str, rows)), one_line(error).rstrip(".")
        unknown = re.search("name '(.+)' is not defined", why)
        why += did_you_mean(unknown[1], rows) if unknown else ""
        raise click.UsageError(
            f"--where {where!r} is no condition on the columns {columns}: {why}. Compare by ==, != or >=, write 500.5 "
            "and '2024-12-31', put text in quotes, and names with blanks or signs in backticks"
        ) from None
    return keep


def opened(path):
    """A saved model of a table."""
    model = load(path)
    if not isinstance(model, GMMGAN) or not hasattr(model.sample(0)[0], "columns"):
        raise ValueError(f"{path} holds no GMMGAN of a table with named columns.")
    return model


@main.command()
@click.argument("data")
@click.option("-o", "--output", required=True, callback=check_folder, help="File for the model.")
@fitting
@seeding
def fit(data, output, types, drop, quiet, **settings):
    """Fit a model to the table DATA and save it."""
    save(learn(described(data, types, drop, quiet), quiet=quiet, **settings), output)


@main.command()
@click.argument("model")
@drawing
@out
@seeding
def sample(model, n, conditions, where, output, seed):
    """Draw rows of the saved MODEL."""
    model = opened(model)
    spelling = getattr(model, "spelling_", None)
    asked = wanted(conditions, where, model.sample(20)[0], spelling)
    rows, _ = model.sample(n, **asked, random_state=np.random.RandomState(seed))
    write_table(rows, output, spelling)


@main.command()
@click.argument("model")
@click.argument("data")
@click.option(
    "-o", "--output", callback=check_folder, help="CSV or Parquet: the log-likelihood of each row, column by column."
)
def score(model, data, output):
    """Print the mean log-likelihood of the rows of DATA under the saved MODEL, nats a row.

    A file of --output has that of each row, what each column adds to it, and what bounds and discriminators add.
    """
    model = opened(model)
    rows = read_like(data, model.sample(0)[0], getattr(model, "spelling_", None))
    parts = model.score_columns(rows)
    total = parts.sum(axis=1)
    if output:
        own = [name + "_" * (name in rows) for name in ("log_likelihood", "refinement")]
        table = import_pandas("tables in files").DataFrame(parts, columns=[*rows, own[1]])
        table.insert(0, own[0], total)
        write_table(table, output)
    click.echo(total.mean(), err=output == "-")


@main.command()
@click.argument("data")
@drawing
@out
@fitting
@seeding
def synth(data, n, conditions, where, output, types, drop, quiet, **settings):
    """Fit a model to the table DATA and draw rows, without keeping the model."""
    table = described(data, types, drop, quiet)
    asked = wanted(conditions, where, table, table.attrs.get("spelling"))
    if conditions:  # what cannot be fails here, before any training
        with warnings.catch_warnings(action="ignore"):
            GMMGAN(1, max_epochs=0, adversarial_rounds=0).fit(table).sample(0, conditions=asked["conditions"])
    rows, _ = learn(table, quiet=quiet, **settings).sample(n, **asked)
    write_table(rows, output, table.attrs.get("spelling"))


@main.command()
@click.argument("real")
@click.argument("synthetic")
@click.option("--holdout", help="Real rows that trained nothing.")
@click.option("--target", help="The column that a model is to predict.")
@click.option("-o", "--output", default="report.html", show_default=True, callback=check_page, help="HTML file.")
@reading
@seeding
def report(real, synthetic, holdout, target, output, types, drop, quiet, seed):
    """Compare the tables REAL and SYNTHETIC: figures on stdout, with pictures in an HTML file."""
    if target is not None and holdout is None:
        raise click.UsageError("--target needs --holdout: rows that models are tested on.")
    real = described(real, types, drop, quiet)
    spelling, remedy = real.attrs.get("spelling"), "--drop columns that only the first table has"
    others = [path and read_like(path, real, spelling, remedy) for path in (synthetic, holdout)]
    found = QualityReport(real, *others, target=target, random_state=seed or 0)  # the same verdicts again
    found.to_html(output)
    click.echo(found)
    click.echo(found.summary())


if __name__ == "__main__":
    main(prog_name="skgmmgan")
