#!/bin/sh
# Takes Ilastik's headless command line. The image brings compiled code for two kinds of processor; numba uses no
# cache on a read-only file system, so it is copied to where it may be written.
set -eu
if grep -qw avx2 /proc/cpuinfo && grep -qw fma /proc/cpuinfo; then
  NUMBA_CPU_NAME=x86-64-v3
else
  NUMBA_CPU_NAME=x86-64
fi
export NUMBA_CPU_NAME NUMBA_CACHE_DIR="${TMPDIR:-/tmp}/ilpix-numba-$(id -u)"
[ -d "$NUMBA_CACHE_DIR" ] || cp -r "/opt/ilpix/numba/$NUMBA_CPU_NAME" "$NUMBA_CACHE_DIR"
export PYTHONPATH=/opt/ilpix/app:/opt/ilpix/lib PYTHONDONTWRITEBYTECODE=1
exec python3 -m containers.headless.cli "$@"
