"""What a person reads who renames an image after training, behind a proxy that leads nowhere."""

from pathlib import Path

import pytest

from tests.transcripts.terminal import in_log, without_seconds

GONE = (
    "warning: region_2 (now patient_7): the image it was made from is gone; run and report leave "
    "it out, ilpix prune lists what is left of it"
)
KEPT = (
    "warning: pixel_classifier.ilp carries labels and a classifier: it is kept, and its crops with "
    "it"
)


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the demo, an image of it renamed."""
    for name in ("http_proxy", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    code, told, _ = in_log(tmp_path, "demo", "study")
    assert code == 0
    assert without_seconds(told)[-3:] == [
        "run: 5 done in N s",
        "probabilities: study/ilastik_probabilities",
        "report: study/ilpix_report/index.html",
    ]
    folder = tmp_path / "study"
    (folder / "img" / "region_2.tiff").rename(folder / "img" / "patient_7.tiff")
    return folder


def test_a_renamed_image_is_said_at_each_step_until_what_is_left_of_it_is_removed(
    study: Path,
) -> None:
    code, told, log = in_log(study, "prepare")
    assert code == 0
    assert [line for line in log if line.startswith("warning")] == [KEPT, GONE]
    assert without_seconds(told) == [
        "prepare: 1 done, 4 had been done before in N s",
        "crops: ilastik_crops",
        "project: pixel_classifier.ilp",
        "next: ilpix run",
    ]
    code, told, log = in_log(study, "run")
    assert code == 0
    assert [line for line in log if line.startswith("warning")] == [GONE]
    assert without_seconds(told)[0] == "run: 1 done, 4 had been done before in N s"
    code, told, log = in_log(study, "prune")
    assert code == 0
    assert told[0].startswith("made of images that are gone: 6 files, ")
    assert log[-1] == "nothing was changed; the same with --yes removes it"
    code, told, _ = in_log(study, "prune", "--yes")
    assert (code, told[-1].partition(":")[0]) == (0, "freed")
    assert not list((study / "ilastik_img").glob("region_2*"))
    code, told, log = in_log(study, "prepare", "--add-crops")
    assert code == 0
    (added,) = (study / "ilastik_crops").glob("patient_7*.h5")
    assert log[-1] == (
        f"added to pixel_classifier.ilp: {added.stem}; it is kept as it was: "
        "pixel_classifier.ilp.bak"
    )
    assert [line for line in log if line.startswith("warning")] == [KEPT]
    code, told, _ = in_log(study, "crops", "export", "painting")
    assert code == 0
    assert [line.partition(":")[0] for line in told] == [
        "6 crops in painting/crops",
        "6 label images in painting/labels",
        "paint",
        "next",
    ]
    assert told[-1] == "next: ilpix train --labels painting/labels"
