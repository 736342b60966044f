"""Let a signal end a run in order: what runs is removed before the process goes."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    """Within the block SIGTERM and SIGHUP set `stop` and raise `SystemExit` in the main thread.

    Their default is to end the process at once, without any clean-up. Outside the main thread,
    where signals cannot be caught, and for signals that somebody else catches already, nothing
    changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        del frame
        stop.set()
        raise SystemExit(128 + number)

    caught = [s for s in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(s) is signal.SIG_DFL]
    for sign in caught:
        signal.signal(sign, end)
    try:
        yield
    finally:
        for sign in caught:
            signal.signal(sign, signal.SIG_DFL)
