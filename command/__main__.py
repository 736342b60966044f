"""Start `ilpix`: everything that takes seconds begins before anything else is imported.

Importing Prefect and the flows takes seconds, and so does the start of Prefect's temporary server.
They go on at the same time, the kernels are loaded while the server is waited for, and Python looks
for garbage only when all of it is there: among a million new objects it finds none.
"""

import atexit
import gc
import os
import sys
from threading import Thread

import tasks.environment  # noqa: F401 - before a server is started
from command.ending import end_soon_after_signals
from command.server import TemporaryServer
from ilpix.rooms import HiddenRoomError, require_own_rooms

SERVED = frozenset({"prepare", "train", "run", "fix", "classify", "demo"})  # keep records of runs
COMPUTING = frozenset({"train", "run", "classify", "demo"})


def main() -> None:
    """Run the command line with a temporary server, where it needs one and none is set."""
    try:
        require_own_rooms()
    except HiddenRoomError as error:
        sys.exit(f"error: {error}")
    gc.disable()
    end_soon_after_signals()
    verb = next(iter(sys.argv[1:]), "")
    # settings may name a server in files as well; reading those takes longer than it is worth here
    is_alone = verb in SERVED and not os.environ.get("PREFECT_API_URL")
    server = TemporaryServer() if is_alone else None
    from command import cli, quiet_prefect  # noqa: PLC0415 - takes seconds, as the server does
    from tasks.engines import load_kernels  # noqa: PLC0415 - as above

    if server and quiet_prefect.has_server():
        server.stop()
    elif server:
        quiet_prefect.own_server.set(server.wait)
        if verb in COMPUTING:
            Thread(target=load_kernels).start()
    gc.freeze()
    gc.enable()
    atexit.register(gc.freeze)  # or the interpreter's end would look through everything
    cli.main()


if __name__ == "__main__":
    main()
