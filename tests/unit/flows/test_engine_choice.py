"""Which engine predicts, and that no choice of a person is ignored in silence."""

from pathlib import Path

import pytest

from flows.engine_choice import engine_kind, tell_choice
from flows.errors import IlastikNotUsedError
from flows.options import CheckOptions, RunOptions
from flows.settings import Settings

SETTINGS = Settings(_env_file=None)


def test_a_program_that_is_named_is_used(tmp_path: Path) -> None:
    program = tmp_path / "run_ilastik.sh"
    program.touch()
    options = RunOptions(ilastik=str(program))
    assert engine_kind(options, SETTINGS) == "local"
    assert tell_choice(options, "local") == f"{program} is a program on this machine: engine local"


@pytest.mark.parametrize(
    "options",
    [
        RunOptions(ilastik="/nowhere/run_ilastik.sh"),
        RunOptions(ilastik="/bin/sh", engine="embedded"),
        CheckOptions(ilastik="biocontainers/ilastik:1.4.2_cv1"),
    ],
)
def test_an_ilastik_that_would_be_ignored_is_an_error(options: RunOptions | CheckOptions) -> None:
    with pytest.raises(IlastikNotUsedError):
        engine_kind(options, SETTINGS)


def test_an_image_is_for_the_container_that_was_chosen() -> None:
    options = RunOptions(engine="docker", ilastik="biocontainers/ilastik:1.4.2_cv1", mem=100)
    assert engine_kind(options, SETTINGS) == "docker"
    assert tell_choice(options, "docker") == ""


def test_what_the_embedded_engine_has_no_use_for_is_said() -> None:
    told = tell_choice(RunOptions(mem=4096, pull="never"), "embedded")
    assert "mem and pull concern an Ilastik outside" in told


def test_zero_threads_and_memory_are_chosen_as_where_none_are_given() -> None:
    assert RunOptions(threads=0, mem=0) == RunOptions()
