"""What is said after a verb: where the results are, and what comes next."""

import shlex
from pathlib import Path

from pydantic import BaseModel

from command.next_steps import next_step, results
from flows.options import ImportOptions, PrepareOptions, RunOptions, TrainOptions
from flows.running.manifest import VerbRecord
from flows.running.outcomes import Outcome
from ilpix.images.hdf5 import ImageRecord
from ilpix.images.preparation_options import PreparationOptions
from ilpix.project.writing import create_project, label_classes


def record(verb: str, options: BaseModel) -> VerbRecord:
    return VerbRecord.begun(verb, options)


def test_results_are_named_as_the_folder_was_given_and_only_where_they_are(tmp_path: Path) -> None:
    (tmp_path / "ilastik_probabilities").mkdir()
    told = list(results(record("run", RunOptions()), tmp_path))
    assert told == [("probabilities", str(tmp_path / "ilastik_probabilities"))]


def test_a_run_says_where_everything_that_was_asked_for_is(tmp_path: Path) -> None:
    for name in ("ilastik_probabilities", "ilastik_classes", "ilastik_probabilities_ome"):
        (tmp_path / name).mkdir()
    products = [
        {"what": "probabilities", "folder": "ilastik_probabilities_ome"},
        {"what": "classes", "folder": "ilastik_classes"},
    ]
    ended = record("run", RunOptions()).ended([], {"also_written": products}, None)
    folders = [Path(place).name for _, place in results(ended, tmp_path)]
    assert folders == ["ilastik_probabilities", "ilastik_probabilities_ome", "ilastik_classes"]


def test_after_preparing_somebody_labels(tmp_path: Path) -> None:
    classes = label_classes(["Nucleus", "Background"])
    image = ImageRecord(channel_names=("DNA",), preparation=PreparationOptions())
    create_project(tmp_path / "p.ilp", {"ilastik_crops/a.h5": (1, 9, 9)}, classes, image)
    step = next_step(record("prepare", PrepareOptions(ilp=Path("p.ilp"))), tmp_path)
    assert f"ilpix annotate -C {tmp_path} --ilp p.ilp" in step
    assert f"ilpix gui -C {tmp_path} --ilp p.ilp" in step
    assert f"ilpix train -C {tmp_path} --ilp p.ilp --labels FOLDER" in step


def test_an_import_of_which_every_image_failed_names_no_results(tmp_path: Path) -> None:
    (tmp_path / "panel.csv").write_text("channel,name\n")
    failed = Outcome(image="slide_001", step="import-acquisition", state="failed")
    nothing = record("import", ImportOptions()).ended([failed], {}, None)
    assert list(results(nothing, tmp_path)) == []


def test_folders_and_projects_with_spaces_can_be_pasted() -> None:
    options = TrainOptions(ilp=Path("my project.ilp"))
    step = next_step(record("train", options), Path("my data"))
    assert shlex.split(step) == ["ilpix", "run", "-C", "my data", "--ilp", "my project.ilp"]


def test_after_training_the_images_are_predicted() -> None:
    assert next_step(record("train", TrainOptions()), Path()) == "ilpix run"
    assert next_step(record("run", RunOptions()), Path()) == ""
