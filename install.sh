#!/bin/sh
# Makes the environment that everything runs in. `make run`, `make test` and the Dockerfile call this script.
#
#   ./install.sh          what serving takes; the package stays in this checkout
#   ./install.sh dev      that, and what tests and checks take
#   ./install.sh image    what serving takes, the package as a wheel, and nothing that installs or builds
#
# PYTHON names the interpreter (python3), VENV the environment (.venv). Every package comes by its hash.
set -eu
cd "$(dirname "$0")"
kind=${1:-run}
python=${PYTHON:-python3}
venv=${VENV:-.venv}
case $kind in
  run | dev | image) ;;
  *)
    echo "install.sh takes run, dev or image, not $kind" >&2
    exit 2
    ;;
esac
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore

new_venv() {
  [ -f "$1/pyvenv.cfg" ] || "$python" -m venv "$1" || { rm -rf "$1"; exit 1; }
}

install_into() {
  place=$1
  shift
  "$place/bin/python" -m pip install --quiet "$@"
}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "Python 3.11 or newer is needed (PYTHON=…)" >&2
  exit 1
}
new_venv "$venv"
case $kind in
  run)
    install_into "$venv" --require-hashes -r requirements.txt -r requirements-build.txt
    install_into "$venv" --no-deps --no-build-isolation -e .
    ;;
  dev)
    install_into "$venv" --require-hashes -r requirements-dev.txt
    install_into "$venv" --no-deps --no-build-isolation -e .
    ;;
  image)
    builder=$(mktemp -d)
    new_venv "$builder/venv"
    install_into "$builder/venv" --require-hashes -r requirements-build.txt
    "$builder/venv/bin/python" -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir "$builder" .
    install_into "$venv" --require-hashes -r requirements.txt
    install_into "$venv" --no-deps "$builder"/*.whl
    "$venv/bin/python" -m pip uninstall --quiet --yes pip
    rm -rf "$builder"
    ;;
esac
