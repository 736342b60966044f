#!/bin/sh
exec python3 -c "bytearray(8 << 30)"
