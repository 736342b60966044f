"""How a run that is cancelled, interrupted or failed reaches the work in its threads.

Prefect cannot interrupt a thread. A flow body inside `stopping_on_error` sets an event when it is
left by an error, Ctrl-C or a cancellation, and tasks submitted from it look at the event before
they start and while they work: the `ContextVar` travels with them into their threads.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Event
from typing import TypeVar

from ilpix.prediction.errors import StoppedError

Piece = TypeVar("Piece")

_stop: ContextVar[Event | None] = ContextVar("ilpix_stop", default=None)


@contextmanager
def stopping_on_error() -> Iterator[None]:
    """Tell all work submitted inside the block to stop when the block is left by any exception."""
    event = Event()
    token = _stop.set(event)
    try:
        yield
    except BaseException:
        event.set()
        raise
    finally:
        _stop.reset(token)


def stop_event() -> Event:
    """Return the event of the surrounding run; outside a run, one that nobody sets."""
    return _stop.get() or Event()


def stop_if_asked() -> None:
    """Raise if the surrounding run is being stopped.

    Raises:
        StoppedError: then.
    """
    if stop_event().is_set():
        raise StoppedError


def until_asked_to_stop(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Yield pieces of work until the surrounding run is being stopped.

    Raises:
        StoppedError: then.
    """
    for piece in pieces:
        stop_if_asked()
        yield piece
