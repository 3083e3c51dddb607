#!/usr/bin/env bash
# All that CI runs: the README's test command first, then format.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo test --release
cargo fmt --check
