"""New HDF5 files, on disks that may be full.

HDF5 (2.0 and before) keeps a file whose last writes failed, tries them again when the program ends,
and takes the program down with it. So what is small is made in memory, which gives the same bytes;
and what is large gets memory to end in.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile

import h5py

from ilpix.disks import telling_disks

_IN_MEMORY = {"driver": "core", "backing_store": False, "block_size": 2**20}


@contextmanager
def new_hdf5(path: Path) -> Iterator[h5py.File]:
    """Yield a new file in memory, which is written when the block ends well.

    Raises:
        DiskFullError: if there is no room for it.
    """
    with h5py.File(path, "w", libver="earliest", **_IN_MEMORY) as file:
        yield file
        _store(file, path)


@contextmanager
def changing_hdf5(path: Path) -> Iterator[h5py.File]:
    """Yield a file in memory, which is written over the file on disk when the block ends well.

    Raises:
        DiskFullError: if there is no room for the changes; the file is lost then.
    """
    with h5py.File(path, "r+", **_IN_MEMORY) as file:
        yield file
        _store(file, path)


@contextmanager
def new_large_hdf5(path: Path) -> Iterator[h5py.File]:
    """Yield a new file on disk.

    Raises:
        DiskFullError: if there is no room for it.
    """
    with telling_disks(path.parent), h5py.File(path, "w", libver="earliest") as file:
        try:
            yield file
            file.flush()
        except BaseException:
            _let_end_in_memory(file)
            raise


def _store(file: h5py.File, path: Path) -> None:
    file.flush()
    with telling_disks(path.parent):
        path.write_bytes(file.id.get_file_image())


def _let_end_in_memory(file: h5py.File) -> None:
    """Let what is still to be written to a file that failed go elsewhere."""
    handle = file.id.get_vfd_handle()
    if hasattr(os, "memfd_create"):
        spare = os.memfd_create("ilpix")
        os.dup2(spare, handle)
        os.close(spare)
    else:
        with TemporaryFile() as elsewhere:
            os.dup2(elsewhere.fileno(), handle)
