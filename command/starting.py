"""Get Prefect ready: the import of it and of the flows, and a temporary server where none is named.

Both take seconds and go on at the same time; the kernels are loaded while the server is waited for.
Python looks for garbage only when all of it is there: among a million new objects it finds none.
"""

import gc
import os
import sys
from importlib import import_module
from threading import Thread

from command.server import TemporaryServer
from flows.running.reaching import require_server

COMPUTING = frozenset({"train", "run", "classify", "demo"})


def start_prefect(verb: str) -> None:
    """Import what the flow of a verb needs, and start its server; a second call costs nothing."""
    if "flows.classify" in sys.modules:
        return
    gc.disable()
    # settings may name a server in files as well; reading those takes longer than it is worth here
    server = None
    if address := os.environ.get("PREFECT_API_URL"):
        require_server(address)
    else:
        server = TemporaryServer()
    import_module("flows.classify")  # takes seconds, as the server does
    from flows.running import quiet  # noqa: PLC0415 - imports Prefect
    from tasks.engines import load_kernels  # noqa: PLC0415 - compiles

    if server and quiet.has_server():
        server.stop()
    elif server:
        quiet.own_server.set(server.wait)
        if verb in COMPUTING:
            Thread(target=load_kernels).start()
    gc.freeze()
    gc.enable()
