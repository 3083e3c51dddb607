#!/usr/bin/env bash
# Runs every example of examples/ on the main job.
#
#   scripts/examples.sh
#
#   WHALECURVE         binary (default: built here)
#   WHALECURVE_VENV    Python environment of DuckDB and dbt (default ~/.cache/whalecurve/venv-examples)
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/venv.sh

say() { echo "== $*" >&2; }

venv=${WHALECURVE_VENV:-$HOME/.cache/whalecurve/venv-examples}
make_venv "$venv" "${PYTHON:-python3}" 'duckdb==1.4.*' 'dbt-core<1.12' dbt-duckdb

if [[ -z ${WHALECURVE:-} ]]; then
    cargo build --release --locked --bin whalecurve >&2
    target=$(cargo metadata --format-version 1 --no-deps --offline |
        "$venv/bin/python" -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')
    WHALECURVE=$target/release/whalecurve
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
output=$scratch/sample

say "an orchestrator's call"
digest=$("$venv/bin/python" examples/orchestrator.py datasets/cdnow/whalecurve.yaml "$output" --whalecurve "$WHALECURVE" |
    "$venv/bin/python" -c 'import json, sys; print(json.load(sys.stdin)["result_digest"])')
[[ ${#digest} -eq 64 ]]
if "$venv/bin/python" examples/orchestrator.py absent.yaml "$output" --whalecurve "$WHALECURVE" 2>"$scratch/refused"; then
    echo "a config that is not there must fail" >&2
    exit 1
fi
grep -q "not worth a retry" "$scratch/refused"

say "SIGTERM, as an orchestrator sends it"
"$WHALECURVE" generate --customers 20000 --transactions 200000 "$scratch/company" >/dev/null 2>&1
"$WHALECURVE" run "$scratch/company/whalecurve.yaml" --output "$scratch/killed" >/dev/null 2>&1 &
run=$!
sleep 0.3
kill -TERM "$run"
code=0
wait "$run" || code=$?
[[ $code -eq 143 && ! -e $scratch/killed ]]

say "a DuckDB session"
(cd "$output" && "$venv/bin/python" - "$OLDPWD/examples/session.sql" <<'PYTHON'
import sys, duckdb
for statement in duckdb.extract_statements(open(sys.argv[1]).read()):
    rows = duckdb.execute(statement).fetchall()
    assert rows and all(value is not None for row in rows for value in row), statement.query
    print(rows)
PYTHON
) >&2

say "a dbt project: models, and tests of sources and models"
export WHALECURVE_OUTPUT=$output WHALECURVE_DBT_DATABASE=$scratch/example.duckdb DBT_SEND_ANONYMOUS_USAGE_STATS=false
"$venv/bin/dbt" build --project-dir examples/dbt --profiles-dir examples/dbt --target-path "$scratch/dbt" --log-path "$scratch/dbt-log" >"$scratch/dbt.log" 2>&1 ||
    { cat "$scratch/dbt.log" >&2; exit 1; }
grep -q "ERROR=0" "$scratch/dbt.log"
tail -3 "$scratch/dbt.log" >&2

say "a line for cron"
mkdir -p "$scratch/whalecurve"
sed "s|^output: .*|output: $scratch/whalecurve/results|; s|path: transactions.parquet|path: $PWD/datasets/cdnow/transactions.parquet|" \
    datasets/cdnow/whalecurve.yaml >"$scratch/whalecurve/whalecurve.yaml"
line=$(grep -v '^#' examples/crontab | cut -d' ' -f6-)
HOME=$scratch PATH=$(dirname "$WHALECURVE"):$PATH sh -c "$line"
grep -q '"status": "succeeded"' "$scratch/whalecurve/last.json"
grep -q "$digest" "$scratch/whalecurve/results.ndjson"
say "every example ran"
