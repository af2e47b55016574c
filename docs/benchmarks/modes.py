"""Are all modes found? A ring of 8 and a grid of 25 Gaussians by the protocol of PacGAN (Lin et al., 2018).

Run as ``python docs/benchmarks/modes.py [--trials 10] [--rows 100000] [--models plain right five auto]``. The standard
deviation is 0.01 on the ring (radius 1) and 0.05 on the grid (distance 2); 2,500 rows are drawn from each fit. `right`
has one component a mode, `five` has five, `auto` chooses, and `plain` is EM alone with one component a mode. One JSON
line a fit goes to stdout, medians over trials with the worst trial in brackets to stderr.
"""

import argparse
import json
import sys
import time
import warnings

import numpy as np
import pandas as pd
from benchmark import tell_versions
from sklearn.mixture import GaussianMixture

from skgmmgan import GMMGAN
from skgmmgan.metrics import mode_coverage

ANGLES = 2 * np.pi * np.arange(8) / 8
TARGETS = {
    "ring of 8": (np.column_stack([np.cos(ANGLES), np.sin(ANGLES)]), 0.01),
    "grid of 25": (np.array([[x, y] for x in range(-4, 5, 2) for y in range(-4, 5, 2)], dtype=float), 0.05),
}
N_DRAWN = 2500
MODELS = {
    "plain": lambda n_modes, seed: GaussianMixture(n_modes, random_state=seed),
    "right": lambda n_modes, seed: GMMGAN(n_modes, random_state=seed),
    "five": lambda n_modes, seed: GMMGAN(5, random_state=seed),
    "auto": lambda n_modes, seed: GMMGAN(random_state=seed),
}


def evaluate(name, model, n_rows, seed):
    """Figures of one fit."""
    centers, std = TARGETS[name]
    rng = np.random.RandomState(seed)
    X = centers[rng.randint(len(centers), size=n_rows)] + std * rng.normal(size=(n_rows, 2))
    start = time.perf_counter()
    fitted = MODELS[model](len(centers), seed).fit(X)
    seconds = time.perf_counter() - start
    rows, _ = fitted.sample(N_DRAWN)
    return {"target": name, "model": model, "seed": seed, **mode_coverage(rows, centers, std)._asdict(), "s": seconds}


def main():
    """Run all trials."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=10)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--models", nargs="*", default=list(MODELS))
    options = parser.parse_args()
    tell_versions("numpy", "scikit-learn", "torch")
    results = []
    for name in TARGETS:
        for model in options.models:
            for seed in range(options.trials):
                results.append(evaluate(name, model, options.rows, seed))
                print(json.dumps(results[-1]), flush=True)
    by_model = pd.DataFrame(results).drop(columns="seed").groupby(["target", "model"], sort=False)
    worst = by_model.agg({"n_modes": "min", "high_quality_share": "min", "reverse_kl": "max", "s": "max"})
    print(by_model.median().join(worst, rsuffix=", worst").round(4).to_string(), file=sys.stderr)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
