"""The command line: flags, exit codes, and what it prints."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from command.demo import LABELS, write_labels_of_a_person
from flows.options import PrepareOptions
from ilpix.example import write_example
from tests.flows.command_line import ilpix

FLAGS = ["--cropsize", "60", "--seed", "1"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_example(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_prepare_takes_all_flags_of_steinbock(folder: Path) -> None:
    (folder / "img").rename(folder / "tiffs")
    (folder / "panel.csv").rename(folder / "channels.csv")
    words = ["prepare", "--img", "tiffs", "--panel", "channels.csv", "-o", "p.ilp", *FLAGS]
    words += ["--imgout", "prepared", "--cropout", "cut", "--aggr", "max", "--no-mean"]
    words += ["--meanfactor", "10", "--scale", "1"]
    assert ilpix(*words) == 0
    assert (folder / "p.ilp").exists()
    assert len(list((folder / "prepared").iterdir())) == 5
    assert len(list((folder / "cut").iterdir())) == 5


def test_one_bad_image_is_exit_code_1_and_named_in_a_table(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "img" / "broken.tiff").write_bytes(b"no TIFF")
    assert ilpix("prepare", *FLAGS) == 1
    assert "broken" in capsys.readouterr().err
    assert len(list((folder / "ilastik_img").iterdir())) == 5


@pytest.mark.parametrize(
    "words",
    [
        ["prepare", "--aggr", "eval"],
        ["prepare", "--sed", "1"],
        ["prepare", "--cropsize", "0"],
        ["prepare", "--labels", "one"],
        ["run", "--engine", "magic"],
        ["classify", "-o", "which"],
        ["nonsense"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_exit_code_2(folder: Path, words: list[str]) -> None:
    assert ilpix(*words) == 2


@pytest.mark.parametrize("verb", ["prepare", "run", "train", "fix"])
def test_an_empty_folder_is_exit_code_1_and_said_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    assert ilpix(verb, "-C", str(tmp_path)) == 1
    said = capsys.readouterr().err
    assert str(tmp_path) in said
    assert "Traceback" not in said


def test_a_misspelt_setting_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ILPIX_PARALEL", "3")
    assert ilpix("settings") == 2
    assert "ILPIX_PARALEL" in capsys.readouterr().err


def test_settings_name_their_source(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / ".env").write_text("ILPIX_PARALLEL=3\nPREFECT_API_URL=elsewhere\n")
    monkeypatch.setenv("ILPIX_CONTAINER__BATCH", "4")
    monkeypatch.setenv("ILPIX_CONTAINER__PATH_MAP", "/data:/srv/lab,/home:/srv/home")
    monkeypatch.setenv("ILPIX_CLUSTER__DIRECTIVES", "--qos=long;--mail-type=END,FAIL")
    assert ilpix("settings") == 0
    lines = capsys.readouterr().out.splitlines()
    values = dict(line.split("; ")[0].split(": ") for line in lines)
    assert values["ILPIX_CLUSTER__DIRECTIVES"] == "--qos=long;--mail-type=END,FAIL (environment)"
    assert values["ILPIX_PARALLEL"] == "3 (.env)"
    assert values["ILPIX_CONTAINER__BATCH"] == "4 (environment)"
    assert values["ILPIX_CONTAINER__PATH_MAP"] == "/data:/srv/lab,/home:/srv/home (environment)"
    assert values["ILPIX_ENGINE"] == "embedded (default)"
    assert values["ILPIX_DASK_ADDRESS"] == "not set"


def test_json_tells_machines_what_became_of_each_image(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ilpix("prepare", "--json", "--quiet", *FLAGS) == 0
    record = json.loads(capsys.readouterr().out)
    assert {outcome["state"] for outcome in record["images"]} == {"done"}
    assert record["notes"]["seed"] == 1


def test_labels_go_out_and_in_again(folder: Path) -> None:
    assert ilpix("prepare", *FLAGS) == 0
    write_labels_of_a_person(folder, PrepareOptions(cropsize=60))
    assert ilpix("labels", "import", str(LABELS)) == 0
    assert ilpix("labels", "export", "exported") == 0
    exported = {path.name for path in (folder / "exported").iterdir()}
    assert exported == {path.name for path in (folder / LABELS).iterdir()}


def test_the_installed_program_works_on_its_own(tmp_path: Path) -> None:
    """In a process and with a temporary server of its own, as on a laptop."""
    program = Path(sys.executable).with_name("ilpix")
    environment = {name: value for name, value in os.environ.items() if "PREFECT" not in name}
    shutil.rmtree(tmp_path / "home", ignore_errors=True)
    ended = subprocess.run(
        [program, "demo", "demo"],
        cwd=tmp_path,
        env=environment | {"PREFECT_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "index.html" in ended.stdout
    assert len(list((tmp_path / "demo" / "ilastik_probabilities").glob("*.tiff"))) == 5
