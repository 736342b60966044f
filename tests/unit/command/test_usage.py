"""What is wrong with a command is said before Prefect is loaded or a server started."""

import subprocess
import sys
from pathlib import Path

import pytest

from command.early import refuse_early
from flows.options import FixOptions, PrepareOptions, RunOptions, TrainOptions
from ilpix.errors import IlpixError, NoFolderError, NoPanelError
from ilpix.project.errors import NoProjectError

LOADED = """
import atexit, sys
atexit.register(lambda: print("prefect" in sys.modules))
from command.cli import main
main()
"""


def ilpix(*words: str) -> tuple[int, str, str]:
    """Run a command; return its exit code, its words, and whether Prefect was loaded."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *words], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stderr, done.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("prepare", "--cropsiz", "5"), 2, "Unknown option: --cropsiz. Did you mean --cropsize?"),
        (("run", "-C", "/nowhere"), 1, "there is no folder /nowhere"),
        (("check", "-C", "/nowhere"), 1, "there is no folder /nowhere"),
    ],
)
def test_wrong_words_and_missing_folders_need_no_server(
    words: tuple[str, ...], code: int, said: str
) -> None:
    ended, told, has_prefect = ilpix(*words)
    assert (ended, has_prefect) == (code, "False")
    assert said in told


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
