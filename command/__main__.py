"""Start `ilpix`: nothing that takes seconds is imported before the words of a command are right."""

import atexit
import gc
import io
import sys
from contextlib import suppress

import tasks.environment  # noqa: F401 - before a server is started
from command.ending import KEPT, Interrupted, end_soon_after_signals
from ilpix.rooms import HiddenRoomError, require_own_rooms


def main() -> None:
    """Run the command line."""
    _print_any_name()
    try:
        require_own_rooms()
    except HiddenRoomError as error:
        sys.exit(f"error: {error}")
    end_soon_after_signals()
    atexit.register(gc.freeze)  # or the interpreter's end would look through everything
    try:
        gc.disable()  # imports leave no garbage, and looking for it takes a quarter of their time
        from command import cli  # noqa: PLC0415 - after the rooms are known to be our own

        gc.enable()
        cli.main()
    except Interrupted as interrupted:
        with suppress(OSError):  # the terminal may be gone
            print(f"interrupted; {KEPT}", file=sys.stderr, flush=True)
        sys.exit(interrupted.exit_code)


def _print_any_name() -> None:
    """Let a console that lacks a character show its number, where Python would end the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    main()
