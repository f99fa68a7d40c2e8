#!/usr/bin/env bash
# Sets up what is missing, then:
#   bash run_all.sh [PRESET] [--run NAME] [--vae.epochs 2 ...]   every stage in order, to the report page
#   bash run_all.sh test [PYTEST OPTIONS]                        ruff, biome and the tests; -m "not slow": some of them
# PRESET: quick (default), laptop_1, laptop_2, laptop, one_pass, dreamt, laptop_v3, report, paper, doom_quick, doom, doom_rounds.
# PYTHON=python3.12 picks another interpreter. DOOM=1 installs ViZDoom too, as the presets of Take Cover do.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
venv=$here/.venv
python=$venv/bin/python

extras=test
case "${DOOM:+doom} $*" in *doom*|*take_cover*) extras=test,doom ;; esac
if [ -e "$venv/.doom" ]; then extras=test,doom; fi  # once installed, kept as new as the rest
stamp="$extras $(cksum "$here/setup.py" "$here/pyproject.toml")"
if [ "$(cat "$venv/.installed" 2>/dev/null)" != "$stamp" ]; then
  echo "setting up $venv (once; some minutes)" >&2
  "${PYTHON:-python3.11}" -m venv "$venv"
  "$python" -m pip install --quiet --disable-pip-version-check --editable "$here[$extras]"
  if [ "$extras" != test ]; then touch "$venv/.doom"; fi
  echo "$stamp" > "$venv/.installed"
fi
export PATH=$venv/bin:$PATH

if [ "${1:-}" = test ]; then
  shift
  cd "$here"
  ruff check .
  ruff format --check .
  biome check .
  exec "$python" -m pytest -n auto --maxprocesses 4 "$@"  # -n 0: all in one process
fi
exec "$python" "$here/replication/pipeline.py" "$@"
