"""Many images as one submitted task: submitting costs more than running a short task.

Each image inside is still a task run of its own, with its own record, cache entry and failure.
"""

from typing import Any

from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from prefect.states import State


@task(name="chunk", cache_policy=NO_CACHE, persist_result=False)
def run_chunk(work: Task[..., Any], calls: list[dict[str, Any]]) -> list[State[Any]]:
    """Run `work` once for each of `calls`, one after the other, and return how each ended."""
    return [work(**call, return_state=True) for call in calls]
