#!/usr/bin/env python3
"""What a finished run of whalecurve says of itself, as one line of JSON.

    whalecurve_run.py OUTPUT WALL_SECONDS

Stage times and memory come from `run_results.json`, fits from the manifest, checksums from the Parquet itself. Memory is the
process's largest resident set up to the end of the facts stage (`facts_peak_mib`) and of the run (`peak_mib`).
"""

import json
import sys
from pathlib import Path

import duckdb
from peer import report

CHECKSUMS = """
SELECT
    sum(lines) AS rows, count(*) AS customers, sum(gross_sales) AS gross, sum(returns) AS returns, sum(discount) AS discount,
    sum(net_revenue) AS net, sum(product_cost) AS product_cost, sum(orders) AS orders, sum(units) AS units,
    (SELECT sum(frequency + 1) FROM read_parquet($value)) AS purchase_days
FROM read_parquet($profit)
"""


def main() -> None:
    output = Path(sys.argv[1])
    results = json.loads((output / "run_results.json").read_text())
    fits = json.loads((output / "run_manifest.json").read_text()).get("fits") or {}
    stages = results["stages"]
    seconds = {stage["stage"]: stage["seconds"] for stage in stages}
    files = {"profit": f"{output}/customer_profit_total/*.parquet", "value": f"{output}/customer_value/*.parquet"}
    result = duckdb.connect().execute(CHECKSUMS, files)
    checksums = dict(zip([column[0] for column in result.description], result.fetchone(), strict=True))
    report({
        "tool": "whalecurve",
        "wall_s": float(sys.argv[2]),
        "facts_s": seconds["read"] + seconds["facts"],
        "facts_peak_mib": next(stage["peak_memory_mib"] for stage in stages if stage["stage"] == "facts"),
        "peak_mib": max(stage["peak_memory_mib"] for stage in stages),
        "stages": stages,
        "fits": fits,
        **checksums,
    })


if __name__ == "__main__":
    main()
