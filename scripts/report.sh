#!/usr/bin/env bash
# The report in a real browser: accessible by axe-core, nothing overlaps at 360, 1000 and 1600 px, light and dark, nothing is
# asked for and nothing runs.
#
#   scripts/report.sh REPORT.html…
#
#   CHROMIUM    the browser (default: chromium on the PATH)
#   PICTURES    a folder for screenshots and a PDF of each report
#   NPM_FOLDER  where axe-core and playwright-core are installed (default: ~/.cache/whalecurve/npm)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
browser=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}
[[ -n "$browser" ]] || { echo "no Chromium: set CHROMIUM" >&2; exit 69; }
npm=${NPM_FOLDER:-$HOME/.cache/whalecurve/npm}
reports=()
for report in "$@"; do reports+=("$(realpath "$report")"); done
pictures=-
if [[ -n "${PICTURES:-}" ]]; then
    mkdir -p "$PICTURES"
    pictures=$(realpath "$PICTURES")
fi
mkdir -p "$npm"
cd "$npm"
if [[ ! -f .complete ]]; then
    [[ -f package.json ]] || echo '{"private": true}' >package.json
    if ! PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm install --no-audit --no-fund axe-core@4 playwright-core@1 >&2; then
        echo "NOT TESTED: axe-core and playwright-core could not be installed, so nothing is said of the report in a browser" >&2
        exit 0
    fi
    touch .complete
fi
node "$here/report/check.mjs" "$browser" "$pictures" "${reports[@]}"
