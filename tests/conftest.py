"""What the tests of every folder share. Settings are made before Prefect is imported."""

import os

os.environ.update(
    DO_NOT_TRACK="1",
    PREFECT_SERVER_ANALYTICS_ENABLED="false",
    PREFECT_LOGGING_TO_API_ENABLED="false",
    PREFECT_LOGGING_LEVEL="CRITICAL",
    PREFECT_SERVER_LOGGING_LEVEL="CRITICAL",
    PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE="200",
    PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE="200",
    PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL="1",
    PREFECT_SERVER_SERVICES_EVENT_PERSISTER_ENABLED="false",
    PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED="false",
)

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]

# Tests that a shell starts in the background ignore SIGINT, those below `nohup` SIGHUP, and so
# would the programs they start.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of tests that do more, or something else, when they are asked."""
    parser.addoption("--pictures", type=Path, help="where pictures of pages go, as docs/images")
    parser.addoption(
        "--kills", type=int, default=1, help="kills of each kind; see docs/reliability.md"
    )


@pytest.fixture(scope="session")
def kills(request: pytest.FixtureRequest) -> int:
    """How often each verb, and each program that it works with, is killed."""
    return int(request.config.getoption("--kills"))


@pytest.fixture(scope="session")
def imc() -> Path:
    """The real tissue: 15 regions with outputs of steinbock and Ilastik; not in the repository."""
    folder = REPOSITORY.parent / "shared" / "data" / "imc"
    if not folder.is_dir():
        pytest.skip("the real tissue is not beside this checkout (../shared/data/imc)")
    return folder


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One temporary Prefect server for all tests that run flows; others never import Prefect."""
    from prefect.settings import (  # noqa: PLC0415
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
        PREFECT_LOCAL_STORAGE_PATH,
        temporary_settings,
    )
    from prefect.testing.utilities import prefect_test_harness  # noqa: PLC0415

    storage: Path = tmp_path_factory.mktemp("results")
    with (
        prefect_test_harness(server_startup_timeout=90),
        temporary_settings(
            {
                PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,
                PREFECT_LOCAL_STORAGE_PATH: storage,
            }
        ),
    ):
        yield
