"""The undisturbed way; the rest is in `study` and the tests."""

from pathlib import Path

import pytest

from tests.chaos.study import (
    FIX,
    OVERWRITE,
    PREPARE,
    RUN,
    TRAIN,
    Stage,
    Verb,
    copy_of,
    run_verb,
    visible,
    write_foreign,
    write_labels,
    write_study,
)


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
