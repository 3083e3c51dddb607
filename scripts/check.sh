#!/usr/bin/env bash
# Everything that must hold before a change lands: what .ci/run calls.
#
#   scripts/check.sh
#
# The README's two commands come first, as a user would give them. Nothing here needs more than a Rust toolchain, a C
# compiler and the crate registry; where Python and PyPI are there too, cost is held against DuckDB. Other comparisons with
# tools of the kind are in scripts/bench.sh.
#
#   PYTHON    Python for DuckDB (default python3)
set -euo pipefail
cd "$(dirname "$0")/.."

step() { echo "== $*" >&2; }

step "the README's test command"
cargo test --release

step "a run that dies or fails at every place of its commit"
cargo test --release --features faults --test it faults

step "the README's main job"
output=$(mktemp -d)
trap 'rm -rf "$output"' EXIT
cargo run --release -- run datasets/cdnow/whalecurve.yaml --output "$output/sample"
cargo run --release -- verify "$output/sample"

step "format"
cargo fmt --check

step "lints, on all targets, with and without the engine"
cargo clippy --all-targets --locked -- -D warnings
cargo clippy --all-targets --no-default-features --locked -- -D warnings

step "documentation without warnings"
RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --locked

step "cost against DuckDB's HUGEINT on random data, to the cent"
target=${CARGO_TARGET_DIR:-target}
# Beside the target directory, so that a second run installs nothing.
venv=$(dirname "$target")/venv-differential
[[ -n "${CARGO_TARGET_DIR:-}" ]] || venv=$target/venv-differential
if [[ ! -e "$venv/.complete" ]]; then
    rm -rf "$venv"
    if "${PYTHON:-python3}" -m venv "$venv" && "$venv/bin/pip" install --quiet --disable-pip-version-check duckdb >&2; then
        touch "$venv/.complete"
    fi
fi
if [[ -e "$venv/.complete" ]]; then
    PYTHONDONTWRITEBYTECODE=1 "$venv/bin/python" scripts/peers/allocation.py differential "$target/release/whalecurve"
else
    echo "NOT TESTED: no Python environment with duckdb could be made in $venv: cost was not held against DuckDB" >&2
fi

step "shell and Python scripts parse"
for script in .ci/run scripts/*.sh; do bash -n "$script"; done
if command -v python3 >/dev/null; then
    for script in scripts/*.py scripts/peers/*.py; do
        python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read(), sys.argv[1])' "$script"
    done
fi
