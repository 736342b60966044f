"""Ctrl-C and its relatives: the command says what is kept, and ends within seconds.

Each signal that asks a program to end is raised as an `Interrupted` in the main thread, once.
Python does so between two steps of that thread, and ends when its threads have; a library that
never comes back hinders both. So a small process of its own is told of signals, by the part of
Python that needs no thread for it (`signal.set_wakeup_fd`). Where the command is still there some
seconds later, it has a thread of the command end it with the exit code of the signal; where a
library holds all threads of Python, it kills the command. Windows has no `fork`: there the thread
is told of signals itself.
"""

import os
import select
import signal
import sys
import threading
import time
from types import FrameType

GRACE_S = 4.0  # removing containers takes three
KILL_S = 0.7  # for the thread that ends the command
NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
ENDING = {int(getattr(signal, name)) for name in NAMES if hasattr(signal, name)}
KEPT = "what was finished is kept, run the same again to go on"
MESSAGE = f"error: something in this command does not come back and was left to its fate; {KEPT}\n"
_asked = threading.Event()


class Interrupted(KeyboardInterrupt):
    """Somebody wants the command to end: Ctrl-C, `kill`, a terminal that was closed."""

    def __init__(self, sign: int) -> None:
        super().__init__(sign)
        self.exit_code = exit_code(sign)


def exit_code(sign: int) -> int:
    """Return how shells count the end by a signal: 130 for Ctrl-C."""
    return 128 + sign


def is_ending() -> bool:
    """Tell whether somebody asked the command to end."""
    return _asked.is_set()


def end_soon_after_signals(grace_s: float = GRACE_S) -> None:
    """Raise signals as `Interrupted`, and see to it that the command ends soon after.

    What is ignored, as `nohup` and shells in the background have it, stays so. Called before there
    are threads.
    """
    told, telling = os.pipe()
    over, waiting_s = told, grace_s
    if sys.platform != "win32":
        over, waiting_s = _start_watching(told, telling, grace_s), 0.0
        os.set_blocking(telling, False)
    threading.Thread(target=_end_when_told, args=(over, waiting_s), daemon=True).start()
    signal.set_wakeup_fd(telling, warn_on_full_buffer=False)
    for sign in ENDING:
        if signal.getsignal(sign) != signal.SIG_IGN:
            signal.signal(sign, _interrupt)


def _interrupt(sign: int, _: FrameType | None) -> None:
    if not _asked.is_set():  # once: impatience must not break off the tidying up
        _asked.set()
        raise Interrupted(sign)


def _end_when_told(over: int, waiting_s: float) -> None:
    if sign := _next_ending(over):
        time.sleep(waiting_s)
        os.write(2, MESSAGE.encode())
        os._exit(exit_code(sign))


def _next_ending(told: int) -> int | None:
    """Wait for a signal that ends; None where nobody can tell of one any more."""
    while received := os.read(told, 1):
        if received[0] in ENDING:
            return received[0]
    return None


if sys.platform != "win32":

    def _start_watching(told: int, telling: int, grace_s: float) -> int:
        """Start the process that watches this one and ends with it; return where it tells."""
        command = os.getpid()
        over, ending = os.pipe()
        if os.fork() == 0:
            os.close(telling)
            os.close(over)
            try:
                _watch(command, told, ending, grace_s)
            finally:
                os._exit(0)
        os.close(told)
        os.close(ending)
        return over

    def _watch(command: int, told: int, ending: int, grace_s: float) -> None:
        os.setsid()  # signals of the terminal are for the command
        sign = _next_ending(told)
        if sign and _is_there(command, told, grace_s):
            os.write(ending, bytes([sign]))
            if _is_there(command, told, KILL_S):
                os.write(2, MESSAGE.encode())
                os.kill(command, signal.SIGKILL)

    def _is_there(command: int, told: int, wait_s: float) -> bool:
        """Wait for the end of the command; tell whether it is still there."""
        end = time.monotonic() + wait_s
        while (left := end - time.monotonic()) > 0 and os.getppid() == command:
            if select.select([told], [], [], left)[0] and not os.read(told, 1):
                return False
        return os.getppid() == command
