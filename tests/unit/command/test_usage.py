"""What is wrong with a command is said before Prefect is loaded or a server started."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

from command.early import refuse_early
from command.given import AllSteps
from containers.apptainer_errors import ApptainerImageMissingError, ApptainerMissingError
from containers.errors import EngineUnreachableError, LocalProgramError
from flows.errors import IlastikNotUsedError, NoImageChosenError, NoLocalIlastikError
from flows.options import FixOptions, ImportOptions, PrepareOptions, RunOptions, TrainOptions
from ilpix.errors import IlpixError, NoFolderError, NoPanelError
from ilpix.prediction.errors import NoClassifierError
from ilpix.project.errors import NoLabelSourceError, NoProjectError
from ilpix.project.writing import create_project, label_classes
from ilpix.repair.errors import FixRefusedError
from ilpix.sources.errors import NoRawFilesError
from ilpix.training.errors import FeatureChoiceError, NoLabelsError

LOADED = """
import atexit, sys
slow = {"prefect", "numba", "scipy", "h5py", "numpy", "httpx"}
atexit.register(lambda: print(*sorted(slow & set(sys.modules))))
from command.cli import main
main()
"""


def ilpix(*words: str) -> tuple[int, str, str]:
    """Run a command; return its exit code, its words, and what was loaded that takes long."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *words], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stderr, done.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("run", "-C", "/nowhere"), 1, "there is no folder /nowhere"),
        (("check", "-C", "/nowhere"), 1, "there is no folder /nowhere"),
    ],
)
def test_missing_folders_need_no_server(words: tuple[str, ...], code: int, said: str) -> None:
    ended, told, loaded = ilpix(*words)
    assert ended == code
    assert said in told
    assert not {"prefect", "numba"} & set(loaded.split())


def test_wrong_usage_and_help_load_nothing_that_takes_long() -> None:
    ended, told, loaded = ilpix("prepare", "--cropsiz", "5")
    assert "Unknown option: --cropsiz. Did you mean --cropsize?" in told
    assert (ended, loaded) == (2, "")
    ended, _, loaded = ilpix("run", "--help")
    assert (ended, loaded) == (0, "")


def test_the_first_line_says_what_is_done_and_where(tmp_path: Path) -> None:
    _, told, _ = ilpix("train", "-C", str(tmp_path))
    assert told.splitlines()[0] == f"training the classifier in {tmp_path} …"


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


STEPS = (PrepareOptions(img=Path()), TrainOptions(), RunOptions())


def steps(**chosen: object) -> AllSteps:
    """The steps of `classify`, some of them chosen."""
    names = ("preparing", "training", "predicting")
    return AllSteps(**dict(zip(names, STEPS, strict=True)) | chosen)  # type: ignore[arg-type]


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


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a panel and a project without labels."""
    folder = tmp_path_factory.mktemp("untrained")
    (folder / "panel.csv").write_text("channel,name,ilastik\nIr191,DNA,1\n")
    crops = {"ilastik_crops/a.h5": (1, 20, 20)}
    create_project(folder / "pixel_classifier.ilp", crops, label_classes(["A", "B"]))
    return folder


@pytest.mark.parametrize("options", [PrepareOptions(only="zzz*"), RunOptions(only="zzz*")])
def test_a_pattern_that_no_image_has_is_refused_at_once(imc: Path, options: object) -> None:
    with pytest.raises(NoImageChosenError, match="20210305_NE_mockData1_1"):
        refuse_early(imc / "steinbock", options)


def test_a_pattern_of_a_step_that_no_image_has_is_refused_at_once(untrained: Path) -> None:
    (untrained / "livers").mkdir()
    tifffile.imwrite(untrained / "livers" / "liver.tiff", np.ones((1, 20, 20), np.uint16))
    with pytest.raises(NoImageChosenError, match="liver"):
        refuse_early(untrained, steps(preparing=PrepareOptions(img=Path("livers"), only="zzz*")))


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


def test_a_folder_that_is_missing_behind_a_verb_is_asked_for() -> None:
    code, told, loaded = ilpix("labels", "export")
    assert (code, loaded) == (2, "")
    assert told.startswith("error: FOLDER is missing: ilpix labels export FOLDER")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("prepare --cropsize 0", "--cropsize must be more than 0, not 0"),
        ("prepare --seed x", "--seed must be a whole number, not x"),
        ("prepare --seed", "--seed needs a value behind it"),
        ("prepare --labels A", "--labels needs 2 at least, not A"),
        ("prepare --mean=x", "--mean is a switch and takes no value, not x"),
        ("prepare img", "'img' has no place here"),
        ("prepare --seed 1 --seed 2", "--seed is given more than once"),
        ("run --engine dcker", "--engine must be one of embedded, docker, apptainer or local, not"),
        ("classify --run.threads x", "--run.threads must be a whole number, not x"),
        ("annotate --port x", "--port is a whole number, not x"),
    ],
)
def test_wrong_values_are_told_without_words_of_programmers(words: str, said: str) -> None:
    code, told, loaded = ilpix(*words.split())
    assert (code, loaded) == (2, "")
    assert f"error: {said}" in told
    assert told.splitlines()[-1] == f"ilpix {words.partition(' ')[0]} --help lists flags"


@pytest.mark.parametrize(
    ("words", "said", "where"),
    [
        ("-C tissue run", "-C is no verb; flags stand behind one", "ilpix --help lists verbs"),
        ("labels exprt", 'Did you mean "export"?', "ilpix labels --help lists verbs"),
    ],
)
def test_a_verb_that_is_none_is_told_where_verbs_are(words: str, said: str, where: str) -> None:
    code, told, _ = ilpix(*words.split())
    assert code == 2
    assert said in told
    assert told.splitlines()[-1] == where


def test_a_wrong_setting_is_named_by_its_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ILPIX_CLUSTER__CORES", "0")
    code, told, loaded = ilpix("run", "-C", str(tmp_path))
    assert (code, loaded) == (2, "")
    assert "ILPIX_CLUSTER__CORES must be more than 0, not 0" in told


def test_an_ilastik_that_would_not_be_used_is_refused_before_anything_begins(
    tmp_path: Path,
) -> None:
    code, told, loaded = ilpix("run", "-C", str(tmp_path), "--ilastik", "/nowhere/run.sh")
    assert (code, loaded) == (1, "")
    assert "/nowhere/run.sh would not be used, and there is no such file" in told
