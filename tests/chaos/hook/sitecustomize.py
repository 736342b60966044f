"""Python imports this at its start: somebody dies amid the work of a process on files.

It counts what the process does with the files of a folder (opening, renaming, removing, making).
Before the operation of a given number the process is killed, or who is meant: no clock decides, and
no program is changed. `CHAOS_FOLDER` is the folder, `CHAOS_WHO` a pattern of the command line,
`CHAOS_MOMENT` the number (0: only count), `CHAOS_MARK` a file that is written once: with the count
at the end, or by the first process that strikes. `CHAOS_VICTIMS` is a file of the numbers of
processes that are killed, 0 for the process itself.
"""

import atexit
import os
import re
import signal
import sys
from pathlib import Path

OPERATIONS = ("open", "os.", "shutil.")


def _begin() -> None:
    folder, moment = os.environ["CHAOS_FOLDER"], int(os.environ["CHAOS_MOMENT"])
    mark, process, count = Path(os.environ["CHAOS_MARK"]), os.getpid(), 0

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal count
        if event.startswith(OPERATIONS) and any(folder in str(item) for item in arguments):
            count += 1
            if count == moment:
                _strike(mark)

    def tell() -> None:
        if os.getpid() == process and moment == 0:
            mark.write_text(str(count))

    atexit.register(tell)
    sys.addaudithook(watch)


def _strike(mark: Path) -> None:
    try:
        os.close(os.open(mark, os.O_CREAT | os.O_EXCL))
    except FileExistsError:  # one is enough
        return
    victims = Path(os.environ["CHAOS_VICTIMS"]).read_text(encoding="ascii").split()
    for victim in victims:
        os.kill(int(victim) or os.getpid(), signal.SIGKILL)


if re.search(os.environ.get("CHAOS_WHO", "$."), " ".join(sys.orig_argv)):
    _begin()
