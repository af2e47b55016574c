"""Tables whose rules cost some categories more rows than others: whether these keep their shares.

Run as ``python docs/benchmarks/shares.py [--prior] [--rows 2500] [--seeds 0 1]``. `bank` has amounts with their debit
and credit, `claims` what an insurance and its customer pay, `towns` coordinates, `stays` operations between admission
and discharge, and `orders` refunds of a tenth of them. One JSON line a run goes to stdout, medians over seeds to
stderr.
"""

import argparse
import json
import sys
import time

import numpy as np
import pandas as pd
from benchmark import tell_versions

from skgmmgan import GMMGAN
from skgmmgan.metrics import c2st_score

TOWNS = {"Berlin": (52.52, 13.405), "Paris": (48.857, 2.352), "Madrid": (40.417, -3.704), "Rome": (41.903, 12.496)}
TEST_ROWS = 2000


def bank(n, rng):
    kind = rng.choice(["salary", "card"], n, p=[0.4, 0.6])
    amount = np.where(kind == "salary", rng.normal(2800, 500, n), -rng.lognormal(3.2, 0.9, n)).round(2)
    sides = {"debit": np.maximum(-amount, 0) + 0.0, "credit": np.maximum(amount, 0) + 0.0}
    return pd.DataFrame({"kind": kind, "amount": amount, **sides})


def claims(n, rng):
    kind, claim = rng.choice(["open", "closed", "denied"], n, p=[0.2, 0.7, 0.1]), rng.lognormal(7.3, 1.1, n).round(2)
    paid = np.select([kind == "open", kind == "denied"], [np.nan, 0.0], (claim - 500).clip(0, 10_000).round(2))
    return pd.DataFrame({"kind": kind, "claim": claim, "paid": paid, "own": (claim - paid).round(2)})


def towns(n, rng):
    kind = rng.choice(list(TOWNS), n)
    lat, lon = (np.round([TOWNS[town][k] for town in kind] + rng.normal(0, 0.05, n), 5) for k in (0, 1))
    return pd.DataFrame({"kind": kind, "lat": lat, "lon": lon, "sales": rng.lognormal(7.3, 1.1, n).round(2)})


def stays(n, rng):
    admitted = pd.Series(pd.Timestamp("2022-01-01") + pd.to_timedelta(rng.integers(0, 365 * 1440, n), unit="min"))
    minutes, kind = (rng.gamma(1.5, 3, n) * 1440).round(), rng.random(n) < 0.3
    operated = (admitted + pd.to_timedelta((rng.random(n) * minutes).round(), unit="min")).where(kind)
    discharged = admitted + pd.to_timedelta(minutes, unit="min")
    return pd.DataFrame({"kind": kind, "admitted": admitted, "discharged": discharged, "operated": operated})


def orders(n, rng):
    total = ((rng.uniform(8, 120, n).round() - 0.01) * rng.geometric(0.5, n).clip(max=8)).round(2)
    discount, kind = (total * rng.choice([0, 0.1, 0.2], n, p=[0.6, 0.25, 0.15])).round(2), rng.random(n) < 0.11
    refund = pd.Series((total - discount).round(2)).where(kind)
    return pd.DataFrame({"total": total, "discount": discount, "kind": kind, "refund": refund})


TABLES = {make.__name__: make for make in (bank, claims, towns, stays, orders)}


def run(make, n_rows, seed, prior):
    """Figures of one fit, as a dict."""
    table = make(n_rows + TEST_ROWS, np.random.default_rng(seed))
    train, test = table[:n_rows], table[n_rows:].reset_index(drop=True)
    start = time.perf_counter()
    model = GMMGAN(random_state=seed, **({"max_epochs": 0, "adversarial_rounds": 0} if prior else {})).fit(train)
    fit_s = time.perf_counter() - start
    rows, _ = model.sample(n_rows)
    shares = [X["kind"].value_counts(normalize=True) for X in (train, rows)]
    return {
        "table": make.__name__,
        "seed": seed,
        "largest_shift": float(shares[1].sub(shares[0], fill_value=0).abs().max()),
        "c2st": c2st_score(train, rows, random_state=seed),
        "log_likelihood": model.score(test),
        "fit_s": fit_s,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2500)
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1])
    parser.add_argument("--tables", nargs="*", choices=TABLES, default=list(TABLES))
    parser.add_argument("--prior", action="store_true", help="without network and discriminators")
    options = parser.parse_args()
    tell_versions("skgmmgan", "numpy", "scikit-learn", "torch")
    results = []
    for make in map(TABLES.get, options.tables):
        for seed in options.seeds:
            results.append(run(make, options.rows, seed, options.prior))
            print(json.dumps(results[-1]), flush=True)
    medians = pd.DataFrame(results).groupby("table", sort=False).median(numeric_only=True)
    print(medians.drop(columns="seed").round(3).to_string(), file=sys.stderr)


if __name__ == "__main__":
    main()
