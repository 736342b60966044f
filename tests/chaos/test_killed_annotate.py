"""Killed at any moment, `annotate` has every stroke that it acknowledged, and a whole project."""

import os
import random
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.chaos.page import GESTURES, SAVE, Person, annotating, counts_of
from tests.chaos.study import COMMAND, NOBODY, TRAIN, Stage, Verb, chaos, copy_of, visible
from tests.golden.hdf5_contents import contents

PROJECT = "pixel_classifier.ilp"
IN_A_ROW = 3  # kills, before somebody labels to the end


@dataclass(frozen=True)
class Undisturbed:
    """A folder before somebody labels, and what is seen step by step."""

    start: Path
    before: Mapping[str, str]
    counts: list[list[Mapping[str, int]]]  # before the first gesture and after each
    projects: list[dict[str, object]]  # at the start and after each save
    n_operations: int


@pytest.fixture
def undisturbed(stages: dict[Verb, Stage], tmp_path: Path) -> Undisturbed:
    start = stages[TRAIN].start
    folder, mark = copy_of(start, tmp_path / "undisturbed"), tmp_path / "mark"
    person, projects = Person(), [contents(folder / PROJECT)]
    with annotating(folder, os.environ | chaos(folder, 0, mark)) as page:
        assert page
        counts = [counts_of(page)]
        for number, gesture in enumerate(GESTURES, 1):
            person.label(page, number)
            counts.append(counts_of(page))
            if gesture is SAVE:
                projects.append(contents(folder / PROJECT))
    return Undisturbed(start, visible(start), counts, projects, int(mark.read_text()))


def require_known(folder: Path, way: Undisturbed) -> None:
    """Every file that is to be seen is one of before; the project and its backup are whole."""
    for name, digest in visible(folder).items():
        if digest != way.before.get(name):
            assert name.startswith(PROJECT)
            assert contents(folder / name) in way.projects


def label(folder: Path, person: Person, way: Undisturbed, environment: Mapping[str, str]) -> None:
    """Label what is left, as long as there is a server; what it acknowledged before is there."""
    with suppress(httpx.TransportError), annotating(folder, os.environ | environment) as page:
        if page:
            assert counts_of(page) in way.counts[person.n_done : person.n_done + 2]
            person.label(page)


def test_a_killed_annotate_has_every_stroke_that_it_acknowledged(
    undisturbed: Undisturbed, tmp_path: Path, kills: int
) -> None:
    rng, way, mark = random.Random("annotate"), undisturbed, tmp_path / "mark"  # noqa: S311 - repeatable
    n_killed = 0
    for first in range(0, kills, IN_A_ROW):
        folder, person = copy_of(way.start, tmp_path / "study"), Person()
        for _ in range(min(IN_A_ROW, kills - first)):
            moment = rng.randrange(1, way.n_operations)
            label(folder, person, way, chaos(folder, moment, mark, COMMAND))
            n_killed += mark.exists()
            require_known(folder, way)
        label(folder, person, way, chaos(folder, 1, mark, NOBODY))
        assert person.n_done == len(GESTURES)
        assert contents(folder / PROJECT) == way.projects[-1]
    assert n_killed
