"""One verb at a time in a data directory, so that nothing is computed twice or half seen."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ilpix.disks import told_by_disk
from ilpix.errors import FolderNotWritableError

POLL_S = 0.5

_log = logging.getLogger(__name__)


@contextmanager
def alone_in(data_dir: Path, lock: Path) -> Iterator[None]:
    """Wait until no other run works in a data directory, and keep others out inside the block.

    The lock is the kernel's: it goes with its process, however that ends. On a file system without
    locks runs are not kept apart.

    Args:
        data_dir: for the message.
        lock: a file in it.

    Raises:
        FolderNotWritableError: if that file cannot be made.
    """
    held = FileLock(lock)
    try:
        _acquire(held, data_dir)
        yield
    finally:
        held.release()


def _acquire(held: FileLock, data_dir: Path) -> None:
    try:
        Path(held.lock_file).parent.mkdir(parents=True, exist_ok=True)
        held.acquire(timeout=0)
    except Timeout:
        _log.warning("another run works in %s: waiting for its end", data_dir)
        held.acquire(poll_interval=POLL_S)
    except NotImplementedError:
        _log.warning("%s is on a disk without locks: start one run at a time there", data_dir)
    except OSError as error:
        told = told_by_disk(error, data_dir)
        raise told or FolderNotWritableError(data_dir, error.strerror or str(error)) from error
