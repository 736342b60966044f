"""What became of each image in a run of a verb."""

from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel

from ilpix.files import printable
from tasks.records import FilesWritten

if TYPE_CHECKING:
    from prefect.states import State  # takes a second to import, and the manifest is read before


class Outcome(BaseModel, frozen=True):
    """What became of one image in one step."""

    image: str  # its name without folder and ending
    step: str  # the task's name
    state: Literal["done", "kept", "failed"]  # kept: the work had been done before
    files: dict[str, str] = {}  # file name: SHA-256
    facts: dict[str, Any] = {}  # shape, seconds, class areas, …
    error: str | None = None  # what, where and what to do
    cause: str | None = None  # name of the error class


def outcome_of(image: str, step: str, state: "State[Any]") -> Outcome:
    """Turn the final state of a task run into the outcome of its image."""
    result = state.result(raise_on_failure=False)
    if state.is_completed() and isinstance(result, FilesWritten):
        kept = state.name == "Cached"
        return Outcome(
            image=image,
            step=step,
            state="kept" if kept else "done",
            files=result.files,
            facts=result.facts,
        )
    return Outcome(
        image=image,
        step=step,
        state="failed",
        error=printable(str(result or state.message or state.name)),
        cause=type(result).__name__,
    )
