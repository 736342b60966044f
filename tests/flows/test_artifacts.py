"""What the Prefect UI shows of a run, as it is stored on the server."""

import base64
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.objects import Artifact
from prefect.client.schemas.sorting import ArtifactSort

from command.demo import CROPSIZE
from flows.artifact_keys import artifact_key
from flows.errors import ImagesFailedError
from flows.run import run
from flows.running import progress_artifact
from flows.showing.artifacts import show_markdown, show_table
from flows.showing.contact_sheet import MOST_PREVIEWS, contact_sheet
from ilpix.prediction.picture_files import PictureFiles
from ilpix.project.reading import LabelClass
from tests.flows.trained_folders import make_trained

BYTES_OF_A_TEXT = 1_500_000


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that was prepared and predicted, with one image that failed."""
    folder = tmp_path_factory.mktemp("finished")
    make_trained(folder)
    (folder / "ilastik_img" / "region_2.h5").write_bytes(b"no HDF5")
    with pytest.raises(ImagesFailedError):
        run(folder)
    return folder


def newest(kind: str) -> Artifact:
    with get_client(sync_client=True) as client:
        return client.read_artifacts(
            artifact_filter=ArtifactFilter(key=ArtifactFilterKey(like_=f"{kind}-finished")),
            sort=ArtifactSort.CREATED_DESC,
            limit=1,
        )[0]


def rows(kind: str) -> list[dict[str, Any]]:
    return list(json.loads(str(newest(kind).data)))


@pytest.mark.usefixtures("finished")
def test_each_image_has_a_row_with_size_seconds_areas_state_and_error() -> None:
    found = {row["image"]: row for row in rows("run-images")}
    assert set(found) == {f"region_{number}" for number in range(1, 6)}
    good, bad = found["region_1"], found["region_2"]
    assert good["state"] == "done"
    assert good["size"] == "220 × 260"
    assert good["engine"] == "embedded"
    assert 0 < good["uncertainty %"] < 50
    assert sum(good[f"{name} %"] for name in ("Nucleus", "Cytoplasm", "Background")) == (
        pytest.approx(100, abs=0.2)
    )
    assert bad["state"] == "failed"
    assert "region_2.h5" in bad["look at"]


@pytest.mark.usefixtures("finished")
def test_what_failed_comes_first_and_the_folder_is_named() -> None:
    assert rows("run-images")[0]["image"] == "region_2"
    assert "finished0" in str(newest("run-images").description)
    assert str(newest("run-report").data).index("Failed") < 40


def test_folders_of_the_same_name_have_histories_of_their_own(tmp_path: Path) -> None:
    keys = {artifact_key("run-images", tmp_path / place / "Köln 3") for place in "ab"}
    assert len(keys) == 2
    assert all(re.fullmatch(r"run-images-k-ln-3-[0-9a-f]{6}", key) for key in keys)


@pytest.mark.usefixtures("finished")
def test_the_preparation_shows_channels_and_crops() -> None:
    channels = [row["made of"] for row in rows("prepare-channels")]
    assert channels == ["mean", "DNA1+DNA2", "E-Cadherin", "Vimentin"]
    assert {row["state"] for row in rows("prepare-images")} == {"done"}
    assert all(
        row["size"] == CROPSIZE and row["x"] >= 0 <= row["y"] for row in rows("prepare-crops")
    )


@pytest.mark.usefixtures("finished")
def test_the_report_counts_and_names_what_failed() -> None:
    report = str(newest("run-report").data)
    assert "4 predicted, 0 kept from earlier, 1 failed" in report
    assert "**region_2**" in report
    assert "| Nucleus |" in report


@pytest.mark.usefixtures("finished")
def test_the_project_is_summed_up() -> None:
    summary = str(newest("project").data)
    assert "| classifier | 100 trees |" in summary
    assert "Nucleus, Cytoplasm, Background" in summary


@pytest.mark.usefixtures("finished")
def test_previews_are_a_picture_within_the_text() -> None:
    found = re.search(r"\(data:image/jpeg;base64,([^)]+)\)", str(newest("run-previews").data))
    assert found
    assert base64.b64decode(found[1]).startswith(b"\xff\xd8\xff")


def test_the_noisiest_previews_still_fit(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (320, 320, 3), np.uint8)
    files = PictureFiles(tmp_path, "noise")
    for path in (files.image, files.classes):
        Image.fromarray(noise).save(path)
    classes = [LabelClass("Nucleus", (255, 0, 0), (255, 0, 0))]
    assert len(contact_sheet([files] * MOST_PREVIEWS, classes)) < BYTES_OF_A_TEXT


def test_the_progress_artifact_moves(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each update is sent; usually one in two seconds is."""
    sent: list[float] = []

    def update(_: Any, done: float, **more: Any) -> None:
        sent.append(done)

    monkeypatch.setattr(progress_artifact, "UPDATE_EVERY_S", 0)
    monkeypatch.setattr(progress_artifact, "update_progress_artifact", update)
    shutil.copy(finished / "ilastik_img" / "region_1.h5", finished / "ilastik_img" / "region_2.h5")
    run(finished)
    assert sent == [20, 40, 60, 80, 100, 100]


def test_outside_a_flow_run_nothing_is_shown() -> None:
    show_markdown("nobody", Path("finished"), "sees this")
    show_table("nobody", Path("finished"), [{"sees": "this"}], "")
    with pytest.raises(IndexError):
        newest("nobody")
