"""What is wrong with a command is said before Prefect is loaded or a server started."""

import io
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cyclopts import CycloptsError
from rich.console import Console

from command.cli import app
from command.flags import flags_of_verbs
from command.usage import usage_message

PROGRAMMERS = re.compile(
    r"[Ii]nput|[Ss]tring|[Pp]arameter|[Aa]rgument|[Tt]oken|[Oo]ption|[Cc]ommand|[Vv]alid|[Pp]arse|"
    r"convert|JSON|UNSET|None|Must|\btype|<|\[\]"
)
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


def test_folders_of_a_remote_engine_are_given_by_one_flag_or_several() -> None:
    given = app.parse_args(["gui", "--path-map", "/a:/b,/c:/d", "--path-map", "/e:/f"])[1]
    outside = [mapping.outside for mapping in given.arguments["settings"].path_map]
    assert outside == [Path("/b"), Path("/d"), Path("/f")]


@pytest.mark.parametrize("words", ["labels export x", "crops export x", "gui", "show", "prune"])
def test_every_verb_names_a_missing_data_directory(words: str) -> None:
    ended, told, _ = ilpix(*words.split(), "-C", "/nowhere")
    assert ended == 1
    assert told == "error: there is no folder /nowhere; check the path, or where you are\n"


def test_help_speaks_no_python() -> None:
    for verb in flags_of_verbs(app):
        shown = io.StringIO()
        app.help_print([*verb], console=Console(file=shown, width=200))
        assert not re.search(r"\b(STR|INT|FLOAT|True|False|None|Tuple|\(\))", shown.getvalue())


def test_wrong_usage_and_help_load_nothing_that_takes_long() -> None:
    ended, told, loaded = ilpix("prepare", "--cropsiz", "5")
    assert told.startswith("error: ilpix prepare has no flag --cropsiz; did you mean --cropsize?\n")
    assert (ended, loaded) == (2, "")
    ended, _, loaded = ilpix("run", "--help")
    assert (ended, loaded) == (0, "")


def test_the_first_line_says_what_is_done_and_where(tmp_path: Path) -> None:
    _, told, _ = ilpix("train", "-C", str(tmp_path))
    assert told.splitlines()[0] == f"training the classifier in {tmp_path} …"


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
        ("prepare --labels A", "--labels needs 2 or more, separated by commas, not A"),
        ("prepare --mean=x", "--mean is a switch and takes no value; leave out =x"),
        ("prepare img", "'img' has no place here"),
        ("prepare --seed 1 --seed 2", "--seed is given more than once"),
        ("run --engine dcker", "--engine must be embedded, docker, apptainer or local, not dcker"),
        ("classify --run.threads x", "--run.threads must be a whole number, not x"),
        ("gui --path-map a:b", "--path-map: write INSIDE:OUTSIDE, two paths from the root"),
        ("gui --path-map [1", "--path-map: write INSIDE:OUTSIDE, two paths from the root"),
        ("annotate --port x", "--port must be a whole number, not x"),
        ("annotate --port 65536", "--port must be 0 to 65535, not 65536"),
        ("annotate --port -1", "--port must be 0 to 65535, not -1"),
        ("prepare --axes x", "--axes must be 2 to 8 letters, such as YXC, not x"),
        ("prepare --meanfactor 0", "--meanfactor must be more than 0, not 0"),
        ("prepare --scale=", "--scale must be a whole number, and is empty"),
        ("classify --train x", "--train takes no value; flags of a step begin with its name"),
        ("run --cropsize 9", "ilpix run has no flag --cropsize; it belongs to ilpix prepare"),
        ("train --also classes", "ilpix train has no flag --also; it belongs to ilpix run"),
        ("run --trees 10", "ilpix run has no flag --trees\n"),
        ("run --probs p", "ilpix run has no flag --probs\n"),
        ("run --prob p", "ilpix run has no flag --prob; did you mean --probabilities?"),
    ],
)
def test_wrong_values_are_told_without_words_of_programmers(words: str, said: str) -> None:
    code, told, loaded = ilpix(*words.split())
    assert (code, loaded) == (2, "")
    assert f"error: {said}" in told
    assert told.splitlines()[-1] == f"ilpix {words.partition(' ')[0]} --help lists flags"


def test_no_wrong_value_of_any_flag_is_told_in_words_of_programmers() -> None:
    told = {}
    flags_of = flags_of_verbs(app)
    flags_of.pop(("classify",))  # those of its steps
    for verb, flags in flags_of.items():
        for words in [[*verb, word] for flag in flags for word in (flag, f"{flag}=?,")]:
            try:
                app.parse_args(words, print_error=False, exit_on_error=False)
            except CycloptsError as error:
                told[" ".join(words)] = usage_message(error, app)
    assert len(told) > 100
    assert not {words: said for words, said in told.items() if PROGRAMMERS.search(said)}


@pytest.mark.parametrize(
    ("words", "said", "where"),
    [
        ("-C tissue run", "-C is no verb; flags stand behind one", "ilpix --help lists verbs"),
        ("labels exprt", "did you mean export?", "ilpix labels --help lists verbs"),
        ("Run", "'Run' is no verb of ilpix; did you mean run?", "ilpix --help lists verbs"),
        ("crops cut", "'cut' is no verb of ilpix crops, which has export", "lists verbs"),
    ],
)
def test_a_verb_that_is_none_is_told_where_verbs_are(words: str, said: str, where: str) -> None:
    code, told, _ = ilpix(*words.split())
    assert code == 2
    assert said in told
    assert told.splitlines()[-1].endswith(where)


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
