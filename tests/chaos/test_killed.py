"""Killed at any moment, a verb leaves nothing half-written, and the next one completes it.

Moments are numbers of operations on files, drawn from a seed. `--kills 25` draws so many for each
verb; without it there are a few.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.chaos.study import (
    AT_A_TIME,
    FIX,
    N_IMAGES,
    NOBODY,
    OVERWRITE,
    PREPARE,
    RUN,
    TRAIN,
    Verb,
    copy_of,
    require_whole,
    run_verb,
    states,
    visible,
    write_foreign,
    write_labels,
    write_study,
)

IN_A_ROW = 3  # kills, before a run that ends


@dataclass(frozen=True)
class Stage:
    """A folder before a verb, and what the verb makes of it undisturbed."""

    start: Path
    before: Mapping[str, str]
    after: Mapping[str, str]
    n_operations: int


@pytest.fixture(scope="session")
def stages(prefect_server: None, tmp_path_factory: pytest.TempPathFactory) -> dict[Verb, Stage]:
    """The undisturbed way of the forty images, stage by stage."""
    folder = tmp_path_factory.mktemp("undisturbed")
    write_study(folder / "study")
    write_foreign(folder / "foreign")
    found = {}
    for verb, name in ((PREPARE, "study"), (TRAIN, "study"), (RUN, "study"), (FIX, "foreign")):
        found[verb] = _pass(folder, verb, name)
        if verb == PREPARE:
            write_labels(folder / name)
    found[OVERWRITE] = _pass(folder, OVERWRITE, "study")
    return found


def _pass(folder: Path, verb: Verb, name: str) -> Stage:
    start = copy_of(folder / name, folder / f"before_{'_'.join(verb.words)}")
    done = run_verb(folder / name, verb, 0, folder / "mark")
    assert done.returncode == 0, done.stderr
    n_operations = int((folder / "mark").read_text())
    return Stage(start, visible(start), visible(folder / name), n_operations)


def _kill_and_finish(
    stage: Stage, verb: Verb, kills: int, tmp_path: Path, rng: random.Random
) -> None:
    folder = copy_of(stage.start, tmp_path / "study")
    n_killed = 0
    for _ in range(kills):
        moment = rng.randrange(1, stage.n_operations)
        run_verb(folder, verb, moment, tmp_path / "mark")
        n_killed += (tmp_path / "mark").exists()
        require_whole(folder, stage.before, stage.after)
    n_made = sum(stage.after[name] == digest for name, digest in _outputs(folder, stage).items())
    done = run_verb(folder, replace(verb, who=NOBODY), 1, tmp_path / "mark")
    assert done.returncode == 0, done.stderr
    assert visible(folder) == stage.after
    assert n_killed
    if verb.words[0] == "run":
        redone = len(states(folder, "run")["done"]) - (N_IMAGES - n_made)
        assert redone <= AT_A_TIME * n_killed


def _outputs(folder: Path, stage: Stage) -> dict[str, str]:
    names = {name for name in stage.after if name.startswith("ilastik_probabilities/")}
    return {name: digest for name, digest in visible(folder).items() if name in names}


@pytest.mark.parametrize("verb", [PREPARE, TRAIN, RUN, FIX], ids=lambda verb: verb.name)
def test_a_killed_command_is_completed_by_the_next(
    stages: dict[Verb, Stage], tmp_path: Path, kills: int, verb: Verb
) -> None:
    rng = random.Random(verb.name)  # noqa: S311 - repeatable
    for first in range(0, kills, IN_A_ROW):
        _kill_and_finish(stages[verb], verb, min(IN_A_ROW, kills - first), tmp_path, rng)


def test_a_killed_replacement_is_told_and_completed(
    stages: dict[Verb, Stage], tmp_path: Path, kills: int
) -> None:
    """Between the old project and the new one there was neither, and no word of it."""
    rng, stage = random.Random("overwrite"), stages[OVERWRITE]  # noqa: S311 - repeatable
    for _ in range(kills):
        folder = copy_of(stage.start, tmp_path / "study")
        moment = rng.randrange(stage.n_operations // 2, stage.n_operations)
        run_verb(folder, OVERWRITE, moment, tmp_path / "mark")
        require_whole(folder, stage.before, stage.after)
        is_between = not (folder / "pixel_classifier.ilp").exists()
        done = run_verb(folder, replace(OVERWRITE, who=NOBODY), 1, tmp_path / "mark")
        assert done.returncode == 0, done.stderr
        assert visible(folder).items() >= stage.after.items()
        assert is_between == ("is not there, and its backup" in " ".join(done.stderr.split()))
