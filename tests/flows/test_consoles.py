"""What is said can be said on any console, whatever characters it has."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest
from prefect.settings import PREFECT_API_URL

from command.demo import CROPSIZE, LABELS, SEED, write_labels_of_a_person
from flows.options import PrepareOptions
from flows.prepare import prepare
from ilpix.example import write_example
from tests.conftest import REPOSITORY

NAME, BROKEN = "肿瘤 ü 😀", "坏的"
SAYING = """
import json, sys
from command import __main__
__main__.end_soon_after_signals = lambda: None  # once a process, and there are many commands
for words in json.loads(sys.argv[1]):
    sys.argv = ["ilpix", *words]
    try:
        __main__.main()
    except SystemExit as ended:
        print("exit code", ended.code or 0, "of", *words)
"""
CALLS = {  # with the exit code of each
    ("prepare",): 1,
    ("train", "--labels", str(LABELS), "--features", "fast", "--no-quality"): 0,
    ("run",): 1,
    ("check",): 1,
    ("prune",): 0,
    ("fix", "--dry-run"): 0,
    ("show",): 0,
    ("show", "--json"): 0,
    ("settings",): 0,
    ("prepare", "--help"): 0,
    ("run", "--engine", "魔法"): 2,
    ("run", "-C", "没有"): 1,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Prepared and labelled; the names of two images are those of an archive of another script."""
    options = PrepareOptions(cropsize=CROPSIZE, seed=SEED)
    write_example(tmp_path)
    for kind in ("img", "truth"):
        (tmp_path / kind / "region_1.tiff").rename(tmp_path / kind / f"{NAME}.tiff")
        (tmp_path / kind / "region_2.tiff").unlink()
        (tmp_path / kind / "region_3.tiff").unlink()
    prepare(tmp_path, options)
    write_labels_of_a_person(tmp_path, options)
    (tmp_path / "img" / "region_4.tiff").rename(tmp_path / "img" / f"{NAME}4.tiff")
    (tmp_path / "img" / f"{BROKEN}.tiff").write_bytes(b"no image")
    (tmp_path / "ilastik_img" / f"{BROKEN}.h5").write_bytes(b"no image")
    return tmp_path


def call(folder: Path, encoding: str, *, on_terminal: bool) -> str:
    """What a console shows of all commands."""
    environment = {
        **os.environ,
        "PREFECT_API_URL": PREFECT_API_URL.value(),
        "PYTHONIOENCODING": encoding,
        "PYTHONPATH": str(REPOSITORY),
        "TERM": "xterm-256color",
    }
    words = ["-c", SAYING, json.dumps([*CALLS])]
    if not on_terminal:
        done = subprocess.run(
            [sys.executable, *words],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        return done.stdout.decode(encoding)
    child = pexpect.spawn(
        sys.executable, words, cwd=str(folder), env=environment, timeout=300, encoding=encoding
    )
    child.setwinsize(50, 200)
    return str(child.read())


def shown(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode()


@pytest.mark.parametrize(
    ("encoding", "on_terminal"), [("ascii", True), ("cp1252", False)], ids=["terminal", "pipe"]
)
def test_a_console_shows_the_numbers_of_characters_that_it_lacks(
    folder: Path, encoding: str, on_terminal: bool
) -> None:
    """A name in another script ended a command with a traceback, and `--help` did for its ×."""
    said = call(folder, encoding, on_terminal=on_terminal)
    assert "Traceback" not in said
    for words, code in CALLS.items():
        assert f"exit code {code} of {shown(' '.join(words))}" in said
    assert f"{shown(BROKEN)}.h5" in said
    assert json.dumps(NAME)[1:-1] in said, "JSON is the same on any console"
