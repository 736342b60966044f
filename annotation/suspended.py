"""Runs of `classify` that were suspended until somebody has trained: find them, let them go on."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any
from uuid import UUID

from annotation.errors import NoSuspendedRunError, NotTrainableYetError

LOOK_S = 10.0
_FLOW = "classify"
_ANSWER = {"next_step": "predict with the project of this run"}
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WaitingRun:
    """A run that waits for a person."""

    id: str
    name: str


class WaitingRuns(Thread):
    """Looks again and again which runs wait for a data directory; without a server for none."""

    def __init__(self, data_dir: Path, on_change: Callable[[], None]) -> None:
        super().__init__(name="runs", daemon=True)
        self._data_dir, self._on_change = data_dir, on_change
        self.waiting: tuple[WaitingRun, ...] = ()
        self._ended = Event()

    def run(self) -> None:
        """Look until the end."""
        while not self._ended.is_set():
            try:
                found = find_waiting(self._data_dir)
            except Exception as error:
                _log.debug("no runs could be looked for: %s", error)
                found = ()
            if found is None:
                return
            if found != self.waiting:
                self.waiting = found
                self._on_change()
            self._ended.wait(LOOK_S)

    def resume(self, *, has_classifier: bool) -> WaitingRun:
        """Let the first run that waits go on with the project as it is saved.

        Raises:
            NotTrainableYetError: if there is no classifier.
            NoSuspendedRunError: if none waits.
        """
        if not has_classifier:
            raise NotTrainableYetError
        found = find_waiting(self._data_dir) or ()
        if not found:
            raise NoSuspendedRunError
        resume(found[0])
        self.waiting = found[1:]
        self._on_change()
        return found[0]


def find_waiting(data_dir: Path) -> tuple[WaitingRun, ...] | None:
    """Return the suspended runs of a data directory; None where there is no server to ask."""
    from prefect.client.orchestration import get_client  # noqa: PLC0415 - takes seconds
    from prefect.client.schemas.filters import (  # noqa: PLC0415 - as above
        FlowFilter,
        FlowFilterName,
        FlowRunFilter,
        FlowRunFilterState,
        FlowRunFilterStateType,
    )
    from prefect.client.schemas.objects import StateType  # noqa: PLC0415 - as above
    from prefect.settings import get_current_settings  # noqa: PLC0415 - as above

    if not get_current_settings().api.url:
        return None
    is_paused = FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.PAUSED]))
    with get_client(sync_client=True) as client:
        runs = client.read_flow_runs(
            flow_filter=FlowFilter(name=FlowFilterName(any_=[_FLOW])),
            flow_run_filter=FlowRunFilter(state=is_paused),
        )
    return tuple(
        WaitingRun(str(run.id), run.name) for run in runs if _is_of(run.parameters, data_dir)
    )


def resume(run: WaitingRun) -> None:
    """Answer the question of a suspended run.

    Raises:
        NoSuspendedRunError: if it does not wait any more.
    """
    from prefect.client.orchestration import get_client  # noqa: PLC0415 - takes seconds

    with get_client(sync_client=True) as client:
        answer = client.resume_flow_run(UUID(run.id), run_input=_ANSWER)
    if answer.status.value != "ACCEPT":
        raise NoSuspendedRunError


def _is_of(parameters: dict[str, Any], data_dir: Path) -> bool:
    given = parameters.get("data_dir")
    return given is not None and Path(str(given)).resolve() == data_dir.resolve()
