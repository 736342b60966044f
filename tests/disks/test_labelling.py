"""A disk that is full while somebody labels: no stroke is lost, nothing is half-written."""

from pathlib import Path

import numpy as np
import pytest

from ilpix.project.labels import read_all_labels
from ilpix.project.reading import read_project
from tests.annotation.screen import Screen, annotating
from tests.annotation.tissue import make_tissue
from tests.deployments.browser import CHROMIUM, browsing
from tests.disks.conftest import Disk

ROOM_BYTES = 2**23
SAVED = "document.getElementById('saved').innerText.startsWith('saved')"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is not installed"),
]


def said(element: str, text: str) -> str:
    return f"document.getElementById('{element}').innerText.includes('{text}')"


def test_strokes_wait_on_the_page_until_the_disk_has_room(disk: Disk, tmp_path: Path) -> None:
    """A stroke that could not be kept was gone, and the page showed what was before it."""
    project = make_tissue(disk.folder / "tissue")
    before = project.read_bytes()
    with (
        annotating(project.parent) as server,
        browsing(tmp_path / "profile") as page,
    ):
        screen = Screen(page)
        screen.open(server.address)
        disk.leave(0)
        screen.stroke(1, (20.5, 20.5), (60.5, 20.5))
        screen.stroke(2, (20.5, 40.5), (60.5, 40.5))
        page.wait_for(said("progress", "not kept: 2 strokes wait, the disk takes nothing"))
        assert "No space left on device" in screen.text("notices")
        painted = screen.shown_labels()
        assert set(np.unique(painted)) == {0, 1, 2}
        assert not screen.labels().any()
        disk.leave(ROOM_BYTES)
        screen.wait_until_kept()
        np.testing.assert_array_equal(screen.labels(), painted)
        page.wait_for(f"!{said('notices', 'No space left')}")
        disk.leave(0)
        screen.push("save")
        page.wait_for(said("notices", "is full: No space left on device"))
        assert project.read_bytes() == before
        disk.leave(ROOM_BYTES)
        screen.push("save")
        page.wait_for(SAVED)
    np.testing.assert_array_equal(read_all_labels(read_project(project))[0], painted)
    assert not list(disk.folder.rglob(".ilpix-*"))
