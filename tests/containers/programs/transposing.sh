#!/bin/sh
exec /opt/ilpix/run_ilastik.sh "$@" --output_axis_order=cyx
