"""Labelling as a person does it: a real server, a real browser, a real mouse."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
import tifffile

from annotation.session import Session
from ilpix.project.labels import read_all_labels
from ilpix.project.reading import read_project
from tests.annotation.screen import REPOSITORY, Screen, annotating
from tests.annotation.tissue import truth_of
from tests.deployments.browser import CHROMIUM, browsing

SAVED = "document.getElementById('saved').innerText.startsWith('saved')"
CROP = "document.body.dataset.crop"
ENOUGH = 0.8  # of all pixels, from a few short lines

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is not installed"),
]


@pytest.fixture(scope="module")
def screen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screen]:
    with browsing(tmp_path_factory.mktemp("profile")) as page:
        yield Screen(page)


@pytest.fixture
def opened(screen: Screen, tissue: Path) -> Iterator[Screen]:
    """The page of a project without labels."""
    with annotating(tissue) as server:
        screen.open(server.address)
        yield screen
        assert screen.page.problems == []
        screen.leave()


@pytest.fixture
def pictures(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where pictures of the page go: the folder of --pictures, else nowhere that stays."""
    return request.config.getoption("--pictures") or tmp_path


def says(element: str, text: str) -> str:
    """Whether an element says something, in JavaScript."""
    return f"document.getElementById('{element}').innerText.includes('{text}')"


def test_strokes_become_a_classifier_that_predicts_the_same(
    opened: Screen, tissue: Path, project: Path
) -> None:
    """Paint, look, save, and `ilpix run`: its probabilities are those on the screen."""
    opened.label_tissue(truth_of(tissue, 0))
    opened.wait_for_prediction()
    planes, classes = opened.prediction()
    assert np.mean(classes == truth_of(tissue, 0)) > ENOUGH
    opened.push("save")
    opened.page.wait_for(SAVED)
    assert "is kept as pixel_classifier.ilp.bak" in opened.text("notices")
    np.testing.assert_array_equal(read_all_labels(read_project(project))[0], opened.shown_labels())

    command = ["run", "-C", str(tissue), "--img", "ilastik_crops", "--probabilities", "crops_out"]
    subprocess.run([sys.executable, "-m", "command", *command], cwd=REPOSITORY, check=True)
    stored = tifffile.imread(tissue / "crops_out" / "region_1_x10_y20_w160_h160.tiff")
    np.testing.assert_array_equal(classes, stored.argmax(axis=2) + 1)
    np.testing.assert_array_equal(np.moveaxis(planes, 0, 2), np.rint(stored / 65535 * 255))


def test_what_is_painted_is_what_is_kept(opened: Screen) -> None:
    """One pixel wide, thick, straight, filled, erased, by mouse and by keys alone."""
    for _ in range(2):
        opened.page.press("[")
    opened.stroke(1, (10.5, 20.5), (15.5, 20.5))
    for _ in range(3):
        opened.page.press("]")
    opened.stroke(2, (40.5, 40.5), (60.5, 40.5))
    opened.page.press("f")
    opened.stroke(3, (80, 80), (120, 80), (120, 120), (80, 120))
    opened.page.press("b")
    opened.stroke(3, (90.5, 100.5), (92.5, 100.5), button="right")
    opened.wait_until_kept()
    labels = opened.labels()
    assert labels[20, 9:18].tolist() == [0, 1, 1, 1, 1, 1, 1, 0, 0]
    assert labels[38:43, 50].tolist() == [2] * 5
    assert labels[37, 50] == labels[43, 50] == 0
    assert labels[82:118, 82:86].min() == 3
    assert labels[100, 91] == 0
    np.testing.assert_array_equal(opened.shown_labels(), labels)

    for key in ("1", "d", "Enter", "d", "d", "s", "Enter"):
        opened.page.press(key)
    opened.wait_until_kept()
    assert np.count_nonzero(opened.labels() == 1) > 6


def test_undo_goes_back_to_the_crop_of_the_stroke(opened: Screen) -> None:
    opened.stroke(1, (10.5, 20.5), (30.5, 20.5))
    opened.page.press("PageDown")
    opened.page.wait_for(f"{CROP}.startsWith('region_2')")
    opened.stroke(2, (10.5, 20.5), (30.5, 20.5))
    opened.wait_until_kept()
    for _ in range(2):
        opened.page.press("z")
        opened.wait_until_kept()
    opened.page.wait_for(f"{CROP}.startsWith('region_1')")
    assert not opened.labels(0).any()
    assert not opened.labels(1).any()
    opened.page.press("Z", modifiers=8)
    opened.wait_until_kept()
    opened.page.wait_for("document.getElementById('undo').disabled === false")
    assert opened.labels(0).any()


def test_a_reload_shows_everything_again(opened: Screen) -> None:
    opened.stroke(1, (10.5, 20.5), (30.5, 20.5))
    opened.stroke(2, (10.5, 60.5), (30.5, 60.5))
    opened.wait_for_prediction()
    before = opened.shown_labels()
    opened.page.evaluate("delete document.body.dataset.ready")
    opened.page.call("Page.reload")
    opened.page.wait_for("document.body.dataset.ready")
    np.testing.assert_array_equal(opened.shown_labels(), before)
    opened.wait_for_prediction()


def test_a_stroke_that_was_kept_survives_a_kill_in_the_middle_of_painting(
    screen: Screen, tissue: Path, project: Path
) -> None:
    with annotating(tissue) as server:
        screen.open(server.address)
        for y in range(20, 60, 4):
            screen.stroke(1, (10.5, y + 0.5), (50.5, y + 0.5))
        screen.wait_until_kept()
        kept = screen.labels()
        screen.page._mouse("mousePressed", screen.at(90, 90), button="left", buttons=1)
        server.kill()
        screen.page._mouse("mouseReleased", screen.at(90, 90), button="left")
        screen.page.wait_for(says("progress", "not kept: 1"))
        assert "cannot be reached" in screen.text("notices")
    np.testing.assert_array_equal(Session(project).board.labels[0], kept)
    with annotating(tissue) as server:
        screen.open(server.address)
        np.testing.assert_array_equal(screen.shown_labels(), kept)
        assert "are back" in screen.text("notices")
        assert screen.page.evaluate("document.getElementById('undo').disabled") is False


def test_two_windows_show_the_same(screen: Screen, tissue: Path) -> None:
    with annotating(tissue) as server:
        screen.open(server.address)
        host = server.address.partition("/?")[0]
        with httpx.Client(base_url=host, headers={"Origin": host}, trust_env=False) as other:
            other.get(server.address)
            paint = {"kind": "paint", "number": 0, "lane": 0, "value": 2, "runs": [5, 10, 20]}
            other.post("/api/gestures", json={"client": "window-2", "gestures": [paint]})
            script = "import('/page/store.js').then(({store}) => store.labels[5 * 160 + 12])"
            assert screen.page.wait_for(script) == 2
            with other.stream("GET", "/api/events") as events:
                lines = events.iter_lines()  # a stream without a reader is closed
                next(lines)
                screen.page.wait_for(says("notices", "2 win"))


def test_another_programs_work_is_noticed_before_it_is_overwritten(
    opened: Screen, project: Path
) -> None:
    opened.stroke(1, (10.5, 20.5), (30.5, 20.5))
    opened.wait_until_kept()
    from ilpix.project.labels import write_labels  # noqa: PLC0415 - as another program would

    drawn = np.zeros((160, 160), np.uint8)
    drawn[100, 10:50] = 3
    write_labels(project, {0: drawn})
    opened.push("save")
    opened.page.wait_for(says("notices", "another program"))
    opened.page.problems.clear()  # a refused save is one
    opened.push_text("Take it over")
    script = "import('/page/store.js').then(({store}) => store.labels[100 * 160 + 12])"
    assert opened.page.wait_for(script) == 3
    assert opened.labels()[20, 20] == 1
    opened.push("save")
    opened.page.wait_for(SAVED)
    stored = read_all_labels(read_project(project))[0]
    assert (stored[20, 20], stored[100, 12]) == (1, 3)


def test_classes_are_added_renamed_and_removed(opened: Screen, tissue: Path) -> None:
    opened.push("add-class")
    opened.page.wait_for("document.querySelector('.rename') !== null")
    opened.page.call("Input.insertText", text="核 ядро")
    opened.page.press("Enter")
    names = "[...document.querySelectorAll('#classes .name')].map(b => b.innerText)"
    opened.page.wait_for(f"{names}[3] === '核 ядро'")
    opened.stroke(4, (10.5, 20.5), (30.5, 20.5))
    opened.stroke(2, (10.5, 60.5), (30.5, 60.5))
    opened.wait_for_prediction()
    assert set(np.unique(opened.prediction()[1])) == {2, 4}
    opened.page.evaluate("document.querySelectorAll('#classes .bin')[3].click()")
    opened.page.wait_for("document.getElementById('confirm').open")
    assert "labelled pixels? Undo brings" in opened.text("confirm")
    opened.push_text("Remove")
    opened.page.wait_for(f"{names}.length === 3")
    assert not (opened.labels() == 4).any()
    opened.page.press("z")
    opened.page.wait_for(f"{names}.length === 4")
    assert (opened.labels() == 4).any()


def test_a_new_crop_and_other_features(opened: Screen, tissue: Path, project: Path) -> None:
    opened.push("open-browser")
    opened.page.wait_for("document.getElementById('overview-image').naturalWidth > 0")
    opened.page.evaluate(
        "(e => { e.value = 100; e.dispatchEvent(new Event('input')) })"
        "(document.getElementById('crop-size'))"
    )
    opened.push("overview")
    opened.push("cut")
    opened.page.wait_for(f"{CROP}.endsWith('w100_h100')")
    assert len(read_project(project).lanes) == 6
    assert (tissue / "ilastik_crops" / "chosen.csv").is_file()

    opened.push("open-features")
    opened.push_text("Fast")
    opened.push("apply-features")
    opened.wait_until_kept()
    opened.push("save")
    opened.page.wait_for(SAVED)
    assert "There is no classifier yet" in opened.text("notices")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_and_can_be_read(
    opened: Screen, tissue: Path, pictures: Path, scheme: str
) -> None:
    media = [{"name": "prefers-color-scheme", "value": scheme}]
    opened.page.call("Emulation.setEmulatedMedia", features=media)
    opened.label_tissue(truth_of(tissue, 0), range(8, 156, 24))
    opened.wait_for_prediction()
    opened.page.wait_for(says("quality", "%"))
    opened.page._mouse("mouseMoved", opened.at(60, 70))
    opened.page.picture(pictures / f"annotate-{scheme}.png")
    assert opened.page.evaluate("document.documentElement.scrollHeight") == 720
    assert opened.page.evaluate("document.documentElement.scrollWidth") == 1280
    low = json.loads(opened.page.evaluate(LOW_CONTRAST))
    assert low == []
    opened.page.call("Emulation.setEmulatedMedia", features=[])


# Texts whose contrast to what is behind them is below 4.5 : 1, those that say "not now" aside.
LOW_CONTRAST = """
(() => {
  const rgb = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => {
    const parts = [r, g, b].map((v) => ((v / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  };
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const color = rgb(getComputedStyle(e).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const low = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const isSeen = element.checkVisibility({visibilityProperty: true});
    const isText = isSeen && walker.currentNode.data.trim();
    if (!isText || element.closest(':disabled, dialog, #hint, option')) continue;
    const [a, b] = [light(rgb(getComputedStyle(element).color)), light(behind(element))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) low.push(`${walker.currentNode.data.trim()}: ${contrast.toFixed(2)}`);
  }
  return JSON.stringify(low);
})()
"""


def test_quick_strokes_do_not_pile_up(opened: Screen, tissue: Path) -> None:
    """Forty strokes at once: the last prediction follows from all of them, soon."""
    opened.label_tissue(truth_of(tissue, 0), range(8, 156, 24))
    opened.wait_for_prediction()
    for number in range(40):
        x = 10.5 + 3 * (number % 40)
        opened.stroke(1 + number % 3, (x, 150.5), (x + 1, 154.5))
    began = time.monotonic()
    opened.wait_for_prediction()
    assert time.monotonic() - began < 20
    np.testing.assert_array_equal(opened.shown_labels(), opened.labels())


def test_a_short_stroke_after_another_is_not_lost(opened: Screen) -> None:
    """A press and release while the stroke before was acknowledged: the page took old labels."""
    page = opened.page
    opened.stroke(1, (10.5, 20.5), (30.5, 20.5))
    page._mouse("mouseMoved", opened.at(90, 90))
    page._mouse("mousePressed", opened.at(90, 90), button="left", buttons=1)
    opened.wait_until_kept()
    script = "fetch('/api/state').then(() => new Promise((after) => setTimeout(after, 100)))"
    page.evaluate(script)  # whatever the acknowledgement asked for is there by now
    page._mouse("mouseReleased", opened.at(90, 90), button="left")
    opened.wait_until_kept()
    assert opened.labels()[90, 90] == 1
    np.testing.assert_array_equal(opened.shown_labels(), opened.labels())
