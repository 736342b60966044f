"""A server that is killed amid a run costs the record on the server alone."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from command.server import TemporaryServer
from tests.chaos.study import (
    N_IMAGES,
    RUN,
    Stage,
    Verb,
    copy_of,
    require_whole,
    run_verb,
    states,
    visible,
)

GONE = "went away: its record of this run is not complete"
NOBODY_THERE = "no Prefect server answers at"


@contextmanager
def serving() -> Iterator[tuple[str, int]]:
    """A server of the lab: the address of its API, and the number of its process."""
    server = TemporaryServer()
    try:
        yield server.wait(), server._process.pid
    finally:
        server.stop()
        server._said.close()


def test_a_killed_server_costs_its_record_alone(
    stages: dict[Verb, Stage], tmp_path: Path, kills: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "home"))
    rng, stage, mark = random.Random("server"), stages[RUN], tmp_path / "mark"  # noqa: S311 - repeatable
    for _ in range(kills):
        folder = copy_of(stage.start, tmp_path / "study")
        moment = rng.randrange(1, stage.n_operations)
        with serving() as (address, process):
            done = run_verb(folder, RUN, moment, mark, [process], address)
        assert mark.exists()
        require_whole(folder, stage.before, stage.after)
        said = " ".join(done.stderr.split())
        if done.returncode:  # killed before anything was begun
            assert said.count(NOBODY_THERE) == 1
            assert visible(folder) == stage.before
            continue
        assert said.count(GONE) <= 1
        assert visible(folder) == stage.after
        assert len(states(folder, "run")["done"]) == N_IMAGES
