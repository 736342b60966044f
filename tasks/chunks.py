"""Many images as one task run: that of a thousand small images costs more than the images.

Each image still has a record, a cache entry and an outcome of its own. What was done before and
what succeeds needs no task run; what fails gets one, with its retries, its log and its state.
"""

from typing import Any

from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from prefect.results import ResultStore, get_result_store
from prefect.states import Completed, State

from tasks.caching import key_of, recorded
from tasks.records import FilesWritten


@task(name="chunk", cache_policy=NO_CACHE, persist_result=False)
def run_chunk(work: Task[..., Any], calls: list[dict[str, Any]]) -> list[State[Any]]:
    """Do `work` once for each of `calls`, one after the other, and return how each ended."""
    untyped: Any = get_result_store()
    store = untyped.update_for_task(work, _sync=True)
    return [_state_of(work, call, store) for call in calls]


def _state_of(work: Task[..., Any], call: dict[str, Any], store: ResultStore) -> State[Any]:
    if key := key_of(work, call):
        if written := recorded(work, call, key):
            return Completed(name="Cached", data=written)
        if written := _do(work, call, key):
            store.write(written, key=key)
            return Completed(data=written)
    as_task: State[Any] = work(**call, return_state=True)
    return as_task


def _do(work: Task[..., Any], call: dict[str, Any], key: str) -> FilesWritten | None:
    """Do the work; None where it fails, or an input changes meanwhile."""
    try:
        written: FilesWritten = work.fn(**call)
        return written if key_of(work, call) == key else None
    except Exception:  # whatever it is: the task run meets it again, and tells it
        return None
