"""How a task says what it is busy with to the run that waits for it.

The `ContextVar` travels into the threads of the run, as that of `stopping` does; in another process
nobody listens.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from ilpix.training.phases import Phase, Tell, tell_nobody
from tasks.stopping import stop_if_asked

_listener: ContextVar[Tell] = ContextVar("ilpix_listener", default=tell_nobody)


@contextmanager
def listening(tell: Tell) -> Iterator[None]:
    """Let the tasks that are submitted inside the block tell their phases."""
    token = _listener.set(tell)
    try:
        yield
    finally:
        _listener.reset(token)


def tell_phase(phase: Phase) -> None:
    """Say what begins now.

    Raises:
        StoppedError: if the surrounding run is being stopped.
    """
    stop_if_asked()
    _listener.get()(phase)
