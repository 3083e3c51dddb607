#!/usr/bin/env python3
"""Re-makes the committed files of `datasets/`, byte for byte, and measures the facts their READMEs state.

    scripts/datasets.py cdnow [--source PATH] [--check]
    scripts/datasets.py online-retail LEDGER [--check]
    scripts/datasets.py portfolio [--check]

`cdnow` takes CDNOW_sample.txt and CDNOW_master.txt from the PyPI package `lifetimes` 0.11.3: downloaded with pip, or from
PATH (the wheel, or a folder that holds the two files). `online-retail` takes the ledger as Parquet, writes the illustrative
cost pools and prints the control totals. `portfolio` makes its Parquet ledger from ledger.csv beside it. With --check nothing is written: a file that differs is named, exit code 1.

Needs pyarrow 26.0.1; another version of its Parquet writer may give other bytes for the same rows.
"""

import argparse
import csv
import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from collections import defaultdict
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

DATASETS = Path(__file__).resolve().parent.parent / "datasets"
PACKAGE = "lifetimes==0.11.3"
PYARROW = "26.0.1"
SHA256 = {
    "CDNOW_sample.txt": "6fae10155c0b0ba363c2c386e30f77990d22328220efd862a5edd1443420d94a",
    "CDNOW_master.txt": "eff6889ed364c5199d6eacbbeb7a6d559971df4406ac876f322c373f00a072ef",
}
LICENCE = "LICENSE.txt"
MONEY = pa.decimal128(18, 2)
CENT = Decimal("0.01")

# Unit costs behind the illustrative pools, in major units: goods per unit of sales, the rest per unit of driver.
MASTER_RATES = {
    "goods": Decimal("0.57"),
    "order_handling": Decimal("3.20"),
    "shipping": Decimal("1.10"),
    "account_upkeep": Decimal("1.25"),
    "marketing": Decimal("5.00"),
}
RETAIL_RATES = {
    "goods": Decimal("0.65"),
    "order_handling": Decimal("12.00"),
    "picking": Decimal("0.55"),
    "freight": Decimal("0.06"),
    "returns_handling": Decimal("6.00"),
    "account_management": Decimal("30.00"),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    cdnow = commands.add_parser("cdnow", help="datasets/cdnow from the package `lifetimes`")
    cdnow.add_argument("--source", type=Path, help="the wheel, or a folder with the two text files")
    cdnow.add_argument("--check", action="store_true", help="compare, write nothing")
    retail = commands.add_parser("online-retail", help="pools and facts of datasets/online_retail")
    retail.add_argument("ledger", type=Path, help="the UCI Online Retail ledger as Parquet")
    retail.add_argument("--check", action="store_true", help="compare, write nothing")
    portfolio = commands.add_parser("portfolio", help="datasets/portfolio from its ledger.csv")
    portfolio.add_argument("--check", action="store_true", help="compare, write nothing")
    arguments = parser.parse_args()
    if arguments.command == "cdnow":
        files = cdnow_files(arguments.source)
        folder = DATASETS / "cdnow"
    elif arguments.command == "portfolio":
        folder = DATASETS / "portfolio"
        files = portfolio_files(folder)
    else:
        files = online_retail_files(arguments.ledger)
        folder = DATASETS / "online_retail"
    return place(folder, files, arguments.check)


def place(folder: Path, files: dict[str, bytes], check: bool) -> int:
    """Writes `files` into `folder`, or only names those that differ from what is there."""
    different = [name for name, data in files.items() if not _same(folder / name, data)]
    for name in different:
        if check:
            print(f"{folder.name}/{name}: differs", file=sys.stderr)
        else:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(files[name])
            print(f"{folder.name}/{name}: written, {len(files[name])} bytes", file=sys.stderr)
    if different and pa.__version__ != PYARROW:
        print(f"pyarrow is {pa.__version__}; the committed files were written by {PYARROW}", file=sys.stderr)
    return 1 if check and different else 0


def _same(path: Path, data: bytes) -> bool:
    return path.is_file() and path.read_bytes() == data


# CDNOW


def cdnow_files(source: Path | None) -> dict[str, bytes]:
    """Every committed file of `datasets/cdnow` that is made from the package."""
    texts = lifetimes_files(source)
    for name, digest in SHA256.items():
        found = hashlib.sha256(texts[name]).hexdigest()
        if found != digest:
            raise SystemExit(f"{name}: SHA-256 is {found}, expected {digest}")
    sample = [line.split() for line in texts["CDNOW_sample.txt"].decode("ascii").splitlines()]
    master = [line.split() for line in texts["CDNOW_master.txt"].decode("ascii").splitlines()[1:]]
    ledger = [(row[0], row[1], int(row[2]), Decimal(row[3])) for row in master]
    cdnow_facts("sample", [(row[1], row[2], int(row[3]), Decimal(row[4])) for row in sample])
    cdnow_facts("sample to 1997-09-30", [(r[1], r[2], int(r[3]), Decimal(r[4])) for r in sample if r[2] <= "19970930"])
    cdnow_facts("master", ledger)
    files = {
        "CDNOW_sample.txt": texts["CDNOW_sample.txt"],
        "transactions.parquet": parquet({
            "customer_id": pa.array([row[1] for row in sample], pa.string()),
            "master_id": pa.array([row[0] for row in sample], pa.string()),
            **purchase_columns([row[2:] for row in sample]),
        }),
        "master.parquet": parquet({
            "customer_id": pa.array([row[0] for row in master], pa.string()),
            **purchase_columns([row[1:] for row in master]),
        }),
        "master_pools.csv": pools_csv(master_pools(ledger)),
    }
    if LICENCE in texts:
        files["LICENSE-lifetimes.txt"] = texts[LICENCE]
    return files


def lifetimes_files(source: Path | None) -> dict[str, bytes]:
    """File name → content of the package's CDNOW files (and its licence, when the source has it)."""
    if source is not None and source.is_dir():
        return {path.name: path.read_bytes() for name in (*SHA256, LICENCE) if (path := source / name).is_file()}
    with tempfile.TemporaryDirectory() as scratch:
        if source is None:
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", scratch, PACKAGE]
            subprocess.run(pip, check=True)
            source = next(Path(scratch).glob("*.whl"))
        with zipfile.ZipFile(source) as wheel:
            wanted = {*SHA256, LICENCE}
            return {name.rpartition("/")[2]: wheel.read(name) for name in wheel.namelist() if name.rpartition("/")[2] in wanted}


def purchase_columns(rows: list[list[str]]) -> dict[str, pa.Array]:
    """The columns both CDNOW files have: day, number of CDs, dollars."""
    iso = pa.array([f"{row[0][:4]}-{row[0][4:6]}-{row[0][6:]}" for row in rows], pa.string())
    return {
        "date": iso.cast(pa.date32()),
        "cds": pa.array([int(row[1]) for row in rows], pa.int32()),
        "amount": pa.array([Decimal(row[2]) for row in rows], MONEY),
    }


def parquet(columns: dict[str, pa.Array]) -> bytes:
    """One row group, Zstandard; nullability says that no value is missing."""
    schema = pa.schema([pa.field(name, array.type, nullable=False) for name, array in columns.items()])
    buffer = io.BytesIO()
    table = pa.Table.from_arrays(list(columns.values()), schema=schema)
    pq.write_table(table, buffer, compression="zstd", compression_level=9, row_group_size=1 << 20, store_schema=False)
    return buffer.getvalue()


def cdnow_facts(name: str, rows: list[tuple[str, str, int, Decimal]]) -> None:
    """Prints what the README states about a ledger of (customer, yyyymmdd, CDs, dollars)."""
    print(
        f"cdnow {name}: rows {len(rows)}, customers {len({r[0] for r in rows})}, dollars {sum(r[3] for r in rows)}, "
        f"CDs {sum(r[2] for r in rows)}, first {min(r[1] for r in rows)}, last {max(r[1] for r in rows)}, "
        f"purchase days {len({r[:2] for r in rows})}, active months {len({(r[0], r[1][:6]) for r in rows})}, "
        f"zero amounts {sum(r[3] == 0 for r in rows)}"
    )


def master_pools(rows: list[tuple[str, str, int, Decimal]]) -> dict[tuple[str, str], Decimal]:
    """Illustrative cost per activity and quarter: unit cost × the quarter's driver total."""
    customers, days, months = defaultdict(set), defaultdict(set), defaultdict(set)
    cost: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for customer, day, cds, dollars in rows:
        quarter = f"{day[:4]}-Q{(int(day[4:6]) + 2) // 3}"
        customers[quarter].add(customer)
        days[quarter].add((customer, day))
        months[quarter].add((customer, day[:6]))
        cost["goods", quarter] += MASTER_RATES["goods"] * dollars
        cost["shipping", quarter] += MASTER_RATES["shipping"] * cds
    for quarter in customers:
        cost["order_handling", quarter] = MASTER_RATES["order_handling"] * len(days[quarter])
        cost["account_upkeep", quarter] = MASTER_RATES["account_upkeep"] * len(months[quarter])
        cost["marketing", quarter] = MASTER_RATES["marketing"] * len(customers[quarter])
    return cost


def pools_csv(cost: dict[tuple[str, str], Decimal]) -> bytes:
    """`activity,period,amount`, each rounded to whole tens: budgets look like that."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["activity", "period", "amount"])
    for (activity, period), amount in sorted(cost.items()):
        writer.writerow([activity, period, f"{10 * (amount / 10).quantize(Decimal(1), ROUND_HALF_EVEN):.2f}"])
    return text.getvalue().encode("ascii")


# Portfolio


def portfolio_files(folder: Path) -> dict[str, bytes]:
    """The example's ledger as Parquet."""
    with (folder / "ledger.csv").open(newline="") as text:
        rows = list(csv.DictReader(text))
    money = {name: pa.array([Decimal(row[name]) for row in rows], MONEY) for name in ("amount", "cost")}
    columns = {
        "customer": pa.array([row["customer"] for row in rows], pa.string()),
        "date": pa.array([row["date"] for row in rows], pa.string()).cast(pa.date32()),
        "product": pa.array([row["product"] for row in rows], pa.string()),
        "units": pa.array([int(row["units"]) for row in rows], pa.int64()),
        **money,
    }
    return {"ledger.parquet": parquet(columns)}


# Online Retail


def online_retail_files(ledger: Path) -> dict[str, bytes]:
    """The illustrative pools; prints the control totals on the way."""
    names = ["InvoiceNo", "StockCode", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID"]
    table = pq.read_table(ledger, columns=names)
    columns = [table[name].to_pylist() for name in names if name != "InvoiceDate"]
    months = [str(day)[:7] for day in table["InvoiceDate"].cast(pa.timestamp("us")).cast(pa.date32(), safe=False).to_pylist()]
    invoices, stock_codes, quantities, prices, customers = columns
    # repr gives the shortest decimal that names the float: 2.55, not 2.54999999999999982236431605997495353221893310546875.
    exact = [quantity * Decimal(repr(price)) for quantity, price in zip(quantities, prices, strict=True)]
    amounts = [amount.quantize(CENT, ROUND_HALF_EVEN) for amount in exact]
    lines = list(zip(customers, invoices, stock_codes, quantities, months, amounts, strict=True))
    known = [line for line in lines if line[0] is not None]
    print(f"online_retail exact sum {sum(exact)}, lines that rounding changes {sum(a != b for a, b in zip(exact, amounts))}")
    for name, part in (
        ("all", lines),
        ("with customer", known),
        ("without customer", [line for line in lines if line[0] is None]),
    ):
        for sign, chosen in (
            ("", part),
            (" sales", [line for line in part if line[5] > 0]),
            (" returns", [line for line in part if line[5] < 0]),
            (" zero", [line for line in part if line[5] == 0]),
        ):
            print(f"online_retail {name}{sign}: lines {len(chosen)}, amount {sum(line[5] for line in chosen)}")
    return {"pools.csv": pools_csv(retail_pools(known))}


def retail_pools(lines: list[tuple]) -> dict[tuple[str, str], Decimal]:
    """Illustrative cost per activity and month: unit cost × the month's driver total over lines with a customer."""
    orders, customers = defaultdict(set), defaultdict(set)
    cost: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for customer, invoice, stock_code, quantity, month, amount in lines:
        merchandise = stock_code < "A"
        customers[month].add(customer)
        cost["goods", month] += RETAIL_RATES["goods"] * amount
        if quantity > 0:
            orders[month].add(invoice)
        if quantity > 0 and merchandise:
            cost["picking", month] += RETAIL_RATES["picking"]
            cost["freight", month] += RETAIL_RATES["freight"] * quantity
        if quantity < 0 and merchandise:
            cost["returns_handling", month] += RETAIL_RATES["returns_handling"]
    for month in customers:
        cost["order_handling", month] = RETAIL_RATES["order_handling"] * len(orders[month])
        cost["account_management", month] = RETAIL_RATES["account_management"] * len(customers[month])
    return cost


if __name__ == "__main__":
    sys.exit(main())
