#!/usr/bin/env python3
"""Allocation against DuckDB: exact on random data, and timed on large data.

    allocation.py differential WHALECURVE [--cases 40] [--seed 1]
    allocation.py generate FOLDER [--customers 1000000] [--rows 3600000]
    allocation.py periods FOLDER [--customers 1000000] [--activities 30]
    allocation.py duckdb FOLDER --how round|join|exact [--threads 2]
    allocation.py bench WHALECURVE FOLDER [--runs 3]

`differential` runs the engine on random ledgers and compares every cost, and the cost of unused capacity, with largest
remainder in SQL over HUGEINT, ties broken by the published hash. Exit code 1 when one cent differs.

`periods` writes a ledger of twelve months in which every customer buys, and a config with that many activities a month.

`bench` takes turns with DuckDB on the six pools, runs the twelve months once, and prints Markdown. It wants FOLDER to hold
nothing else; the results of twelve months are half a gigabyte.

`duckdb` writes customer, driver and cost of six pools to Parquet: `round` is round(pool * q / total, 2), which does not add
up, by a window or (`join`) by a join with the totals; `exact` is largest remainder over HUGEINT.
"""

import argparse
import json
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
from peer import peak_rss_mb, report

MASK = 2**64 - 1
POOLS = {"orders": 123_456_789, "calls": 98_765_432, "visits": 55_555_555, "deliveries": 250_000_001,
         "returns": 7_777_777, "minutes": 314_159_265}


def splitmix64(value: int) -> int:
    z = (value + 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def tie(customer: int, period: int) -> int:
    """The published hash of an id, told apart by period."""
    fnv = 0xCBF29CE484222325
    for byte in str(customer).encode():
        fnv = ((fnv ^ byte) * 0x100000001B3) & MASK
    return splitmix64((splitmix64(fnv) + period) & MASK)


# Largest remainder: every share rounded down, then the largest remainders up. |pool| < 2^62 and quantities < 2^62, in
# millionths: their product needs 128 bits. Costs keep the sign of the pool. Unused capacity is one more recipient, without
# a customer, after all others of its remainder.
EXACT = """
WITH total AS (
    SELECT pool, sum(quantity)::HUGEINT AS total FROM weights GROUP BY pool
), share AS (
    SELECT w.*, p.amount, (abs(p.amount)::HUGEINT * w.quantity) // t.total AS base,
           (abs(p.amount)::HUGEINT * w.quantity) % t.total AS remainder
    FROM weights w JOIN pools p USING (pool) JOIN total t USING (pool) WHERE t.total > 0 AND w.quantity > 0
), ranked AS (
    SELECT *, row_number() OVER (PARTITION BY pool ORDER BY remainder DESC, customer IS NULL, tie) AS place,
           abs(amount)::HUGEINT - sum(base) OVER (PARTITION BY pool) AS odd
    FROM share
)
SELECT customer, pool, (sign(amount) * (base + CASE WHEN place <= odd THEN 1 ELSE 0 END))::BIGINT AS cost FROM ranked
"""


def differential(arguments: argparse.Namespace) -> int:
    rng = random.Random(arguments.seed)
    compared = 0
    for case in range(arguments.cases):
        with tempfile.TemporaryDirectory() as name:
            compared += one_case(Path(name), rng, arguments.whalecurve, case)
    print(f"{arguments.cases} cases, {compared} costs: equal to the cent")
    return 0


def fill(con: duckdb.DuckDBPyConnection, folder: Path, table: str, rows) -> None:
    """Rows into a table by way of a file: one insert a row would take longer than everything else."""
    path = folder / f"{table}.csv"
    path.write_text("".join(",".join(map(str, row)) + "\n" for row in rows))
    con.execute(f"COPY {table} FROM '{path}' (HEADER false)")


def one_case(folder: Path, rng: random.Random, whalecurve: str, case: int) -> int:
    customers = rng.sample(range(1, 10**9), rng.choice([1, 7, 300, 2_000]))
    largest = rng.choice([1, 3, 50, 10**4, 10**9])
    months = [1, 2, 3]
    cells = [(c, m) for c in customers for m in months if rng.random() < 0.7] or [(customers[0], 1)]
    used = [(c, m, d, rng.randint(0, largest)) for c, m in cells for d in ("a", "b", "c")]
    # Pools of one month, of either sign, some without any driver quantity, some with more capacity than is used.
    total = {(d, m): sum(q for _, month, driver, q in used if (driver, month) == (d, m)) for d in "abc" for m in months}
    spare = {pool: rng.randint(1, 2 * quantity + 1) if rng.random() < 0.5 else None for pool, quantity in total.items()}
    pools = [(d, m, rng.randint(-10**7, 10**8), "" if spare[d, m] is None else total[d, m] + spare[d, m])
             for d in "abc" for m in months]
    con = duckdb.connect()
    ledger = [(c, f"2024-0{m}-15") for c, m in cells]
    con.execute("CREATE TABLE ledger (customer BIGINT, day DATE, amount DECIMAL(18, 2))")
    fill(con, folder, "ledger", ((c, day, 1) for c, day in ledger))
    con.execute("CREATE TABLE used (customer BIGINT, month INT, driver VARCHAR, quantity BIGINT)")
    fill(con, folder, "used", used)
    con.execute("CREATE TABLE cost (driver VARCHAR, month INT, cents BIGINT, capacity BIGINT)")
    fill(con, folder, "cost", pools)
    con.execute(f"COPY ledger TO '{folder}/ledger.parquet'")
    con.execute(f"""COPY (SELECT customer, '2024-0' || month AS month, driver, quantity FROM used)
                    TO '{folder}/used.parquet'""")
    con.execute(f"""COPY (SELECT driver, '2024-0' || month AS month, (cents / 100)::DECIMAL(18, 2) AS amount,
                    capacity FROM cost)
                    TO '{folder}/pools.parquet'""")
    activities = "\n".join(f"  {d}: {{level: order, method: driver, driver: {d}}}" for d in ("a", "b", "c"))
    (folder / "whalecurve.yaml").write_text(f"""version: 1
currency: EUR
period: month
inputs:
  transactions: {{path: ledger.parquet, columns: {{customer_id: customer, date: day, amount: amount}}}}
  driver_quantities:
    path: used.parquet
    columns: {{customer_id: customer, period: month, driver: driver, quantity: quantity}}
  pools: {{path: pools.parquet, columns: {{activity: driver, period: month, amount: amount, capacity: capacity}}}}
activities:
{activities}
""")
    subprocess.run([whalecurve, "run", str(folder / "whalecurve.yaml"), "--output", str(folder / "out")], check=True,
                   capture_output=True)
    con.execute("CREATE TABLE weights (customer BIGINT, pool VARCHAR, quantity BIGINT, tie UBIGINT)")
    rows = [(c, f"{d} 2024-0{m}", q, tie(c, 2024 * 12 + m - 1)) for c, m, d, q in used]
    rows += [("", f"{d} 2024-0{m}", quantity, 0) for (d, m), quantity in spare.items() if quantity is not None]
    fill(con, folder, "weights", rows)
    con.execute("CREATE TABLE pools AS SELECT driver || ' 2024-0' || month AS pool, cents AS amount FROM cost")
    con.execute(f"CREATE TABLE theirs AS {EXACT}")
    con.execute(f"""CREATE TABLE ours AS SELECT customer_id AS customer, activity || ' ' || period AS pool,
                    (amount * 100)::BIGINT AS cost FROM '{folder}/out/customer_cost/*.parquet'""")
    con.execute(f"""INSERT INTO ours SELECT NULL, pool || ' ' || period, (unused * 100)::BIGINT
                    FROM '{folder}/out/pool_balance/*.parquet'""")
    different = con.execute("""SELECT count(*) FROM (SELECT * FROM ours WHERE cost <> 0) o
        FULL JOIN (SELECT * FROM theirs WHERE cost <> 0) t
        ON o.pool = t.pool AND o.customer IS NOT DISTINCT FROM t.customer
        WHERE o.cost IS DISTINCT FROM t.cost""").fetchone()[0]
    if different:
        sys.exit(f"case {case}: {different} costs differ")
    return con.execute("SELECT count(*) FROM theirs").fetchone()[0]


def generate(arguments: argparse.Namespace) -> int:
    folder = Path(arguments.folder)
    folder.mkdir(parents=True, exist_ok=True)
    con = duckdb.connect()
    n, rows = arguments.customers, arguments.rows
    con.execute(f"""COPY (SELECT i AS customer, DATE '2024-01-01' + (hash(i) % 360)::INT AS day, 10.00::DECIMAL(18, 2) AS amount
                    FROM range(1, {n} + 1) r(i)) TO '{folder}/ledger.parquet'""")
    names = list(POOLS)
    # Every customer and pool at most once; a spread of small counts, as orders, calls and visits have.
    con.execute(f"""COPY (
        SELECT i // 6 + 1 AS customer, ['{"','".join(names)}'][i % 6 + 1] AS driver,
               (1 + hash(i, 1) % (1 + hash(i, 2) % 400))::BIGINT AS quantity
        FROM range(0, {n} * 6) r(i) WHERE hash(i, 3) % 1000000 < {rows * 1_000_000 // (n * 6)}
    ) TO '{folder}/used.parquet'""")
    con.execute("CREATE TABLE p (driver VARCHAR, amount DECIMAL(18, 2))")
    con.executemany("INSERT INTO p VALUES (?, ?)", [(name, cents / 100) for name, cents in POOLS.items()])
    con.execute(f"COPY p TO '{folder}/pools.parquet'")
    activities = "\n".join(f"  {d}: {{level: order, method: driver, driver: {d}}}" for d in names)
    (folder / "whalecurve.yaml").write_text(f"""version: 1
name: Six pools
currency: EUR
outputs: [customer_cost, pool_balance]
inputs:
  transactions: {{path: ledger.parquet, columns: {{customer_id: customer, date: day, amount: amount}}}}
  driver_quantities: {{path: used.parquet, columns: {{customer_id: customer, driver: driver, quantity: quantity}}}}
  pools: {{path: pools.parquet, columns: {{activity: driver, amount: amount}}}}
activities:
{activities}
""")
    return 0


def periods(arguments: argparse.Namespace) -> int:
    folder = Path(arguments.folder)
    folder.mkdir(parents=True, exist_ok=True)
    con = duckdb.connect()
    con.execute(f"""COPY (SELECT i // 12 + 1 AS customer, make_date(2024, (i % 12 + 1)::INT, 15) AS day,
                    (1 + hash(i) % 10000)::BIGINT AS amount, (1 + hash(i, 1) % 9)::BIGINT AS units
                    FROM range(0, {arguments.customers * 12}) r(i)) TO '{folder}/ledger.parquet'""")
    methods = ["method: average", "method: revenue", "method: driver, driver: units"]
    activities = [f"  a{n:02}: {{level: order, {methods[n % 3]}}}" for n in range(arguments.activities)]
    rows = [f"a{n:02},2024-{month:02},{1_000_000 + 7 * n + month}.37" for n in range(arguments.activities)
            for month in range(1, 13)]
    (folder / "pools.csv").write_text("activity,month,amount\n" + "\n".join(rows) + "\n")
    (folder / "whalecurve.yaml").write_text(f"""version: 1
name: Twelve months
currency: EUR
period: month
outputs: [customer_cost, pool_balance]
inputs:
  transactions: {{path: ledger.parquet, columns: {{customer_id: customer, date: day, amount: amount}}}}
  pools: {{path: pools.csv, columns: {{activity: activity, period: month, amount: amount}}}}
drivers:
  units: {{sum: units}}
activities:
{chr(10).join(activities)}
""")
    return 0


def timed(arguments: argparse.Namespace) -> int:
    folder = Path(arguments.folder)
    begin = time.perf_counter()
    con = duckdb.connect(config={"threads": arguments.threads})
    out = folder / f"duckdb-{arguments.how}.parquet"
    if arguments.how == "round":
        con.execute(f"""COPY (
            SELECT customer, driver, round(p.amount * u.quantity / sum(u.quantity) OVER (PARTITION BY driver), 2) AS cost
            FROM '{folder}/used.parquet' u JOIN '{folder}/pools.parquet' p USING (driver)) TO '{out}'""")
    elif arguments.how == "join":
        con.execute(f"""COPY (
            WITH t AS (SELECT driver, sum(quantity) AS total FROM '{folder}/used.parquet' GROUP BY driver)
            SELECT customer, driver, round(p.amount * u.quantity / t.total, 2) AS cost
            FROM '{folder}/used.parquet' u JOIN '{folder}/pools.parquet' p USING (driver) JOIN t USING (driver)) TO '{out}'""")
    else:
        con.execute(f"""CREATE VIEW weights AS SELECT customer, driver AS pool, quantity::HUGEINT * 1000000 AS quantity,
                        hash(customer) AS tie FROM '{folder}/used.parquet'""")
        con.execute(f"""CREATE VIEW pools AS SELECT driver AS pool, (amount * 100)::BIGINT AS amount
                        FROM '{folder}/pools.parquet'""")
        con.execute(f"COPY ({EXACT}) TO '{out}'")
    seconds = time.perf_counter() - begin
    unit = 1 if arguments.how in ("round", "join") else 0.01
    rows, total = con.execute(f"SELECT count(*), sum(cost) FROM '{out}'").fetchone()
    pools = sum(POOLS.values())
    report({"peer": f"DuckDB {duckdb.__version__}, {arguments.how}", "seconds": seconds, "rows": rows,
            "off_by": round(float(total) * unit - pools / 100, 2), "peak_rss_mb": peak_rss_mb()})
    return 0


def bench(arguments: argparse.Namespace) -> int:
    root = Path(arguments.folder)
    six, twelve = root / "six", root / "twelve"
    if not (six / "whalecurve.yaml").exists():
        generate(argparse.Namespace(folder=six, customers=1_000_000, rows=3_600_000))
    if not (twelve / "whalecurve.yaml").exists():
        periods(argparse.Namespace(folder=twelve, customers=1_000_000, activities=30))
    found: dict[str, list[dict]] = {}
    for _ in range(arguments.runs):
        found.setdefault("whalecurve", []).append(engine(arguments.whalecurve, six))
        for how in ("join", "exact"):
            line = subprocess.run([sys.executable, __file__, "duckdb", str(six), "--how", how], check=True,
                                  capture_output=True, text=True).stdout
            found.setdefault(f"DuckDB {duckdb.__version__}, {how}", []).append(json.loads(line))
    print("### Six pools, 3.6 M driver quantities, 1 M customers, Parquet to Parquet\n")
    print("| | wall, s | of it allocation, s | peak memory, MiB | off by |\n|---|---|---|---|---|")
    for name, runs in found.items():
        middle = lambda key: statistics.median(run[key] for run in runs)  # noqa: E731
        stage = f"{middle('allocate'):.2f}" if "allocate" in runs[0] else ""
        print(f"| {name} | {middle('seconds'):.2f} | {stage} | {middle('peak_rss_mb'):.0f} | {runs[0]['off_by']} |")
    run = engine(arguments.whalecurve, twelve)
    rows = 12 * 30 * 1_000_000
    print("\n### Twelve periods, 30 activities, 1 M customers\n")
    print("| costs | wall, s | allocation, s | costs a second, millions | peak memory, MiB |\n|---|---|---|---|---|")
    print(f"| {rows:,} | {run['seconds']:.1f} | {run['allocate']:.1f} | {rows / run['seconds'] / 1e6:.1f} | "
          f"{run['peak_rss_mb']:.0f} |")
    return 0


def engine(whalecurve: str, folder: Path) -> dict:
    """One run of the engine from a fresh output folder: wall time of its process, and what it says of its stages."""
    output = folder / "out"
    shutil.rmtree(output, ignore_errors=True)
    begin = time.perf_counter()
    subprocess.run([whalecurve, "run", str(folder / "whalecurve.yaml"), "--output", str(output)], check=True,
                   capture_output=True)
    seconds = time.perf_counter() - begin
    stages = json.loads((output / "run_results.json").read_text())["stages"]
    allocate = next(stage["seconds"] for stage in stages if stage["stage"] == "allocate")
    balance = f"{output}/pool_balance/*.parquet"
    off = duckdb.execute(f"""SELECT sum(own) - sum(allocated) - sum(unassigned) FROM '{balance}'""").fetchone()[0]
    return {"seconds": seconds, "allocate": allocate, "off_by": float(off),
            "peak_rss_mb": max(stage["peak_memory_mib"] for stage in stages)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("differential")
    command.add_argument("whalecurve")
    command.add_argument("--cases", type=int, default=40)
    command.add_argument("--seed", type=int, default=1)
    command.set_defaults(run=differential)
    command = commands.add_parser("generate")
    command.add_argument("folder")
    command.add_argument("--customers", type=int, default=1_000_000)
    command.add_argument("--rows", type=int, default=3_600_000)
    command.set_defaults(run=generate)
    command = commands.add_parser("periods")
    command.add_argument("folder")
    command.add_argument("--customers", type=int, default=1_000_000)
    command.add_argument("--activities", type=int, default=30)
    command.set_defaults(run=periods)
    command = commands.add_parser("duckdb")
    command.add_argument("folder")
    command.add_argument("--how", choices=("round", "join", "exact"), required=True)
    command.add_argument("--threads", type=int, default=2)
    command.set_defaults(run=timed)
    command = commands.add_parser("bench")
    command.add_argument("whalecurve")
    command.add_argument("folder")
    command.add_argument("--runs", type=int, default=3)
    command.set_defaults(run=bench)
    arguments = parser.parse_args()
    return arguments.run(arguments)


if __name__ == "__main__":
    sys.exit(main())
