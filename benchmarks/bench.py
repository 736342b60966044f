"""Where everything is measured: one folder, one environment, one server for those beside it."""

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmarks.costs import Work
from benchmarks.orchestration import server
from benchmarks.studies import Environment


@dataclass(frozen=True)
class Row:
    """One thing that takes time, and a peer that does the same, if there is one."""

    name: str
    prepare: Callable[[], tuple[Work, Work | None]]  # makes ready what is measured, and the peer
    peer_name: str = ""
    is_large: bool = False  # takes minutes: measured when asked for, and once
    n_images: int = 0  # where what an image costs is told


@dataclass
class Bench:
    """A folder that is removed in the end, and what is started in it when it is needed."""

    folder: Path
    until: ExitStack  # closed in the end
    ilastik: Path | None = None  # a program of real Ilastik
    steinbock: Path | None = None

    @cached_property
    def environment(self) -> Environment:
        """A user's: a Prefect home of its own, compiled Python is kept, no server is named."""
        dropped = ("PREFECT_API_URL", "PYTHONDONTWRITEBYTECODE")
        kept = {name: value for name, value in os.environ.items() if name not in dropped}
        return {
            **kept,
            "PREFECT_HOME": str(self.folder / "home"),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
        }

    @cached_property
    def beside(self) -> Environment:
        """The environment of those beside a server, which runs from now on."""
        return self.until.enter_context(server(self.folder, self.environment))
