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
from lifetimes.utils import ConvergenceError
from peer import peak_rss_mb, report

NOT_CONVERGED = {"failed": "did not converge"}


def fitted(model, *columns):
    """The fitted model, or `None` when the package says that it did not converge."""
    try:
        return model.fit(*columns)
    except ConvergenceError:
        return None


def bg_nbd(model, customers: pd.DataFrame) -> dict:
    """Parameters and log-likelihood.

    The package keeps the mean negative log-likelihood of times that it divided by the largest age; a density of x purchase
    times changes by the x-th power of that scale.
    """
    if model is None:
        return NOT_CONVERGED
    values = {name: float(model.params_[name]) for name in ("r", "alpha", "a", "b")}
    rescale = math.log(model._scale) * float(customers["x"].sum())
    return {**values, "log_likelihood": rescale - float(model._negative_log_likelihood_) * len(customers)}


def gamma_gamma(model, spenders: pd.DataFrame) -> dict:
    """Parameters and log-likelihood; the package calls γ `v`."""
    if model is None:
        return NOT_CONVERGED
    p, q, v = (float(model.params_[name]) for name in ("p", "q", "v"))
    return {"p": p, "q": q, "gamma": v, "log_likelihood": -float(model._negative_log_likelihood_) * len(spenders)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", RuntimeWarning)  # its line search steps through overflowing parameters
    read = pd.read_csv if arguments.file.endswith((".csv", ".csv.gz")) else pd.read_parquet
    customers = read(arguments.file)
    spenders = customers[(customers["x"] > 0) & (customers["mean_spend"] > 0)]

    begin = time.perf_counter()
    purchases = fitted(BetaGeoFitter(), customers["x"], customers["t_x"], customers["T"])
    between = time.perf_counter()
    spend = fitted(GammaGammaFitter(), spenders["x"], spenders["mean_spend"])
    end = time.perf_counter()
    peak = peak_rss_mb()

    report({
        "tool": f"lifetimes {lifetimes.__version__}",
        "wall_s": end - begin,
        "peak_rss_mb": peak,
        "rows": len(customers),
        "bg_nbd_s": between - begin,
        "bg_nbd": bg_nbd(purchases, customers),
        "gamma_gamma_s": end - between,
        "gamma_gamma_rows": len(spenders),
        "gamma_gamma": gamma_gamma(spend, spenders),
    })


if __name__ == "__main__":
    main()
