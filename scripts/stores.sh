#!/usr/bin/env bash
# Inputs and outputs in object stores, against emulators: moto for S3 (conditional writes are enforced) and azurite for Azure.
#
#   scripts/stores.sh
#
#   WHALECURVE           binary (default: built here)
#   WHALECURVE_STORES    folder of the Python environment and of azurite (default ~/.cache/whalecurve/stores)
#   PYTHON               Python (default python3)
#
# Google Cloud Storage is not tested, and not built: there is no faithful emulator.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/venv.sh

folder=${WHALECURVE_STORES:-$HOME/.cache/whalecurve/stores}
mkdir -p "$folder"
if ! make_venv "$folder/venv" "${PYTHON:-python3}" 'moto[server]' 'duckdb==1.4.*' azure-storage-blob; then
    echo "NOT TESTED: no Python environment with moto could be made, so nothing is said of object stores" >&2
    exit 0
fi

if [[ ! -e $folder/azurite/.complete ]]; then
    if command -v npm >/dev/null && npm install --silent --no-audit --no-fund --prefix "$folder/azurite" azurite >&2; then
        touch "$folder/azurite/.complete"
    else
        echo "NOT TESTED: azurite could not be installed, so nothing is said of Azure" >&2
    fi
fi

if [[ -z ${WHALECURVE:-} ]]; then
    cargo build --release --locked --bin whalecurve >&2
    target=$(cargo metadata --format-version 1 --no-deps --offline |
        "$folder/venv/bin/python" -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')
    WHALECURVE=$target/release/whalecurve
fi
PYTHONDONTWRITEBYTECODE=1 "$folder/venv/bin/python" scripts/peers/stores.py "$WHALECURVE" "$folder/azurite/node_modules/.bin/azurite-blob"
