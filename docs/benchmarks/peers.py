"""GMMGAN beside other synthesizers: the figures of benchmark.py for models that live in environments of their own.

Run as ``python docs/benchmarks/peers.py FOLDER [--tables magic adult] [--rows 10000] [--models GMMGAN CTGAN]``. Tables,
training and test rows, and figures are those of benchmark.py. Each model runs with its default settings, one after the
other, in its own process; `peers/fit_and_sample.py` tells what becomes of the columns. A peer's environment is made
from `peers/requirements-<peer>.txt` under ``--environments``, unless it is there already; pip's own settings decide
which build of torch that gets. One JSON line a run goes to stdout, with the error of a run that fails or lasts longer
than ``--limit`` seconds; the medians over seeds are printed at the end, to stderr.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
from benchmark import medians, parser_of_tables, score_rows, tables

PEERS = Path(__file__).parent / "peers"
ENVIRONMENTS = {  # which requirements a model needs; None: those of skgmmgan
    "GMMGAN": None,
    "GaussianMixture": None,
    "ARF": "arfpy",
    "CTGAN": "ctgan",
    "TVAE": "ctgan",
    "TabularARGN": "mostlyai-engine",
    "ForestDiffusion": "forestdiffusion",
}


def python_of(peer, environments):
    """The Python of an environment, which is made unless it holds the present requirements."""
    if peer is None:
        return sys.executable
    requirements = PEERS / f"requirements-{peer}.txt"
    python = environments / peer / "bin" / "python"
    installed = environments / peer / requirements.name  # written last, so a broken installation is made anew
    if not installed.exists() or installed.read_text() != requirements.read_text():
        subprocess.run([sys.executable, "-m", "venv", "--clear", environments / peer], check=True)
        command = [python, "-m", "pip", "install", "--quiet", "--requirement", requirements]
        subprocess.run(command, check=True, stdout=sys.stderr)
        shutil.copy(requirements, installed)
    return python


def run(command, limit):
    """Output of a command and None, or None and what went wrong; past the limit its whole process group ends."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            output, errors = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            return None, f"longer than {limit:g} s"
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    if process.returncode:
        return None, (errors.strip().splitlines() or [f"exit status {process.returncode}"])[-1]
    return output, None


def draw(name, python, train, target, seed, limit):
    """What one run tells of itself, as a dict, and its rows; None if it failed."""
    with tempfile.TemporaryDirectory() as folder:
        given, out = Path(folder, "train.parquet"), Path(folder, "rows.parquet")
        train.to_parquet(given, index=False)
        command = [python, PEERS / "fit_and_sample.py", name, given, out, str(seed), "--target", target]
        output, error = run(command, limit)
        if error:
            return {"model": name, "seed": seed, "fit_s": None, "sample_s": None, "error": error}, None
        return json.loads(output.splitlines()[-1]) | {"error": None}, pd.read_parquet(out)


def evaluate(name, python, train, test, target, seed, limit):
    """Figures of one run, as a dict."""
    told, rows = draw(name, python, train, target, seed, limit)
    return told if rows is None else told | score_rows(train, rows, test, target, seed)


def summary(results):
    """Medians over seeds, the time of fit also as a ratio to GMMGAN's, and how many runs failed."""
    table = pd.DataFrame(results).astype({"fit_s": float, "sample_s": float})
    gmmgan = table[table["model"] == "GMMGAN"].set_index(["table", "seed"])["fit_s"].rename("gmmgan_fit_s")
    table["fit_ratio"] = table["fit_s"] / table.join(gmmgan, on=["table", "seed"])["gmmgan_fit_s"]
    table["failed"] = table["error"].notna()
    failed = table.groupby(["table", "model"], sort=False)["failed"].sum()
    return medians(table).assign(failed=failed)


def main():
    parser = parser_of_tables(__doc__, seeds=[0])
    parser.add_argument("--models", nargs="*", choices=ENVIRONMENTS, default=list(ENVIRONMENTS))
    parser.add_argument("--environments", type=Path, default=Path("build/peers"))
    parser.add_argument("--limit", type=float, default=3600)
    options = parser.parse_args()
    pythons = {name: python_of(ENVIRONMENTS[name], options.environments) for name in options.models}
    results = []
    for table, train, test, target in tables(options.folder, options.tables, options.rows):
        for seed in options.seeds:
            for name, python in pythons.items():
                figures = evaluate(name, python, train, test, target, seed, options.limit)
                results.append({"table": table, "rows": len(train)} | figures)
                print(json.dumps(results[-1]), flush=True)
    print(summary(results).round(3).T.to_string(), file=sys.stderr)


if __name__ == "__main__":
    main()
