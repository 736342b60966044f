"""Progress as an artifact in the Prefect UI."""

import time
from pathlib import Path
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.context import FlowRunContext

from flows.artifact_keys import artifact_key
from flows.running.server import on_server
from ilpix.training.phases import Phase

UPDATE_EVERY_S = 2.0  # an update costs about 10 ms at the server


def open_artifact(title: str, total: int, folder: Path) -> "ArtifactStep | None":
    """Return a step that is shown in the UI; None outside of a flow run, and without images."""
    if not total or FlowRunContext.get() is None:
        return None
    return on_server(lambda: ArtifactStep(title, total, folder))


class ArtifactStep:
    """One step over many images, in per cent."""

    def __init__(self, title: str, total: int, folder: Path) -> None:
        self.total, self.done, self.last = total, 0, time.monotonic()
        key = artifact_key(f"{title}-progress", folder)
        told = f"{title}, folder {folder.absolute()}"
        created = create_progress_artifact(0.0, key=key, description=told)
        self.artifact = UUID(str(created))

    def advance(self, image: str) -> None:
        """Tell that one more image is done."""
        self.done += 1
        self._update_at_times(self.done / self.total, self._told(image))

    def tell(self, phase: Phase) -> None:
        """Tell what the work on an image is busy with."""
        self._update_at_times(phase.done, phase.now)

    def finish(self) -> None:
        """Show how far the step came."""
        self._update(self.done / self.total, self._told("finished"))

    def _told(self, last: str) -> str:
        return f"{self.done} of {self.total}, last: {last}"

    def _update_at_times(self, share: float, description: str) -> None:
        now = time.monotonic()
        if now - self.last >= UPDATE_EVERY_S:
            self.last = now
            self._update(share, description)

    def _update(self, share: float, description: str) -> None:
        on_server(
            lambda: update_progress_artifact(self.artifact, 100 * share, description=description)
        )
