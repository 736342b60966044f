"""A digest is remembered only for a file that did not change, whatever is set back."""

import os
from pathlib import Path

import pytest

from ilpix.files import sha256_of
from tasks import digests
from tasks.digests import DigestMemo


def test_a_file_altered_in_place_is_noticed_although_size_and_time_are_set_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Size, time of change and inode were the same, and the output counted as it had been."""
    monkeypatch.setattr(digests, "SETTLED_S", -1.0)  # remembered at once
    memo, path = DigestMemo(tmp_path / "digests"), tmp_path / "a.tiff"
    path.write_bytes(b"first")
    first, before = memo.digest(path), path.stat()
    path.write_bytes(b"other")
    while path.stat().st_ctime_ns == before.st_ctime_ns:  # within one tick of the clock
        path.write_bytes(b"other")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert memo.digest(path) == sha256_of(path) != first
    assert len(list((tmp_path / "digests").iterdir())) == 1
