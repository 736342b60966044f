#!/bin/sh
# needs more memory than a small limit allows, and says nothing about it
if [ "$LAZYFLOW_TOTAL_RAM_MB" -lt 700 ]; then
  exec python3 -c "bytearray(2 << 30)"
fi
exec /opt/ilpix/run_ilastik.sh "$@"
