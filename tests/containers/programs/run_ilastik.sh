#!/bin/sh
exec /opt/ilpix/run_ilastik.sh "$@"
