import subprocess
import sys
from pathlib import Path

import h5py
import pytest

from ilpix.errors import InvalidProjectError, Problem
from ilpix.project.errors import (
    NoProjectError,
    ProjectLockedError,
    UnreadableProjectError,
    WrongWorkflowError,
)
from ilpix.project.reading import read_project, require_training_data
from ilpix.project.writing import create_project, label_classes

HOLD_OPEN = """
import sys, h5py
with h5py.File(sys.argv[1], "r+"):
    print("open", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def project_path(tmp_path: Path) -> Path:
    path = tmp_path / "p.ilp"
    create_project(path, {"crops/a.h5": (2, 6, 8)}, label_classes(["A", "B"]))
    return path


def test_every_problem_is_listed_at_once(project_path: Path) -> None:
    with h5py.File(project_path, "r+") as file:
        file["PixelClassification/LabelColors"][0] = -1
        file["PixelClassification/PmapColors"][0] = 256
    with pytest.raises(InvalidProjectError) as caught:
        read_project(project_path)
    assert {problem.where for problem in caught.value.problems} == {
        "PixelClassification/LabelColors",
        "PixelClassification/PmapColors",
    }


def test_what_only_training_needs_is_listed_and_hinders_nothing_else(project_path: Path) -> None:
    with h5py.File(project_path, "r+") as file:
        del file["Input Data/infos/lane0000/Raw Data/filePath"]
        del file["ilastikVersion"]
    project = read_project(project_path)
    assert {problem.where for problem in project.training_problems} >= {
        "Input Data/infos/lane0000/Raw Data/filePath",
        "ilastikVersion",
    }
    with pytest.raises(InvalidProjectError, match=r"filePath.*: missing"):
        require_training_data(project)


def test_a_project_of_another_workflow_says_so(project_path: Path) -> None:
    with h5py.File(project_path, "r+") as file:
        del file["workflowName"]
        file["workflowName"] = b"Object Classification"
    with pytest.raises(WrongWorkflowError, match="Object Classification"):
        read_project(project_path)


def test_a_missing_project_says_so(tmp_path: Path) -> None:
    with pytest.raises(NoProjectError, match=r"no project .*none\.ilp; make one \(ilpix prepare\)"):
        read_project(tmp_path / "none.ilp")


def test_a_file_that_is_no_project_says_so(tmp_path: Path) -> None:
    (tmp_path / "panel.csv").write_text("channel,name\n")
    with pytest.raises(UnreadableProjectError, match=r"panel\.csv cannot be opened"):
        read_project(tmp_path / "panel.csv")


def test_a_project_open_in_another_program_says_so(project_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD_OPEN, str(project_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(ProjectLockedError, match="close it in Ilastik"):
            read_project(project_path)
        other.communicate()
    assert read_project(project_path).lanes


def test_pixels_kept_in_the_project_are_recognised(project_path: Path) -> None:
    with h5py.File(project_path, "r+") as file:
        lane = file["Input Data/infos/lane0000/Raw Data"]
        del lane["__class__"], lane["location"]
        lane["location"] = b"ProjectInternal"
    dataset_id = read_project(project_path).lanes[0].inner_path
    assert dataset_id is not None
    assert dataset_id.startswith("Input Data/local_data/")


def test_a_record_that_cannot_be_read_is_a_problem(project_path: Path) -> None:
    with h5py.File(project_path, "r+") as file:
        file.attrs["ilpix"] = "{}"
    with pytest.raises(InvalidProjectError) as caught:
        read_project(project_path)
    assert caught.value.problems[0].where == "attribute ilpix"
    assert isinstance(caught.value.problems[0], Problem)
