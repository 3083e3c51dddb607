#!/usr/bin/env python3
"""Answers of the Python package `pymc-marketing` beside whalecurve's, at whalecurve's own parameters.

    python3 -m venv VENV && VENV/bin/pip install pymc-marketing pyarrow
    VENV/bin/python scripts/peers/pymc_oracle.py WHALECURVE

WHALECURVE is the program (target/release/whalecurve). Each model is fitted by `whalecurve run` to a ledger: the CDNOW sample
for BG/NBD, MBG/NBD, Pareto/NBD and Gamma-Gamma, a generated base of donors for BG/BB, the published cohort of Fader & Hardie
(2007) for sBG. The package is then given these parameters as if it had found them, as its one posterior draw, and is asked for
the log-likelihood of the same histories and for what is expected of every customer. Printed is, by quantity, the largest
difference relative to whalecurve's answer, and the customer count that it was taken over.

The package is a black box here: its answers are compared, nothing is taken from it. Exit code 1 where a difference exceeds its
tolerance: 1e-6, or what rounding to money leaves.
"""

import datetime
import json
import math
import random
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

warnings.filterwarnings("ignore")

import arviz
import numpy
import pandas
import pyarrow
import pyarrow.parquet
import pymc
from pymc_marketing import clv
from pymc_marketing.clv import distributions

ROOT = Path(__file__).resolve().parents[2]
WEEKS = 39
TOLERANCE = 1e-6


def main() -> int:
    program = str(Path(sys.argv[1]).resolve())
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for kind in ("bg_nbd", "mbg_nbd", "pareto_nbd"):
            rows += purchases(program, folder / kind, kind)
        rows += spend(program, folder / "spend")
        rows += opportunities(program, folder / "bg_bb")
        rows += contracts(program, folder / "sbg")
    print(f"pymc-marketing {package_version()}, largest difference relative to whalecurve's answer\n")
    print(f"{'model':<12}{'quantity':<34}{'customers':>10}{'difference':>13}{'tolerance':>12}")
    wrong = 0
    for model, quantity, customers, difference, tolerance in rows:
        mark = "" if difference <= tolerance else "  DIFFERENT"
        wrong += bool(mark)
        print(f"{model:<12}{quantity:<34}{customers:>10,}{difference:>13.2e}{tolerance:>12.0e}{mark}")
    return 1 if wrong else 0


def package_version() -> str:
    from importlib.metadata import version

    return version("pymc-marketing")


def run(program: str, folder: Path, config: str) -> tuple[dict, pandas.DataFrame]:
    """The manifest and `customer_value` of a run in a folder of its own."""
    folder.mkdir(exist_ok=True)
    (folder / "config.yaml").write_text(config)
    command = [program, "run", str(folder / "config.yaml"), "--output", str(folder / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")
    manifest = json.loads((folder / "out" / "run_manifest.json").read_text())
    table = pyarrow.parquet.read_table(str(folder / "out" / "customer_value"))
    return manifest, table.to_pandas()


def relative(ours, theirs) -> float:
    """Largest difference relative to ours, where ours is not nothing."""
    ours, theirs = numpy.broadcast_arrays(numpy.asarray(ours, float).ravel(), numpy.asarray(theirs, float).ravel())
    kept = numpy.abs(ours) > 1e-12
    return float(numpy.max(numpy.abs(theirs[kept] / ours[kept] - 1.0)))


def given(model, parameters: dict):
    """The model with these parameters for its only posterior draw."""
    model.build_model()
    model.idata = arviz.from_dict(posterior={name: [[value]] for name, value in parameters.items()})
    return model


def cdnow(model: str, more: str = "") -> str:
    return f"""
version: 1
currency: KWD
as_of: 1997-09-30
inputs:
  transactions:
    path: {ROOT}/datasets/cdnow/transactions.parquet
    where: "date <= DATE '1997-09-30'"
    columns: {{customer_id: customer_id, date: date, amount: amount}}
forecast: {{model: {model}, time_unit: week, horizon: {WEEKS} weeks, paths: 0{more}}}
"""


def histories(value: pandas.DataFrame) -> pandas.DataFrame:
    return pandas.DataFrame({
        "customer_id": range(len(value)),
        "frequency": value["frequency"].astype(float),
        "recency": value["recency"],
        "T": value["age"],
    })


def purchases(program: str, folder: Path, kind: str) -> list[tuple]:
    manifest, value = run(program, folder, cdnow(kind))
    fit = manifest["fits"][kind]
    parameters, data = fit["parameters"], histories(value)
    pair = numpy.stack([data["recency"], data["frequency"]], axis=1)
    model, distribution = {
        "bg_nbd": (clv.BetaGeoModel, distributions.BetaGeoNBD),
        "mbg_nbd": (clv.ModifiedBetaGeoModel, distributions.ModifiedBetaGeoNBD),
        "pareto_nbd": (clv.ParetoNBDModel, distributions.ParetoNBD),
    }[kind]
    likelihood = pymc.logp(distribution.dist(**parameters, T=data["T"].to_numpy()), pair).eval().sum()
    peer = given(model(data), parameters)
    alive = peer.expected_probability_alive(data)
    expected = peer.expected_purchases(data, future_t=WEEKS)
    n = len(data)
    return [
        (kind, "log-likelihood", n, relative(fit["log_likelihood"], likelihood), TOLERANCE),
        (kind, "P(alive)", n, relative(value["p_alive"], alive), TOLERANCE),
        (kind, f"expected purchases, {WEEKS} weeks", n, relative(value["expected_purchases"], expected), TOLERANCE),
    ]


def spend(program: str, folder: Path) -> list[tuple]:
    """Without cost or discount a customer is worth its expected purchases times its expected spend."""
    manifest, value = run(program, folder, cdnow("mbg_nbd", ", spend: gamma_gamma"))
    fit = manifest["fits"]["gamma_gamma"]
    ours = value["expected_value"].astype(float) / value["expected_purchases"]
    total = exact_totals()
    repeat = (value["frequency"] > 0).to_numpy()
    data = pandas.DataFrame({
        "customer_id": range(int(repeat.sum())),
        "frequency": value["frequency"][repeat].astype(float).to_numpy(),
        "monetary_value": (total[repeat] / value["frequency"][repeat]).astype(float).to_numpy(),
    })
    kept = data["monetary_value"] > 0
    data = data[kept]
    p, q, gamma = (fit["parameters"][name] for name in ("p", "q", "gamma"))
    peer = given(clv.GammaGammaModel(data), {"p": p, "q": q, "v": gamma})
    mean = peer.expected_customer_spend(data)
    # The package's model adds the priors of its parameters; the likelihood of the customers alone is its potential.
    point = {peer.model["p"]: p, peer.model["q"]: q, peer.model["v"]: gamma}
    likelihood = float(sum(potential.sum().eval(point) for potential in peer.model.potentials))
    # Values are rounded to a thousandth: only those of customers who are worth much tell the mean.
    worth = (value["expected_value"].astype(float)[repeat].to_numpy())[kept.to_numpy()]
    clear = worth > 50.0
    found = relative(ours[repeat].to_numpy()[kept.to_numpy()][clear], numpy.asarray(mean).ravel()[clear])
    return [
        ("gamma_gamma", "log-likelihood", len(data), relative(fit["log_likelihood"], likelihood), TOLERANCE),
        ("gamma_gamma", "expected spend", int(clear.sum()), found, 2e-5),
    ]


def exact_totals():
    """Money of the repeat purchase days of every customer of the sample, in the order of their ids."""
    table = pyarrow.parquet.read_table(str(ROOT / "datasets/cdnow/transactions.parquet")).to_pandas()
    table = table[pandas.to_datetime(table["date"]) <= "1997-09-30"]
    table["amount"] = table["amount"].astype(float)
    days = table.groupby(["customer_id", "date"])["amount"].sum().reset_index().sort_values(["customer_id", "date"])
    first = ~days.duplicated("customer_id")
    return days.assign(amount=days["amount"].where(~first, 0.0)).groupby("customer_id")["amount"].sum().to_numpy()


def opportunities(program: str, folder: Path) -> list[tuple]:
    """Donors of one year, drawn from BG/BB, six years after."""
    random.seed(1)
    lines = []
    for donor in range(1500):
        buys, leaves = random.betavariate(1.2, 0.75), random.betavariate(0.66, 2.78)
        lines.append((donor, datetime.date(1995, 6, 1)))
        for year in range(1996, 2002):
            if random.random() < leaves:
                break
            if random.random() < buys:
                lines.append((donor, datetime.date(year, 6, 1)))
    folder.mkdir(exist_ok=True)
    columns = {"c": [line[0] for line in lines], "d": [line[1] for line in lines], "a": [10.0] * len(lines)}
    pyarrow.parquet.write_table(pyarrow.table(columns), str(folder / "t.parquet"))
    manifest, value = run(program, folder, """
version: 1
currency: USD
as_of: 2001-12-31
inputs:
  transactions: {path: t.parquet, columns: {customer_id: c, date: d, amount: a}}
forecast: {model: bg_bb, time_unit: year, horizon: 5 years, paths: 0}
""")
    fit = manifest["fits"]["bg_bb"]
    parameters = fit["parameters"]
    years = pandas.DataFrame(columns).assign(year=[day.year - 1995 for day in columns["d"]])
    repeat = years[years["year"] > 0].groupby("c")["year"]
    frequency = repeat.count().reindex(range(1500), fill_value=0)
    recency = repeat.max().reindex(range(1500), fill_value=0)
    data = pandas.DataFrame({
        "customer_id": range(1500), "frequency": frequency.to_numpy(), "recency": recency.to_numpy(), "T": 6,
    })
    pair = numpy.stack([data["recency"], data["frequency"]], axis=1)
    dist = distributions.BetaGeoBetaBinom.dist(**parameters, T=data["T"].to_numpy())
    likelihood = pymc.logp(dist, pair).eval().sum()
    peer = given(clv.BetaGeoBetaBinomModel(data), parameters)
    # Alive at the last opportunity so far is the package's probability at none to come.
    alive = peer.expected_probability_alive(data, future_t=0)
    expected = peer.expected_purchases(data, future_t=5)
    return [
        ("bg_bb", "log-likelihood", 1500, relative(fit["log_likelihood"], likelihood), TOLERANCE),
        ("bg_bb", "P(alive)", 1500, relative(value["p_alive"], alive), TOLERANCE),
        ("bg_bb", "expected purchases, 5 years", 1500, relative(value["expected_purchases"], expected), TOLERANCE),
    ]


def contracts(program: str, folder: Path) -> list[tuple]:
    """The regular customers of Fader & Hardie (2007), seven years."""
    survivors = [1000, 631, 468, 382, 326, 289, 262, 241]
    lost = [next((year for year, left in enumerate(survivors) if row >= left), None) for row in range(1000)]
    folder.mkdir(exist_ok=True)
    start = datetime.date(2000, 1, 1)
    ends = [None if year is None else datetime.date(1999 + year, 12, 31) for year in lost]
    table = {"c": list(range(1000)), "s": [start] * 1000, "e": ends}
    pyarrow.parquet.write_table(pyarrow.table(table), str(folder / "c.parquet"))
    ledger = {"c": list(range(1000)), "d": [start] * 1000, "a": [10.0] * 1000}
    pyarrow.parquet.write_table(pyarrow.table(ledger), str(folder / "t.parquet"))
    manifest, value = run(program, folder, """
version: 1
currency: EUR
as_of: 2006-12-31
inputs:
  transactions: {path: t.parquet, columns: {customer_id: c, date: d, amount: a}}
  contracts: {path: c.parquet, columns: {customer_id: c, start: s, end: e}}
forecast: {model: beta_geometric, time_unit: year, horizon: 5 years, discount_rate_per_year: 0.10, paths: 0}
""")
    fit = manifest["fits"]["beta_geometric"]
    alpha, beta = (fit["parameters"][name] for name in ("alpha", "beta"))
    dist = distributions.ShiftedBetaGeometric.dist(alpha, beta)
    gone = numpy.array([year for year in lost if year is not None])
    likelihood = pymc.logp(dist, gone).eval().sum() + 241 * math.log(1.0 - math.exp(pymc.logcdf(dist, 7).eval()))
    data = pandas.DataFrame({
        "customer_id": range(1000), "recency": [8 if year is None else year for year in lost], "T": 8, "cohort": "2000",
    })
    model = clv.ShiftedBetaGeoModel(data)
    model.build_model()
    posterior = {name: numpy.array([[[figure]]]) for name, figure in (("alpha", alpha), ("beta", beta))}
    model.idata = arviz.from_dict(posterior=posterior, coords={"cohort": ["2000"]},
                                  dims={"alpha": ["cohort"], "beta": ["cohort"]})
    kept = data[data["recency"] == 8]
    # In the eighth year: seven renewals made. What is paid at the eighth counts in full there, and all is worth what is left of
    # it on the day before it comes up.
    lifetime = model.expected_residual_lifetime(kept, discount_rate=0.10)
    # The renewal of the day after is made and still to be paid.
    next_day = 1.1 ** (-1 / 365.25)
    ours = value["expected_discounted_purchases_for_ever"].to_numpy()[: len(kept)]
    theirs = next_day + 1.1 ** (-366 / 365.25) * numpy.asarray(lifetime, float).ravel()
    retention = model.expected_retention_rate(kept, future_t=0)
    published = (beta + 7) / (alpha + beta + 7)
    return [
        ("sbg", "log-likelihood", 1000, relative(fit["log_likelihood"], likelihood), TOLERANCE),
        ("sbg", "retention in the eighth year", len(kept), relative(published, retention), TOLERANCE),
        ("sbg", "discounted renewals for ever", len(kept), relative(ours, theirs), TOLERANCE),
    ]


if __name__ == "__main__":
    sys.exit(main())
