#!/usr/bin/env python3
"""BG/NBD and Gamma-Gamma fitted by the Python package `lifetimes`.

    lifetimes_fit.py FILE

FILE is Parquet or CSV, one row a customer: x (repeat purchase days), t_x and T (in one time unit), mean_spend (of the
repeat purchase days, 0 when x is 0). Measured are the two calls of `fit`, with the package's own settings and no penalty;
import and reading come before. Gamma-Gamma sees the customers with x > 0 and mean_spend > 0.
"""

import argparse
import math
import time
import warnings

import lifetimes
import pandas as pd
from lifetimes import BetaGeoFitter, GammaGammaFitter
from peer import peak_rss_mb, report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", RuntimeWarning)  # its line search steps through overflowing parameters
    read = pd.read_csv if arguments.file.endswith((".csv", ".csv.gz")) else pd.read_parquet
    customers = read(arguments.file)
    spenders = customers[(customers["x"] > 0) & (customers["mean_spend"] > 0)]

    begin = time.perf_counter()
    purchases = BetaGeoFitter().fit(customers["x"], customers["t_x"], customers["T"])
    between = time.perf_counter()
    spend = GammaGammaFitter().fit(spenders["x"], spenders["mean_spend"])
    end = time.perf_counter()
    peak = peak_rss_mb()

    # The package keeps the mean negative log-likelihood, of times it scaled (a density: one factor a repeat purchase), and
    # calls γ `v`.
    rescale = math.log(purchases._scale) * float(customers["x"].sum())
    bg_nbd = {name: float(purchases.params_[name]) for name in ("r", "alpha", "a", "b")}
    bg_nbd["log_likelihood"] = -float(purchases._negative_log_likelihood_) * len(customers) + rescale
    gamma_gamma = {"p": float(spend.params_["p"]), "q": float(spend.params_["q"]), "gamma": float(spend.params_["v"])}
    gamma_gamma["log_likelihood"] = -float(spend._negative_log_likelihood_) * len(spenders)
    report({
        "tool": f"lifetimes {lifetimes.__version__}",
        "wall_s": end - begin,
        "peak_rss_mb": peak,
        "rows": len(customers),
        "bg_nbd_s": between - begin,
        "bg_nbd": bg_nbd,
        "gamma_gamma_s": end - between,
        "gamma_gamma_rows": len(spenders),
        "gamma_gamma": gamma_gamma,
    })


if __name__ == "__main__":
    main()
