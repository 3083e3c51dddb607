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


def main() -> int:
    folder = Path(sys.argv[1])
    problems = facts(folder)
    fits(folder)
    simulation(folder)
    whole_job(folder)
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
    for name, runs in (("whalecurve", ours), (theirs[0]["tool"], theirs)):
        print(f"| {name} | {spread(runs, 'wall_s')} | {spread(runs, 'peak_rss_mb', 0)} |")
    wall, peak = (median(theirs, key) / median(ours, key) for key in ("wall_s", "peak_rss_mb"))
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


def fits(folder: Path) -> None:
    """The model fits beside lifetimes, with the log-likelihoods they reached."""
    ours, theirs = read(folder, "fit-whalecurve"), read(folder, "fit-lifetimes")
    peer = theirs[0]["tool"] if theirs else "lifetimes"
    print(f"### Fits\n\n| model | whalecurve, s | {peer}, s | times less | log-likelihood |\n|---|---|---|---|---|")
    for name, key in (("BG/NBD", "bg_nbd"), ("Gamma-Gamma", "gamma_gamma")):
        mine = spread(ours, f"{key}_s", 3)
        if theirs:
            ratio = median(theirs, f"{key}_s") / median(ours, f"{key}_s")
            reached = likelihoods(ours[0].get(key, {}), theirs[0][key])
            print(f"| {name} | {mine} | {spread(theirs, f'{key}_s')} | {ratio:,.0f} | {reached} |")
        else:
            print(f"| {name} | {mine} | not measured | | |")
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
    runs = read(folder, "simulate-whalecurve")
    print("### Simulation\n\n| paths a second, millions | ns a path |\n|---|---|")
    millions = [{"paths": run["paths_per_s"] / 1e6} for run in runs]
    print(f"| {spread(millions, 'paths', 1)} | {spread(runs, 'ns_per_path', 1)} |\n")


def whole_job(folder: Path) -> None:
    """Wall and memory of `whalecurve run`, and each stage's share of the stages' time."""
    runs = read(folder, "run-whalecurve")
    results = [json.loads(path.read_text()) for path in sorted(folder.glob("run_results-[0-9]*.json"))]
    print("### Whole job\n\n| wall, s | peak memory, MiB |\n|---|---|")
    print(f"| {spread(runs, 'wall_s')} | {spread(results, 'peak_rss_mb', 0)} |\n")
    seconds = {
        stage["stage"]: statistics.median(
            other["seconds"] for result in results for other in result["stages"] if other["stage"] == stage["stage"]
        )
        for stage in results[0]["stages"]
    }
    total = sum(seconds.values()) or 1.0
    print("| stage | s | share |\n|---|---|---|")
    for stage, value in seconds.items():
        print(f"| {stage} | {value:.2f} | {value / total:.0%} |")
    print()


if __name__ == "__main__":
    sys.exit(main())
