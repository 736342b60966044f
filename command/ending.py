"""The command ends soon after a signal, whatever its threads are in.

Python handles a signal between two steps of its main thread, and ends when its threads have. A
library that never comes back hinders both. So a small process of its own is told of signals, by the
part of Python that needs no thread for it (`signal.set_wakeup_fd`), and kills the command where it
is still there some seconds later.
"""

import os
import select
import signal
import time

GRACE_S = 10.0  # removing containers takes four
ENDING = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
MESSAGE = "error: something in this command never comes back; it was killed\n"


def end_soon_after_signals(grace_s: float = GRACE_S) -> None:
    """Start the process that watches this one; it ends with it. Called before there are threads."""
    command = os.getpid()
    told, telling = os.pipe()
    if os.fork() == 0:
        os.close(telling)
        try:
            _watch(command, told, grace_s)
        finally:
            os._exit(0)
    os.close(told)
    os.set_blocking(telling, False)
    signal.set_wakeup_fd(telling, warn_on_full_buffer=False)


def _watch(command: int, told: int, grace_s: float) -> None:
    os.setsid()  # signals of the terminal are for the command
    while not ENDING.intersection(received := os.read(told, 1)):
        if not received:  # the command has ended
            return
    end = time.monotonic() + grace_s
    while (left := end - time.monotonic()) > 0 and os.getppid() == command:
        if select.select([told], [], [], left)[0] and not os.read(told, 1):
            return
    if os.getppid() == command:
        os.write(2, MESSAGE.encode())
        os.kill(command, signal.SIGKILL)
