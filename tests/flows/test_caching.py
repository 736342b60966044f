"""Work is done once: what changes, and what runs again for it."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from prefect import flow, task
from prefect.states import State
from pydantic import BaseModel

from tasks.caching import ContentPolicy, is_known
from tasks.chunks import run_chunk
from tasks.records import FilesWritten, files_written
from tasks.unchanged import InputChangedError, require_unchanged_inputs

RECORDS = Path(".ilpix") / "results"


class Factor(BaseModel, frozen=True):
    times: int = 2


@task(
    cache_policy=ContentPolicy(algorithm=1, without=("threads",)),
    result_serializer="json",
    cache_result_in_memory=False,
)
def repeat_content(source: Path, target: Path, factor: Factor, threads: int) -> FilesWritten:
    target.write_bytes(source.read_bytes() * factor.times)
    with (target.parent / "ran.txt").open("a") as log:
        log.write("ran\n")
    return files_written(target)


@flow
def repeat_flow(
    folder: Path, factor: Factor, threads: int, algorithm: int = 1, in_chunk: bool = False
) -> FilesWritten:
    work = repeat_content.with_options(
        result_storage=(folder / RECORDS).absolute(),
        cache_policy=ContentPolicy(algorithm=algorithm, without=("threads",)),
    )
    call = {"target": folder / "a.out", "factor": factor, "threads": threads}
    call["source"] = folder / "a.txt"
    return run_chunk(work, [call])[0].result() if in_chunk else work(**call)


def runs(folder: Path) -> int:
    return (folder / "ran.txt").read_text().count("ran")


def nothing(folder: Path) -> None:
    pass


def touch_later(folder: Path) -> None:
    later = (folder / "a.txt").stat().st_mtime + 1000
    os.utime(folder / "a.txt", (later, later))


def damage_record(folder: Path) -> None:
    for record in (folder / RECORDS).iterdir():
        record.write_bytes(record.read_bytes()[:20])


def make_record_a_pickle(folder: Path) -> None:
    """A record that asks to be unpickled is a stranger's code; it is not read."""
    for record in (folder / RECORDS).iterdir():
        content = json.loads(record.read_bytes())
        content["metadata"]["serializer"] = {"type": "pickle"}
        record.write_text(json.dumps(content))


@dataclass(frozen=True)
class Change:
    name: str
    make: Callable[[Path], object]
    times: int = 2
    threads: int = 1
    algorithm: int = 1
    runs_again: bool = True


CHANGES = (
    Change("nothing", nothing, runs_again=False),
    Change("time of change", touch_later, runs_again=False),
    Change("threads", nothing, threads=7, runs_again=False),
    Change("parameter", nothing, times=3),
    Change("algorithm", nothing, algorithm=2),
    Change("input", lambda folder: (folder / "a.txt").write_text("b")),
    Change("output deleted", lambda folder: (folder / "a.out").unlink()),
    Change("output changed", lambda folder: (folder / "a.out").write_text("other")),
    Change("record cut short", damage_record),
    Change("record asks to be unpickled", make_record_a_pickle),
)


@pytest.mark.parametrize(
    ("first", "second"), [("alone", "alone"), ("alone", "chunk"), ("chunk", "alone")]
)
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_a_task_runs_again_only_for_what_changes_its_output(
    tmp_path: Path, change: Change, first: str, second: str
) -> None:
    (tmp_path / "a.txt").write_text("a")
    repeat_flow(tmp_path, Factor(), 1, in_chunk=first == "chunk")
    change.make(tmp_path)
    written = repeat_flow(
        tmp_path,
        Factor(times=change.times),
        change.threads,
        algorithm=change.algorithm,
        in_chunk=second == "chunk",
    )
    assert runs(tmp_path) == (2 if change.runs_again else 1)
    assert (tmp_path / "a.out").read_bytes() == (tmp_path / "a.txt").read_bytes() * change.times
    assert list(written.files) == ["a.out"]


def test_a_copied_folder_keeps_its_cache_and_its_outputs_are_its_own(tmp_path: Path) -> None:
    original, copy = tmp_path / "original", tmp_path / "copy"
    original.mkdir()
    (original / "a.txt").write_text("a")
    repeat_flow(original, Factor(), 1)
    shutil.copytree(original, copy)
    shutil.rmtree(original)
    repeat_flow(copy, Factor(), 1)
    assert runs(copy) == 1
    assert not original.exists()


@flow
def repeat_while_somebody_writes(folder: Path) -> FilesWritten:
    """The source changes after it was read for the first time."""

    def reading(source: Path, target: Path, factor: Factor, threads: int) -> FilesWritten:
        content = source.read_bytes()
        source.write_text("b")
        target.write_bytes(content * factor.times)
        return files_written(target)

    policy = ContentPolicy(algorithm=1, without=("threads",))
    work = task(reading, cache_policy=policy, result_serializer="json").with_options(
        result_storage=(folder / RECORDS).absolute()
    )
    call = {"target": folder / "a.out", "factor": Factor(), "threads": 1}
    return run_chunk(work, [{"source": folder / "a.txt", **call}])[0].result()


def test_what_is_read_while_it_changes_is_read_again_in_a_chunk(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    written = repeat_while_somebody_writes(tmp_path)
    assert (tmp_path / "a.out").read_text() == "bb"
    assert written == files_written(tmp_path / "a.out")
    assert len(list((tmp_path / RECORDS).iterdir())) == 1


@task
def keep_nothing(source: Path) -> str:
    return source.read_text()


def test_whether_a_call_is_known_is_told_beforehand(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    call = {
        "source": tmp_path / "a.txt",
        "target": tmp_path / "a.out",
        "factor": Factor(),
        "threads": 1,
    }
    records = (tmp_path / RECORDS).absolute()
    kept = repeat_content.with_options(result_storage=records)
    assert not is_known(kept, call)
    repeat_flow(tmp_path, Factor(), 1)
    assert is_known(kept, call)
    assert not is_known(repeat_content, call), "nobody said where its records are"
    assert not is_known(kept.with_options(refresh_cache=True), call)
    assert not is_known(keep_nothing.with_options(result_storage=records), call)
    (tmp_path / "a.out").unlink()
    assert not is_known(kept, call)


@task(cache_policy=ContentPolicy(), result_serializer="json", cache_result_in_memory=False)
def copy_while_somebody_writes(source: Path, target: Path, how: str) -> FilesWritten:
    target.write_bytes(source.read_bytes())
    if how == "written to":
        source.write_text("later")
    elif how == "replaced":
        source.with_name("new").write_bytes(b"later")
        source.with_name("new").replace(source)
    elif how == "deleted":
        source.unlink()
    require_unchanged_inputs(discard=[target])
    return files_written(target)


@flow
def copy_flow(folder: Path, how: str) -> State[FilesWritten]:
    work = copy_while_somebody_writes.with_options(result_storage=(folder / RECORDS).absolute())
    return work(folder / "a.txt", folder / "a.out", how, return_state=True)


@pytest.mark.parametrize("how", ["written to", "replaced", "deleted"])
def test_an_input_that_changes_while_it_is_read_is_an_error_and_nothing_is_kept(
    tmp_path: Path, how: str
) -> None:
    """What was computed from one content was remembered under the key of another one."""
    (tmp_path / "a.txt").write_text("early")
    with pytest.raises(InputChangedError, match=r"a\.txt changed while being read"):
        copy_flow(tmp_path, how)
    assert not (tmp_path / "a.out").exists()


def test_an_input_that_stays_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("early")
    copy_flow(tmp_path, "not at all")
    assert (tmp_path / "a.out").read_text() == "early"
