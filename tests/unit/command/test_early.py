"""What lacks or does not fit is said before Prefect is loaded or a server started."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
import tifffile

from command.early import refuse_early
from command.given import AllSteps
from containers.apptainer_errors import ApptainerImageMissingError, ApptainerMissingError
from containers.errors import EngineUnreachableError, LocalProgramError
from flows.errors import (
    EveryImageTooSmallError,
    IlastikNotUsedError,
    NoImageChosenError,
    NoLocalIlastikError,
)
from flows.options import (
    CheckOptions,
    FixOptions,
    ImportOptions,
    PrepareOptions,
    RunOptions,
    TrainOptions,
)
from ilpix.errors import IlpixError, NoFolderError, NoPanelError, NotAFileError, NotAFolderError
from ilpix.images.errors import NoPreparedImagesError
from ilpix.prediction.errors import NoClassifierError
from ilpix.project.errors import NoLabelSourceError, NoProjectError
from ilpix.project.writing import create_project, label_classes
from ilpix.repair.errors import FixRefusedError, NoCropFolderError
from ilpix.sources.errors import NoRawFilesError
from ilpix.training.errors import FeatureChoiceError, NoLabelsError
from tests.unit.raw_files import Measured, counts, write_mcd, write_txt

LIVERS, FILE = Path("livers"), Path("panel.csv")
STEPS = (PrepareOptions(img=LIVERS, cropsize=20), TrainOptions(), RunOptions())


def steps(**chosen: object) -> AllSteps:
    """The steps of `classify`, some of them chosen."""
    names = ("preparing", "training", "predicting")
    return AllSteps(**dict(zip(names, STEPS, strict=True)) | chosen)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "error", "missing"),
    [
        (PrepareOptions(), NoFolderError, "img"),
        (PrepareOptions(img=Path()), NoPanelError, "panel.csv"),
        (TrainOptions(), NoProjectError, "pixel_classifier.ilp"),
        (RunOptions(ilp=Path("mine.ilp")), NoProjectError, "mine.ilp"),
        (FixOptions(), NoProjectError, "pixel_classifier.ilp"),
    ],
)
def test_what_is_missing_is_named_as_it_was_given(
    tmp_path: Path, options: object, error: type[IlpixError], missing: str
) -> None:
    with pytest.raises(error) as caught:
        refuse_early(tmp_path, options)
    assert str(tmp_path / missing) in str(caught.value)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (ImportOptions(raw=Path()), NoRawFilesError),
        (TrainOptions(features="bogus"), FeatureChoiceError),
        (TrainOptions(), NoLabelsError),
        (RunOptions(engine="local"), NoLocalIlastikError),
        (RunOptions(engine="local", ilastik="nowhere.sh"), LocalProgramError),
        (RunOptions(engine="apptainer", ilastik="nowhere.sif"), ApptainerImageMissingError),
        (FixOptions(axisorder="qq"), FixRefusedError),
        (FixOptions(rescue=Path("pixel_classifier.ilp")), FixRefusedError),
        (steps(training=TrainOptions(labels=Path("nowhere"))), NoLabelSourceError),
        (steps(training=TrainOptions(features="bogus")), FeatureChoiceError),
        (steps(predicting=RunOptions(ilastik="nowhere.sh")), IlastikNotUsedError),
        (steps(predicting=RunOptions(engine="local")), NoLocalIlastikError),
        (steps(preparing=PrepareOptions()), NoFolderError),
    ],
)
def test_what_needs_no_server_waits_for_none(
    untrained: Path, options: object, error: type[IlpixError]
) -> None:
    with pytest.raises(error):
        refuse_early(untrained, options)


@pytest.mark.parametrize(
    ("options", "error", "named"),
    [
        (PrepareOptions(img=FILE), NotAFolderError, FILE),
        (PrepareOptions(img=LIVERS, panel=LIVERS), NotAFileError, LIVERS),
        (PrepareOptions(img=LIVERS, imgout=FILE), NotAFolderError, FILE),
        (PrepareOptions(img=LIVERS, cropout=FILE), NotAFolderError, FILE),
        (PrepareOptions(img=LIVERS, ilp=LIVERS), NotAFileError, LIVERS),
        (ImportOptions(raw=FILE), NotAFolderError, FILE),
        (ImportOptions(raw=LIVERS, imgout=FILE), NotAFolderError, FILE),
        (ImportOptions(raw=LIVERS, infoout=LIVERS), NotAFileError, LIVERS),
        (TrainOptions(ilp=LIVERS), NotAFileError, LIVERS),
        (RunOptions(ilp=LIVERS), NotAFileError, LIVERS),
        (CheckOptions(probabilities=FILE), NotAFolderError, FILE),
        (FixOptions(ilp=LIVERS), NotAFileError, LIVERS),
        (FixOptions(crop=FILE), NotAFolderError, FILE),
        (steps(preparing=PrepareOptions(img=FILE)), NotAFolderError, FILE),
        (steps(predicting=RunOptions(probabilities=FILE)), NotAFolderError, FILE),
    ],
)
def test_a_file_for_a_folder_and_a_folder_for_a_file_are_named_at_once(
    untrained: Path, options: object, error: type[IlpixError], named: Path
) -> None:
    with pytest.raises(error) as caught:
        refuse_early(untrained, options)
    assert str(caught.value).startswith(f"{untrained / named} is a ")


def test_places_of_a_trained_project_are_looked_at_as_well(imc: Path) -> None:
    folder = imc / "steinbock"
    with pytest.raises(NotAFolderError, match=r"panel\.csv is a file"):
        refuse_early(folder, RunOptions(probabilities=Path("panel.csv")))
    with pytest.raises(NoPreparedImagesError, match=r"panel\.csv is a file; name the folder that"):
        refuse_early(folder, RunOptions(img=Path("panel.csv")))
    with pytest.raises(FixRefusedError, match=r"elsewhere/a\.ilp: is in another folder"):
        refuse_early(folder, FixOptions(rescue=Path("elsewhere/a.ilp")))


def test_a_missing_folder_of_a_project_is_named(untrained: Path) -> None:
    with pytest.raises(NoProjectError, match=r"there is no folder .*/nowhere, so no project in it"):
        refuse_early(untrained, RunOptions(ilp=Path("nowhere/a.ilp")))


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an image, a panel and a project without labels."""
    folder = tmp_path_factory.mktemp("untrained")
    (folder / LIVERS).mkdir()
    tifffile.imwrite(folder / LIVERS / "liver.tiff", np.ones((1, 20, 20), np.uint16))
    (folder / "panel.csv").write_text("channel,name,ilastik\nIr191,DNA,1\n")
    crops = {"ilastik_crops/a.h5": (1, 20, 20)}
    create_project(folder / "pixel_classifier.ilp", crops, label_classes(["A", "B"]))
    return folder


@pytest.mark.parametrize("options", [PrepareOptions(only="zzz*"), RunOptions(only="zzz*")])
def test_a_pattern_that_no_image_has_is_refused_at_once(imc: Path, options: object) -> None:
    with pytest.raises(NoImageChosenError, match="20210305_NE_mockData1_1"):
        refuse_early(imc / "steinbock", options)


def test_a_pattern_of_a_step_that_no_image_has_is_refused_at_once(untrained: Path) -> None:
    with pytest.raises(NoImageChosenError, match="liver"):
        refuse_early(untrained, steps(preparing=PrepareOptions(img=LIVERS, only="zzz*")))


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """A folder with an MCD file, a TXT file, and an archive with another MCD file."""
    folder = tmp_path / "raw"
    write_mcd(folder / "slide.mcd", [Measured(1, counts(1))])
    write_txt(folder / "single.txt", Measured(1, counts(2)))
    write_mcd(tmp_path / "other.mcd", [Measured(7, counts(3))])
    with zipfile.ZipFile(folder / "packed.zip", "w") as archive:
        archive.write(tmp_path / "other.mcd", "somewhere/other.mcd")
    return folder


@pytest.mark.parametrize("only", ["zzz*", "slide", "slide_002", "packed*"])
def test_a_pattern_that_no_acquisition_has_is_refused_at_once(raw: Path, only: str) -> None:
    with pytest.raises(NoImageChosenError, match=r"single, slide_001, other_\*"):
        refuse_early(raw.parent, ImportOptions(only=only))


@pytest.mark.parametrize("only", ["slide*", "single", "other_007", "?????_*"])
def test_a_pattern_that_an_acquisition_has_is_let_through(raw: Path, only: str) -> None:
    (raw / "broken.zip").write_bytes(b"PK nothing")
    refuse_early(raw.parent, ImportOptions(only=only))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (PrepareOptions(img=LIVERS, cropsize=41), "41 pixels .* only image, also when enlarged 2"),
        (PrepareOptions(img=LIVERS, cropsize=21, scale=1), "only image, so .*; 20 fits liver$"),
        (steps(preparing=PrepareOptions(img=LIVERS)), "a crop of 512 pixels"),
    ],
)
def test_a_crop_size_that_no_image_has_is_refused_at_once(
    untrained: Path, options: object, said: str
) -> None:
    with pytest.raises(EveryImageTooSmallError, match=said):
        refuse_early(untrained, options)


def test_a_kept_project_has_its_crops_whatever_the_crop_size_is(imc: Path) -> None:
    options = PrepareOptions(cropsize=10**6)
    refuse_early(imc / "steinbock", options)
    with pytest.raises(EveryImageTooSmallError, match="; 58 fits all of them; 174 fits "):
        refuse_early(imc / "steinbock", options.model_copy(update={"overwrite": True}))


def test_a_folder_of_crops_that_is_not_there_is_named(imc: Path) -> None:
    folder = imc / "steinbock"
    with pytest.raises(NoCropFolderError) as caught:
        refuse_early(folder, FixOptions(crop=Path("nowhere")))
    assert str(caught.value) == (
        f"there is no folder {folder}/nowhere with the 15 crops of {folder}/pixel_classifier.ilp, "
        "which names ilastik_crops; copy the crops there, or name the folder they are in with "
        "--crop"
    )
    refuse_early(folder, FixOptions(crop=Path("nowhere"), partial=True))


def test_an_engine_that_is_not_there_is_not_waited_for(
    untrained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was asked for four times, 14 seconds long, though there was no file to ask."""
    options = RunOptions(engine="docker")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{untrained}/nowhere.sock")
    with pytest.raises(EngineUnreachableError, match=r"nowhere\.sock: there is no such file"):
        refuse_early(untrained, options)
    for there in (f"unix://{untrained}", "tcp://127.0.0.1:9"):  # these may answer a little later
        monkeypatch.setenv("DOCKER_HOST", there)
        with pytest.raises(NoClassifierError):
            refuse_early(untrained, options)


def test_a_missing_apptainer_is_said_at_once(
    untrained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(untrained))
    with pytest.raises(ApptainerMissingError):
        refuse_early(untrained, RunOptions(engine="apptainer", ilastik="docker://ilastik"))
