"""The pictures of the tutorial: the page of annotate, with the labels of the example."""

import subprocess
from pathlib import Path

import pytest

from tests.deployments.browser import CHROMIUM, browsing

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is not installed"),
]


def test_annotate_shows_the_labels_of_the_tutorial(
    trained: Path,
    environment: dict[str, str],
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    folder = request.config.getoption("--pictures") or tmp_path
    words = ["ilpix", "annotate", "-C", str(trained), "--no-browser"]
    with (
        subprocess.Popen(words, env=environment, stderr=subprocess.PIPE, text=True) as server,
        browsing(tmp_path / "profile") as page,
    ):
        assert server.stderr
        address = next(word for line in server.stderr for word in line.split() if "http" in word)
        page.open(address, 1240, 800)
        page.wait_for("document.body.dataset.ready")
        page.wait_for("document.body.dataset.prediction")
        shown = page.evaluate("document.body.innerText")
        page.picture(folder / "annotate.png")
        page.call("Page.navigate", url="about:blank")
        server.terminate()
    assert "of 256" in shown  # pixels of nuclei, in all crops
    assert not page.problems
