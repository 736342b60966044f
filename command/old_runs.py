"""Runs that the temporary server of earlier commands remembers, and how they are forgotten.

It is Prefect that forgets them, as its servers do with runs of a certain age.
"""

import asyncio
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

AGE = timedelta(days=1)
_BUSY_S = 5.0


@dataclass(frozen=True, slots=True)
class OldRuns:
    """Runs in the database of the temporary server that ended more than a day ago."""

    database: Path
    count: int

    @property
    def n_bytes(self) -> int:
        """The size of the database, which also holds what stays."""
        beside = (self.database, self.database.with_name(f"{self.database.name}-wal"))
        return sum(path.stat().st_size for path in beside if path.exists())


def find_old_runs() -> OldRuns | None:
    """Find runs that can be forgotten.

    Returns:
        None where runs are kept by a server that somebody started: it has a name in the settings, a
        database of its own, or deployments.
    """
    from prefect.settings import (  # noqa: PLC0415
        PREFECT_API_DATABASE_CONNECTION_URL,
        PREFECT_HOME,
    )

    from flows.running.quiet import has_server  # noqa: PLC0415

    database = PREFECT_HOME.value() / "prefect.db"
    address = str(PREFECT_API_DATABASE_CONNECTION_URL.value())
    if has_server() or not address.endswith(str(database)) or not database.exists():
        return None
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        try:
            if connection.execute("select count(*) from deployment").fetchone()[0]:
                return None
            ended = "select count(*) from flow_run where end_time < ?"
            until = (datetime.now(UTC) - AGE).strftime("%Y-%m-%d %H:%M:%S")
            count = connection.execute(ended, (until,)).fetchone()[0]
        except sqlite3.DatabaseError:  # of another version, or not made yet
            return None
    return OldRuns(database, count) if count else None


def forget(runs: OldRuns) -> int:
    """Remove the runs with their tasks, logs, artifacts and events; return how many bytes less."""
    before = runs.n_bytes
    asyncio.run(_vacuum())
    with (
        closing(sqlite3.connect(runs.database, timeout=_BUSY_S)) as connection,
        suppress(sqlite3.OperationalError),  # another command uses it; the room is used again then
    ):
        connection.execute("vacuum")
        connection.execute("pragma wal_checkpoint(truncate)")
    return before - runs.n_bytes


async def _vacuum() -> None:
    from prefect.server.database import provide_database_interface  # noqa: PLC0415
    from prefect.server.services import db_vacuum  # noqa: PLC0415
    from prefect.settings import (  # noqa: PLC0415
        PREFECT_EVENTS_RETENTION_PERIOD,
        PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD,
        temporary_settings,
    )

    age = {
        PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD: AGE,
        PREFECT_EVENTS_RETENTION_PERIOD: AGE,
    }
    with temporary_settings(age):
        database = provide_database_interface()
        await db_vacuum.vacuum_old_flow_runs(db=database)
        await db_vacuum.vacuum_stale_artifact_collections(db=database)
        await db_vacuum.vacuum_old_events(db=database)
