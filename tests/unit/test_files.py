"""Files are there whole or not at all."""

import os
import stat
from pathlib import Path

import pytest

from ilpix.files import replacing, sha256_of, write_text


def test_a_file_appears_whole_in_a_folder_that_is_made_for_it(tmp_path: Path) -> None:
    target = tmp_path / "new" / "deep" / "a.txt"
    with replacing(target) as temporary:
        temporary.write_text("whole")
        assert not target.exists()
    assert target.read_text() == "whole"
    assert list(target.parent.iterdir()) == [target]


def test_after_an_error_the_old_file_is_as_it_was(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(RuntimeError, match="half way"):
        _write_half(target)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_the_temporary_file_has_the_suffix_of_its_target_and_is_hidden(tmp_path: Path) -> None:
    """Programs choose the format by the suffix; `find_images` passes over hidden files."""
    with replacing(tmp_path / "a.ome.tiff") as temporary:
        assert temporary.parent == tmp_path
        assert temporary.name.startswith(".")
        assert temporary.suffix == ".tiff"


def test_others_may_read_the_file_as_far_as_the_umask_allows(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "a.txt", "text")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o640


def test_text_is_written_as_utf_8_with_plain_line_ends(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "µ\n")
    assert (tmp_path / "a.txt").read_bytes() == b"\xc2\xb5\n"


def test_the_digest_is_that_of_the_content(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"abc")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256_of(tmp_path / "a.txt") == known


def _write_half(target: Path) -> None:
    with replacing(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError("half way")
