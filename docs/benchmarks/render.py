"""The tables and figures of README and docs, from the JSON lines of the benchmarks.

Run as ``python docs/benchmarks/render.py RESULTS FIGURES``; `make bench` does so at its end. Of what RESULTS holds it
renders `benchmark.jsonl` (README's table), `full.jsonl` (that of all rows), `ablation.jsonl` (docs/choices.rst),
`peers.jsonl` and `keel.jsonl` (tables of docs/comparison.rst and `peers.png`) and `scale.jsonl` (table of
docs/scaling.rst and `scale.png`). Tables go to stdout, figures to the folder FIGURES. Figures need matplotlib.
"""

import argparse
import itertools
import json
from pathlib import Path

import matplotlib
import pandas as pd
from benchmark import medians

matplotlib.use("Agg")

import matplotlib.pyplot as plt

QUALITY = {  # rows of README's table, and their digits
    "c2st": ("C2ST", 3),
    "c2st_extra_trees": ("ExtraTrees", 3),
    "c2st_mlp": ("perceptron", 3),
    "tstr": ("TSTR", 3),
    "trtr": ("TRTR", 3),
    "shape_error": ("shape error", 3),
    "trend_error": ("trend error", 3),
    "dcr_share": ("nearer to training than to test rows", 3),
    "copy_rate": ("copies", 3),
    "copy_rate_test": ("copies, test rows", 3),
    "log_likelihood": ("test log-likelihood, nats", 1),
    "refinement_gain_test": ("of which kept trees", 2),
    "fit_s": ("fit, s", 0),
    "sample_s": ("as many rows, s", 1),
}
KEEL = {figure: QUALITY[figure] for figure in ("c2st", "c2st_extra_trees", "shape_error", "trend_error")} | {
    "dcr_share": ("share (DCR)", 3),
    "fit_s": ("fit, s", 1),
}
ABLATION = {figure: QUALITY[figure] for figure in ("c2st", "c2st_extra_trees", "c2st_mlp")} | {
    "shape_error": ("shape", 4),
    "trend_error": ("trend", 4),
    "tstr": QUALITY["tstr"],
    "dcr_share": ("share (DCR)", 3),
    "log_likelihood": ("test nats", 2),
    "fit_s": ("fit, s", 1),
    "sample_s": ("rows, s", 1),
}
PEER_COLUMNS = ["c2st", "c2st_extra_trees", "shape_error", "trend_error", "tstr", "dcr_share", "fit_s", "sample_s"]
SIZES = {"fit_s": "fit, s", "sample_s": "10,000 rows drawn, s", "memory_gb": "memory, GB"}


def read(path):
    """Lines of a benchmark that are figures, neither versions nor errors."""
    lines = [json.loads(line) for line in path.read_text().splitlines() if line.startswith("{")]
    return pd.DataFrame([line for line in lines if ("model" in line or "sweep" in line) and not line.get("error")])


def quality_table(results):
    """Markdown: one column for each table, one row for each figure and model."""
    middle = medians(results)
    tables = list(results["table"].unique())
    lines = ["| | " + " | ".join(tables) + " |", "|---" * (len(tables) + 1) + "|"]
    for figure, (name, digits) in QUALITY.items():
        for model in results["model"].unique():
            cells = middle.xs(model, level="model").reindex(tables).get(figure)
            if cells is not None and cells.notna().any():
                lines.append(f"| {name}, {model} | " + " | ".join(f"{cell:.{digits}f}" for cell in cells) + " |")
    return "\n".join(lines)


def text_table(header, rows):
    """A simple table of reStructuredText."""
    widths = [max(len(row[j]) for row in [header, *rows]) for j in range(len(header))]
    rule = "  ".join("=" * width for width in widths)
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in [header, *rows]]
    return "\n".join([rule, lines[0], rule, *lines[1:], rule])


def peer_tables(results):
    """One table of reStructuredText for each table that was learned, best C2ST first."""
    rendered = []
    for table, found in medians(results).groupby(level="table", sort=False):
        found = found.droplevel("table").sort_values("c2st")
        rows = [
            [model, *(f"{row[name]:.1f} s" if name.endswith("_s") else f"{row[name]:.3f}" for name in PEER_COLUMNS)]
            for model, row in found.iterrows()
        ]
        rendered.append(
            text_table([table, "C2ST", "ExtraTrees", "shape", "trend", "TSTR", "DCR", "fit", "sample"], rows)
        )
    return "\n\n".join(rendered)


def ablation_table(results):
    """Table of reStructuredText: means over tables of the medians over seeds, one row a variant."""
    means = medians(results)[list(ABLATION)].groupby(level="model", sort=False).mean()
    return mean_table("variant", means, ABLATION)


def keel_table(results):
    """Table of reStructuredText: means over the sets that no model failed, one row a model."""
    whole = results.groupby("set")["model"].transform("nunique") == results["model"].nunique()
    return mean_table("model", results[whole].groupby("model", sort=False)[list(KEEL)].mean(), KEEL)


def mean_table(first, means, figures):
    """Table of reStructuredText with a row for each row of a frame, and the figures and digits that are named."""
    rows = [
        [
            name,
            *("" if pd.isna(row[figure]) else f"{row[figure]:.{digits}f}" for figure, (_, digits) in figures.items()),
        ]
        for name, row in means.iterrows()
    ]
    return text_table([first, *(title for title, _ in figures.values())], rows)


def draw_peers(results, path):
    """Seconds of fit against the AUC of a detector, one panel for each table."""
    middle = medians(results)
    tables = list(dict.fromkeys(middle.index.get_level_values("table")))
    figure, axes = plt.subplots(1, len(tables), figsize=(4.5 * len(tables), 3.2), sharey=True, squeeze=False)
    for ax, table in zip(axes[0], tables):
        own = middle.loc[table].sort_values("c2st")
        ax.scatter(own["fit_s"], own["c2st"], color=["C3" if model == "GMMGAN" else "C0" for model in own.index])
        for height, (model, row) in zip(itertools.cycle([4, -10]), own.iterrows()):
            where = {"xytext": (5, height), "textcoords": "offset points"}
            ax.annotate(model, (row["fit_s"], row["c2st"]), fontsize="small", **where)
        ax.axhline(0.5, color="grey", linestyle=":")
        ax.set(xscale="log", xlabel="fit, s", title=table, xlim=(own["fit_s"].min() / 2, own["fit_s"].max() * 6))
    axes[0, 0].set(ylabel="AUC of boosted trees; 0.5 is best", ylim=(0.45, 1.05))
    save(figure, path)


def size_table(results):
    """Table of reStructuredText with the figures of each size."""
    rows = [
        [row["sweep"], f"{row[row['sweep']]:,.0f}", *(f"{row[name]:.1f}" for name in SIZES)]
        for _, row in results.iterrows()
    ]
    return text_table(["sweep", "size", *SIZES.values()], rows)


def draw_sizes(results, path):
    """Log-log curves, one panel for each sweep."""
    sweeps = list(results["sweep"].unique())
    figure, axes = plt.subplots(1, len(sweeps), figsize=(3.2 * len(sweeps), 3), sharey=True, squeeze=False)
    for ax, sweep in zip(axes[0], sweeps):
        own = results[results["sweep"] == sweep]
        for name, label in SIZES.items():
            ax.loglog(own[sweep], own[name], "o-", label=label)
        ax.set_xlabel(sweep)
        ax.grid(alpha=0.3)
    axes[0, 0].legend(fontsize="small")
    save(figure, path)


def save(figure, path):
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("figures", type=Path)
    options = parser.parse_args()
    for name, render, draw in [
        ("benchmark", quality_table, None),
        ("full", quality_table, None),
        ("ablation", ablation_table, None),
        ("peers", peer_tables, draw_peers),
        ("keel", keel_table, None),
        ("scale", size_table, draw_sizes),
    ]:
        path = options.results / f"{name}.jsonl"
        if path.exists():
            results = read(path)
            print(f"{path.name}\n\n{render(results)}\n")
            if draw:
                draw(results, options.figures / f"{name}.png")


if __name__ == "__main__":
    main()
