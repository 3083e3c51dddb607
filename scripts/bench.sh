#!/usr/bin/env bash
# Side by side with peers, on a generated ledger: facts (DuckDB), fits (lifetimes), simulation, the whole job, portfolio and
# decisions; and allocation (DuckDB) on ledgers of its own.
#
#   scripts/bench.sh [TRANSACTIONS [CUSTOMERS]]        default 10000000 1000000
#
# Both sides take turns, RUNS times (default 3), on the same two CPUs; medians and ratios go to stdout as Markdown, talk to
# stderr. Exit code 1 when the two sides differ in their answer.
#
#   WHALECURVE_VENV    Python environments of the peers (default ~/.cache/whalecurve/venv, and …/venv-lifetimes)
#   WHALECURVE_BENCH   generated ledger and measurements (default ~/.cache/whalecurve/bench)
#   PYTHON             Python for DuckDB (default python3)
#   PYTHON_LIFETIMES   Python 3.10 or 3.11 for lifetimes, which needs numpy 1; without one its fits are not measured
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/venv.sh

transactions=${1:-10000000}
customers=${2:-1000000}
runs=${RUNS:-3}
threads=2
python=${PYTHON:-python3}
venv=${WHALECURVE_VENV:-$HOME/.cache/whalecurve/venv}
bench=${WHALECURVE_BENCH:-$HOME/.cache/whalecurve/bench}
ledger=$bench/ledger-$transactions-$customers-seed1
results=$bench/results

say() { echo "bench: $*" >&2; }

# The first Python 3.10 or 3.11 there is; nothing when there is none.
find_lifetimes_python() {
    local candidate
    for candidate in ${PYTHON_LIFETIMES:-python3.11 python3.10 "$python"}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 10), (3, 11)))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
}

# On machines with more cores, hold every process to the same two.
pin=()
if command -v taskset >/dev/null && taskset -c 0-$((threads - 1)) true 2>/dev/null; then
    pin=(taskset -c "0-$((threads - 1))")
fi
export PYTHONDONTWRITEBYTECODE=1
# Decoders as many as the engine takes by itself on that many cores.
export RAYON_NUM_THREADS=$threads POLARS_MAX_THREADS=$(((threads + 1) / 2)) OMP_NUM_THREADS=$threads OPENBLAS_NUM_THREADS=$threads

make_venv "$venv" "$python" 'duckdb==2.0.*'
lifetimes_python=$(find_lifetimes_python)
if [[ -n $lifetimes_python ]]; then
    make_venv "$venv-lifetimes" "$lifetimes_python" 'lifetimes==0.11.3' 'numpy==1.26.*' 'pandas==1.5.*' 'pyarrow==19.*'
else
    say "no Python 3.10 or 3.11: the fits of lifetimes are not measured"
fi

say "building"
cargo build --release --locked --bin whalecurve >&2
target=$(cargo metadata --format-version 1 --no-deps --offline |
    "$venv/bin/python" -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')
whalecurve=$target/release/whalecurve

mkdir -p "$bench"
if [[ ! -d $ledger ]]; then
    say "generating $transactions transactions of $customers customers"
    rm -rf "$ledger.part"
    "$whalecurve" generate --customers "$customers" --transactions "$transactions" --seed 1 "$ledger.part" >&2
    mv "$ledger.part" "$ledger"
fi

rm -rf "$results"
mkdir -p "$results"

# measure NAME RUN COMMAND…: one process, its JSON kept.
measure() {
    local name=$1 run=$2
    shift 2
    say "$name, run $run of $runs"
    "${pin[@]}" "$@" >"$results/$name-$run.json"
}

# whole NAME RUN CONFIG OUTPUT: one run of the engine from a fresh output folder, with the wall time of its process.
whole() {
    local name=$1 run=$2 config=$3 output=$4 begin end
    say "$name, run $run of $runs"
    rm -rf "$output"
    begin=$EPOCHREALTIME
    "${pin[@]}" "$whalecurve" run "$config" --output "$output" --threads "$threads" >/dev/null 2>"$results/$name-$run.log"
    end=$EPOCHREALTIME
    # The decimal mark follows the locale; digits alone are microseconds.
    "$venv/bin/python" scripts/peers/whalecurve_run.py "$output" "$(((${end//[!0-9]/} - ${begin//[!0-9]/}) / 1000))e-3" \
        >"$results/$name-$run.json"
}

# The peers aggregate the ledger by customer, with its product costs, and nothing else; so does this config.
cat >"$ledger/facts.yaml" <<YAML
version: 1
name: Facts alone
currency: EUR
outputs: [customer_profit, customer_profit_total, customer_value, input_balance]
inputs:
  transactions:
    path: transactions
    columns:
      customer_id: customer_id
      date: date
      order_id: order_id
      amount: amount
      quantity: quantity
      discount: discount
      product_id: product_id
  products: {path: products, columns: {product_id: product_id, unit_cost: unit_cost}}
YAML

for run in $(seq "$runs"); do
    whole facts-whalecurve "$run" "$ledger/facts.yaml" "$bench/output-facts"
    # The summary is written after the clock has stopped.
    measure facts-duckdb "$run" "$venv/bin/python" scripts/peers/duckdb_facts.py "$ledger" --threads "$threads" \
        --summary "$bench/summary.parquet"
done
for run in $(seq "$runs"); do
    whole run-whalecurve "$run" "$ledger/whalecurve.yaml" "$bench/output"
    if [[ -n $lifetimes_python ]]; then
        measure fit-lifetimes "$run" "$venv-lifetimes/bin/python" scripts/peers/lifetimes_fit.py "$bench/summary.parquet"
    fi
done

"$venv/bin/python" scripts/peers/portfolio_tables.py "$ledger"
for run in $(seq "$runs"); do
    whole portfolio-whalecurve "$run" "$ledger/portfolio.yaml" "$bench/output-portfolio"
done

"$venv/bin/python" scripts/peers/table.py "$results"

say "allocation"
"${pin[@]}" "$venv/bin/python" scripts/peers/allocation.py bench "$whalecurve" "$bench/allocation" --runs "$runs"
