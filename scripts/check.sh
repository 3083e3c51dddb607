#!/usr/bin/env bash
# Everything that must hold before a change lands: what .ci/run calls.
#
#   scripts/check.sh
#
# The README's two commands come first, as a user would give them. Nothing here needs more than a Rust toolchain, a C
# compiler and the crate registry; comparisons with other tools are in scripts/bench.sh.
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

step "shell and Python scripts parse"
for script in .ci/run scripts/*.sh; do bash -n "$script"; done
if command -v python3 >/dev/null; then
    for script in scripts/*.py scripts/peers/*.py; do
        python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read(), sys.argv[1])' "$script"
    done
fi
