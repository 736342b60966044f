"""Prefect and Ray report nothing to their makers.

Prefect would on a terminal as soon as it is imported, Ray when it starts.
"""

import os

os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
