# Sourced by the scripts that need Python packages.

# make_venv FOLDER PYTHON PACKAGE…: an environment with these packages, made once; fails where it cannot be made. A mark
# written last tells a complete environment from an interrupted one.
make_venv() {
    local folder=$1 base=$2
    shift 2
    if [[ "$(cat "$folder/.packages" 2>/dev/null)" == "$*" ]]; then
        return
    fi
    echo "installing $*" >&2
    rm -rf "$folder" &&
        "$base" -m venv "$folder" >&2 &&
        "$folder/bin/pip" install --quiet --disable-pip-version-check "$@" >&2 &&
        echo "$*" >"$folder/.packages"
}
