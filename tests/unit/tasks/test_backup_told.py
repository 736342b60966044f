"""Where a project was set aside and the new one never written, the next `prepare` says so."""

import logging
from pathlib import Path

import pytest

from tasks.projects import tell_backup


def test_a_missing_project_with_a_backup_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A killed `prepare --overwrite` left its backups and no word of them."""
    project = tmp_path / "pixel_classifier.ilp"
    with caplog.at_level(logging.WARNING, "tasks.projects"):
        tell_backup(project)
        assert caplog.messages == []
        (tmp_path / "pixel_classifier.ilp.bak").touch()
        tell_backup(project)
    (message,) = caplog.messages
    assert "its backup pixel_classifier.ilp.bak is" in message
