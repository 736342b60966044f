"""Leases: what a living run holds, and what is swept of a dead one; the engine is played."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import docker.errors
import pytest

from containers.errors import EngineRefusedError
from containers.lease import held_lease, sweep_orphans


class PlayedEngine:
    """An engine with containers of leases."""

    def __init__(self, *leases: str, is_broken: bool = False) -> None:
        self.leases, self.is_broken = list(leases), is_broken
        self.containers = SimpleNamespace(list=self._list)
        self.api = SimpleNamespace(remove_container=self._remove)

    def _list(self, *, filters: dict[str, str], **_: Any) -> list[Any]:
        if self.is_broken:
            raise docker.errors.APIError("out of order")
        lease = filters["label"].removeprefix("ilpix.lease=")
        return [SimpleNamespace(id=name, name=name) for name in self.leases if name == lease]

    def _remove(self, name: str, **_: Any) -> None:
        self.leases.remove(name)


def test_lease_has_a_private_folder_and_leaves_nothing(tmp_path: Path) -> None:
    with held_lease(tmp_path / "runs") as lease:
        assert lease.folder.is_dir()
        (lease.folder / "file").touch()
    assert list((tmp_path / "runs").iterdir()) == []


def test_living_lease_is_not_swept(tmp_path: Path) -> None:
    with held_lease(tmp_path) as lease:
        engine = PlayedEngine(lease.name)
        assert sweep_orphans(engine, tmp_path) == []  # type: ignore[arg-type] # played
        assert engine.leases == [lease.name]
        assert lease.folder.is_dir()


def test_killed_lease_is_swept_with_its_folder(tmp_path: Path) -> None:
    script = f"""
from pathlib import Path
import os, signal
from containers.lease import held_lease
with held_lease(Path({str(tmp_path)!r})) as lease:
    (lease.folder / "file").touch()
    os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", script], check=False, cwd=Path(__file__).parents[3])
    (lock,) = tmp_path.glob("*.lock")
    engine = PlayedEngine(lock.stem, "somebody-elses")
    assert sweep_orphans(engine, tmp_path) == [lock.stem]  # type: ignore[arg-type] # played
    assert engine.leases == ["somebody-elses"]
    assert list(tmp_path.iterdir()) == []


def test_containers_that_cannot_be_removed_are_left_to_the_next_sweep(tmp_path: Path) -> None:
    engine = PlayedEngine(is_broken=True)
    with held_lease(tmp_path, engine) as lease:  # type: ignore[arg-type] # played
        engine.leases.append(lease.name)
    with pytest.raises(EngineRefusedError):
        sweep_orphans(engine, tmp_path)  # type: ignore[arg-type] # played
    engine.is_broken = False
    assert sweep_orphans(engine, tmp_path) == [lease.name]  # type: ignore[arg-type] # played
    assert list(tmp_path.iterdir()) == []


def test_sweep_of_a_new_data_directory_does_nothing(tmp_path: Path) -> None:
    assert sweep_orphans(PlayedEngine(), tmp_path / "runs") == []  # type: ignore[arg-type] # played
