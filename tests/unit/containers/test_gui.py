"""Ilastik's window: local, or in a container that is played."""

import gzip
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import docker
import pytest

from containers.errors import GuiEndedError, LocalProgramError, NoIlastikError, ProgramTooOldError
from containers.gui import open_gui_in_browser
from containers.local_gui import IN_PATH, GuiSettings, find_local_ilastik, open_local_gui
from ilpix.project.errors import NoProjectError

DATA = Path(__file__).parents[2] / "golden" / "data"


class PlayedEngine:
    """An engine on which Ilastik's window ends by itself after a while."""

    def __init__(self, exit_code: int) -> None:
        self.exit_code, self.created, self.removed = exit_code, {}, []
        self.looks = 3
        self.images = SimpleNamespace(get=lambda _: SimpleNamespace(id="sha256:0", attrs={}))
        self.containers = SimpleNamespace(create=self._create, list=lambda **_: [])
        self.api = SimpleNamespace(
            start=lambda _: None, inspect_container=self._inspect, remove_container=self._remove
        )

    def close(self) -> None:
        """Nothing is open."""

    def _create(self, _: str, **options: Any) -> None:
        self.created = options

    def _inspect(self, _: str) -> dict[str, Any]:
        self.looks -= 1
        return {"State": {"Running": self.looks > 0, "ExitCode": self.exit_code}}

    def _remove(self, name: str, **_: Any) -> None:
        self.removed.append(name)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of Ilastik 1.3.3, ready for labels."""
    path = tmp_path / "data" / "p.ilp"
    path.parent.mkdir()
    path.write_bytes(gzip.decompress((DATA / "projects" / "untrained.ilp.gz").read_bytes()))
    return path


def _play(monkeypatch: pytest.MonkeyPatch, exit_code: int = 0) -> PlayedEngine:
    engine = PlayedEngine(exit_code)
    monkeypatch.setattr(docker, "from_env", lambda **_: engine)
    monkeypatch.setenv("DOCKER_HOST", "tcp://played")
    return engine


def test_window_is_on_loopback_with_the_data_directory(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = _play(monkeypatch)
    said: list[str] = []
    open_gui_in_browser(project, GuiSettings(port=5801), said.append, threading.Event())
    assert engine.created["ports"] == {"5800/tcp": ("127.0.0.1", 5801)}
    (mount,) = engine.created["mounts"]
    assert (mount["Source"], mount["Target"]) == (str(project.parent), "/data")
    assert "http://127.0.0.1:5801" in said[0]
    assert "/data/p.ilp" in said[0]
    assert engine.removed == [engine.created["name"]]
    assert not list((project.parent / ".ilpix" / "runs").iterdir())


def test_stop_closes_the_window(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = _play(monkeypatch)
    engine.looks = 10**6
    stop = threading.Event()
    open_gui_in_browser(project, GuiSettings(), lambda _: stop.set(), stop)
    assert engine.removed == [engine.created["name"]]


def test_window_that_ends_with_an_error_is_an_error(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = _play(monkeypatch, exit_code=3)
    with pytest.raises(GuiEndedError, match="exit code 3"):
        open_gui_in_browser(project, GuiSettings(), lambda _: None, threading.Event())
    assert engine.removed == [engine.created["name"]]


def test_project_of_a_newer_ilastik_is_not_opened(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write_bytes(gzip.decompress((DATA / "projects" / "trained.ilp.gz").read_bytes()))
    engine = _play(monkeypatch)
    with pytest.raises(ProgramTooOldError, match=r"1\.4\.2.*1\.4\.0"):
        open_gui_in_browser(project, GuiSettings(), lambda _: None, threading.Event())
    assert engine.created == {}


def test_local_ilastik_is_found_in_path_and_opens_the_project(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / IN_PATH[0]
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/said\nexit 7\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    assert find_local_ilastik(None) == program
    assert open_local_gui(program, project, ["--redirect_output", "log"]) == 7
    said = f"--project={project} --redirect_output log\n"
    assert (tmp_path / "said").read_text() == said


@pytest.mark.parametrize(
    ("older", "newest"),
    [
        (
            "ilastik-1.3.3post3-OSX.app",
            "ilastik-1.4.10-OSX.app/Contents/ilastik-release/run_ilastik.sh",
        ),
        ("ilastik-1.4.9", "ilastik-1.4.10/ilastik.exe"),
        ("ilastik-1.4.2b3-Linux", "ilastik-1.4.2-Linux/run_ilastik.sh"),
    ],
)
def test_the_newest_installed_ilastik_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, older: str, newest: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    folder, _, inside = newest.partition("/")
    for name in (older, folder):
        program = tmp_path / name / inside
        program.parent.mkdir(parents=True)
        program.touch()
    assert find_local_ilastik(None, [tmp_path / "none", tmp_path]) == tmp_path / newest


def test_a_missing_project_is_said_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(NoProjectError):
        open_local_gui(Path("/bin/true"), tmp_path / "none.ilp")
    nowhere = GuiSettings(engine="unix:///nowhere")
    with pytest.raises(NoProjectError):
        open_gui_in_browser(tmp_path / "none.ilp", nowhere, print, threading.Event())


def test_machine_without_ilastik_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_local_ilastik(None, [tmp_path]) is None
    with pytest.raises(LocalProgramError):
        find_local_ilastik(tmp_path / "ilastik")


def test_without_ilastik_and_engine_it_is_said_how_to_train(project: Path) -> None:
    """It was "predict with the embedded engine", which trains nothing."""
    nowhere = GuiSettings(engine="unix:///nowhere.sock")
    with pytest.raises(NoIlastikError, match="ilpix train --labels") as raised:
        open_gui_in_browser(project, nowhere, print, threading.Event())
    assert "predict" not in str(raised.value)
