"""Killed at any moment, a verb leaves nothing half-written, and the next one completes it.

Moments are numbers of operations on files, drawn from a seed. `--kills 25` draws so many for each
verb; without it there are a few.
"""

import random
from dataclasses import replace
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
    Stage,
    Verb,
    copy_of,
    require_whole,
    run_verb,
    states,
    visible,
)

IN_A_ROW = 3  # kills, before a run that ends


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
