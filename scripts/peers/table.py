#!/usr/bin/env python3
"""Turns the measurements of scripts/bench.sh into Markdown: medians, ranges, ratios.

    table.py RESULTS

RESULTS holds NAME-1, NAME-2, … of each measurement, as it was printed (the last line is the JSON). Exit code 1 when the two
sides did not give the same answer: a time for a wrong answer is no time.
"""

import json
import statistics
import sys
from decimal import Decimal
from pathlib import Path

# What both sides of the facts comparison must agree on, exactly.
CHECKSUMS = (
    "rows", "customers", "gross", "returns", "discount", "net", "product_cost", "orders", "purchase_days", "units",
)
# The fits stop at different tolerances: the log-likelihoods agree to this share, or the better one is said.
LIKELIHOOD_TOLERANCE = 1e-9
# Paths a customer when the config does not say.
PATHS = 1_000


def main() -> int:
    folder = Path(sys.argv[1])
    problems = facts(folder)
    fits(folder)
    simulation(folder)
    whole_job(folder)
    portfolio(folder)
    for problem in problems:
        print(f"DIFFERENT ANSWERS: {problem}", file=sys.stderr)
    return 1 if problems else 0


def read(folder: Path, name: str) -> list[dict]:
    """The runs of one measurement; none when it was not taken."""
    return [json.loads(path.read_text().strip().splitlines()[-1]) for path in sorted(folder.glob(f"{name}-[0-9]*.json"))]


def median(runs: list[dict], key: str) -> float:
    return statistics.median(run[key] for run in runs)


def spread(runs: list[dict], key: str, digits: int = 2) -> str:
    """`median (least–most)`."""
    values = [run[key] for run in runs]
    return f"{statistics.median(values):,.{digits}f} ({min(values):,.{digits}f}–{max(values):,.{digits}f})"


def facts(folder: Path) -> list[str]:
    """The facts stage beside DuckDB; returns every checksum that differs."""
    ours, theirs = read(folder, "facts-whalecurve"), read(folder, "facts-duckdb")
    size = f"{ours[0]['rows']:,} transactions, {ours[0]['customers']:,} customers"
    print(f"### Facts: {size}\n\n| | wall, s | peak memory, MiB |\n|---|---|---|")
    print(f"| whalecurve | {spread(ours, 'facts_s')} | {spread(ours, 'facts_peak_mib', 0)} |")
    print(f"| {theirs[0]['tool']} | {spread(theirs, 'wall_s')} | {spread(theirs, 'peak_rss_mb', 0)} |")
    wall = median(theirs, "wall_s") / median(ours, "facts_s")
    peak = median(theirs, "peak_rss_mb") / median(ours, "facts_peak_mib")
    print(f"| times less | {wall:.1f} | {peak:.1f} |\n")
    problems = [
        f"{key}: whalecurve {mine.get(key)}, {other['tool']} {other[key]}"
        for mine in ours
        for other in theirs
        for key in CHECKSUMS
        if key not in mine or Decimal(str(mine[key])) != Decimal(str(other[key]))
    ]
    if not problems:
        print(f"Equal to the cent: {', '.join(CHECKSUMS)}.\n")
    return sorted(set(problems))


def stage_runs(runs: list[dict], stage: str) -> list[dict]:
    """Seconds and rows of one stage, run by run."""
    return [next(entry for entry in run["stages"] if entry["stage"] == stage) for run in runs]


def fits(folder: Path) -> None:
    """The model fits beside lifetimes, with the log-likelihoods they reached."""
    ours, theirs = read(folder, "run-whalecurve"), read(folder, "fit-lifetimes")
    peer = theirs[0]["tool"] if theirs else "lifetimes"
    print(f"### Fits\n\n| model | whalecurve, s | {peer}, s | times less | log-likelihood |\n|---|---|---|---|---|")
    for name, key, stage in (("BG/NBD", "bg_nbd", "fit_purchases"), ("Gamma-Gamma", "gamma_gamma", "fit_spend")):
        mine = stage_runs(ours, stage)
        if theirs:
            ratio = median(theirs, f"{key}_s") / median(mine, "seconds")
            reached = likelihoods(ours[0]["fits"].get(key, {}), theirs[0][key])
            print(f"| {name} | {spread(mine, 'seconds', 3)} | {spread(theirs, f'{key}_s')} | {ratio:,.0f} | {reached} |")
        else:
            print(f"| {name} | {spread(mine, 'seconds', 3)} | not measured | | |")
    print()


def likelihoods(mine: dict, other: dict) -> str:
    """Which side climbed higher."""
    if "failed" in other:
        return f"lifetimes {other['failed']}"
    reached = other["log_likelihood"]
    if "log_likelihood" not in mine:
        return f"lifetimes {reached:,.3f}"
    gap = mine["log_likelihood"] - reached
    if abs(gap) <= LIKELIHOOD_TOLERANCE * abs(reached):
        return f"{mine['log_likelihood']:,.3f}, equal"
    return f"{mine['log_likelihood']:,.3f}, {'higher' if gap > 0 else 'LOWER'} by {abs(gap):.3g}"


def simulation(folder: Path) -> None:
    runs = stage_runs(read(folder, "run-whalecurve"), "simulate")
    rates = [
        {"millions": run["rows"] * PATHS / run["seconds"] / 1e6, "ns": run["seconds"] / run["rows"] / PATHS * 1e9}
        for run in runs
    ]
    print(f"### Simulation: {runs[0]['rows']:,} customers × {PATHS:,} paths, one year\n")
    print("| s | paths a second, millions | ns a path |\n|---|---|---|")
    print(f"| {spread(runs, 'seconds')} | {spread(rates, 'millions', 1)} | {spread(rates, 'ns', 1)} |\n")


def whole_job(folder: Path) -> None:
    """Wall and memory of `whalecurve run`, and each stage's share of the stages' time."""
    runs = read(folder, "run-whalecurve")
    print("### Whole job\n\n| wall, s | peak memory, MiB |\n|---|---|")
    print(f"| {spread(runs, 'wall_s')} | {spread(runs, 'peak_mib', 0)} |\n")
    stages = [stage["stage"] for stage in runs[0]["stages"]]
    seconds = {stage: median(stage_runs(runs, stage), "seconds") for stage in stages}
    total = sum(seconds.values()) or 1.0
    print("| stage | s | share |\n|---|---|---|")
    for stage, value in seconds.items():
        print(f"| {stage} | {value:.2f} | {value / total:.0%} |")
    print()


# What stands between the forecast and the end of a run.
AFTER_FORECAST = ("potential", "portfolio", "bridge", "decide", "publish")


def portfolio(folder: Path) -> None:
    """Everything that portfolio, equity and decisions can be told: what it takes after the forecast."""
    runs = read(folder, "portfolio-whalecurve")
    print(f"### Portfolio, equity and decisions: {runs[0]['customers']:,} customers, with everything there is to tell\n")
    found = [stage["stage"] for stage in runs[0]["stages"]]
    stages = {name: stage_runs(runs, name) for name in AFTER_FORECAST if name in found}
    print("| stage | s |\n|---|---|")
    for name, seconds in stages.items():
        print(f"| {name} | {spread(seconds, 'seconds')} |")
    sums = [{"seconds": sum(seconds[run]["seconds"] for seconds in stages.values())} for run in range(len(runs))]
    print(f"| after the forecast | {spread(sums, 'seconds')} |\n")


if __name__ == "__main__":
    sys.exit(main())
