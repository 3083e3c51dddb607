#!/usr/bin/env python3
"""The facts stage in DuckDB: one row a customer out of a ledger made by `whalecurve generate`.

    duckdb_facts.py DIR [--threads 2] [--summary FILE]

DIR holds `transactions/*.parquet` (customer_id, order_id, date, product_id, quantity, amount, discount) and
`products/*.parquet` (product_id, unit_cost). Measured is one CREATE TABLE … AS; import and connection come before, the
checksums after. Money is DECIMAL throughout, so that the checksums compare exactly, to the cent.

A return is a line with a negative amount or quantity, any other a purchase; net = gross − returns − discount.
--summary writes (x, t_x, T in weeks, mean spend of the repeat purchase days), what lifetimes_fit.py reads.

Both sides do the same work on the same columns, in one pass over the ledger: every column that our facts hold, for the same
purchase lines, and a look at every line for nulls and unknown products (`broken`, which stops our run or sets the line aside).
What is left to one side alone, in DuckDB's favour: our rows come out sorted by customer and carry a hash of the id; every
line is also held against ranges, and its money is counted twice, on the way in and in the facts, and compared.
"""

import argparse
import time

import duckdb
from peer import peak_rss_mb, report

# The fastest plain SQL of the ways tried: two distinct counts in the one aggregation, the first purchase day by a window.
# Joining the first day back, grouping by (customer, day) or (customer, day, order) first, and counting distinct pairs apart
# all took longer or more memory; counting `list_distinct(list(…))` came within a tenth.
FACTS = """
CREATE TABLE facts AS
WITH line AS (
    SELECT
        t.customer_id, t.order_id, t.date, t.quantity, t.amount, t.discount, t.quantity * p.unit_cost AS product_cost,
        t.amount >= 0 AND t.quantity >= 0 AS purchase,
        t.customer_id IS NULL OR t.date IS NULL OR t.amount IS NULL OR t.quantity IS NULL OR t.discount IS NULL
            OR p.unit_cost IS NULL AS broken
    FROM read_parquet($transactions) t LEFT JOIN read_parquet($products) p USING (product_id)
), dated AS (
    SELECT *, min(date) FILTER (purchase) OVER (PARTITION BY customer_id) AS first_date FROM line
)
SELECT
    customer_id,
    count(*)                                                       AS lines,
    coalesce(sum(amount) FILTER (purchase), 0)                     AS gross,
    coalesce(-sum(amount) FILTER (NOT purchase), 0)                AS returns,
    sum(discount)                                                  AS discount,
    sum(amount) - sum(discount)                                    AS net,
    sum(product_cost)                                              AS product_cost,
    sum(quantity)                                                  AS units,
    any_value(first_date)                                          AS first_date,
    max(date) FILTER (purchase)                                    AS last_date,
    max(date)                                                      AS last_activity,
    coalesce(sum(amount - discount) FILTER (purchase), 0)          AS purchase_revenue,
    coalesce(sum(amount - discount) FILTER (purchase AND date = first_date), 0) AS first_day_revenue,
    count(DISTINCT order_id) FILTER (purchase)                     AS orders,
    count(DISTINCT date) FILTER (purchase)                         AS purchase_days,
    count(*) FILTER (broken)                                       AS broken
FROM dated
GROUP BY customer_id
"""

CHECKSUMS = """
SELECT
    sum(lines) AS rows, count(*) AS customers, sum(gross) AS gross, sum(returns) AS returns, sum(discount) AS discount,
    sum(net) AS net, sum(product_cost) AS product_cost, sum(orders) AS orders, sum(purchase_days) AS purchase_days,
    sum(units) AS units, sum(broken) AS broken, sum(purchase_revenue) AS purchase_revenue,
    sum(first_day_revenue) AS first_day_revenue, min(first_date) AS first_date, max(last_date) AS last_date,
    max(last_activity) AS last_activity
FROM facts
"""

SUMMARY = """
COPY (
    SELECT
        customer_id, purchase_days - 1 AS x, (last_date - first_date) / 7 AS t_x,
        ((SELECT max(date) FROM read_parquet($transactions)) - first_date) / 7 AS T,
        CASE WHEN purchase_days > 1 THEN (purchase_revenue - first_day_revenue)::DOUBLE / (purchase_days - 1) ELSE 0 END
            AS mean_spend
    FROM facts WHERE purchase_days > 0 ORDER BY customer_id
) TO '{file}' (FORMAT parquet)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dir")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--summary", metavar="FILE")
    arguments = parser.parse_args()
    files = {
        "transactions": f"{arguments.dir}/transactions/*.parquet",
        "products": f"{arguments.dir}/products/*.parquet",
    }
    connection = duckdb.connect()
    connection.execute(f"SET threads = {arguments.threads}")
    connection.execute("SET preserve_insertion_order = false")
    connection.execute("SET enable_progress_bar = false")

    begin = time.perf_counter()
    connection.execute(FACTS, files)
    wall = time.perf_counter() - begin
    peak = peak_rss_mb()

    result = connection.execute(CHECKSUMS)
    checksums = dict(zip([column[0] for column in result.description], result.fetchone(), strict=True))
    if arguments.summary:
        quoted = arguments.summary.replace("'", "''")
        connection.execute(SUMMARY.format(file=quoted), {"transactions": files["transactions"]})
    version = f"DuckDB {duckdb.__version__}"
    report({"tool": version, "threads": arguments.threads, "wall_s": wall, "peak_rss_mb": peak, **checksums})


if __name__ == "__main__":
    main()
