"""What Prefect says by itself at the end of a large run."""

import logging
import subprocess
import sys

import pytest

from command import server
from command.server import TemporaryServer
from flows.running.quiet import quiet_prefect


def test_it_is_not_told_how_many_events_are_left_and_which_found_no_server() -> None:
    with quiet_prefect():
        for name in ("prefect._internal.concurrency", "EventsWorker"):
            assert not logging.getLogger(name).isEnabledFor(logging.ERROR)


def test_what_a_server_says_is_kept_from_the_terminal(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database's library told of a connection at the end of 2000 images, with a traceback."""
    talking = [sys.executable, "-c", "import sys; print('out'); print('err', file=sys.stderr)"]
    start = subprocess.Popen
    monkeypatch.setattr(server.subprocess, "Popen", lambda _, **options: start(talking, **options))
    started = TemporaryServer()
    started._process.wait()
    started.stop()
    assert capfd.readouterr() == ("", "")
    assert sorted(started._last_words().splitlines()) == ["err", "out"]
