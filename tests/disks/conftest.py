"""Disks of a few megabytes, as tests fill them."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.containers.conftest import skip_or_fail
from tests.flows.trained_folders import make_trained

ROOM_BYTES = 96 * 2**20


@pytest.fixture(autouse=True)
def _server(prefect_server: None) -> None:
    """Every test of this folder runs flows."""


@dataclass(frozen=True)
class Disk:
    """A file system of its own, in memory."""

    folder: Path

    def used_bytes(self) -> int:
        """What lies on it."""
        status = os.statvfs(self.folder)
        return (status.f_blocks - status.f_bfree) * status.f_frsize

    def leave(self, n_bytes: int) -> None:
        """Fill it, but for so many bytes."""
        filler = self.folder / "filler"
        filler.unlink(missing_ok=True)
        status = os.statvfs(self.folder)
        with filler.open("wb") as file:
            file.write(bytes(max(0, status.f_bavail * status.f_frsize - n_bytes)))

    def empty(self) -> None:
        """Take everything from it."""
        for path in self.folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def remount(self, options: str) -> None:
        """Change how it is mounted: `ro` or `rw`."""
        subprocess.run(["mount", "-o", f"remount,{options}", self.folder], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A disk of its own; for root only, as in CI."""
    folder = tmp_path / "disk"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={ROOM_BYTES}", "tmpfs", str(folder)]
    if os.getuid() != 0:
        pytest.skip("needs root to mount a small disk")
    subprocess.run(words, check=True)
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


class Quota(Disk):
    """A disk of which a person may use a part; it must be one of btrfs."""

    def leave(self, n_bytes: int) -> None:
        """Allow so many bytes more than are there."""
        subprocess.run(["btrfs", "filesystem", "sync", self.folder], check=True)
        shown = ["btrfs", "qgroup", "show", "--raw", "--sync", self.folder]
        said = subprocess.run(shown, check=True, capture_output=True, text=True).stdout
        used = next(line.split()[1] for line in said.splitlines() if line.startswith("0/5 "))
        self._limit(str(int(used) + n_bytes))

    def lift(self) -> None:
        """Allow everything."""
        self._limit("none")

    def _limit(self, n_bytes: str) -> None:
        subprocess.run(["btrfs", "qgroup", "limit", n_bytes, self.folder], check=True)


def make_disk(file: Path, n_bytes: int, *program: str) -> None:
    """Make a file that can be mounted; for root, with a program of the operating system."""
    if os.getuid() != 0 or not shutil.which(program[0]):
        skip_or_fail(f"needs root and {program[0]} to make a disk")
    with file.open("wb") as image:
        image.truncate(n_bytes)
    subprocess.run([*program, file], check=True, capture_output=True)


@contextmanager
def mounted(file: Path, options: str = "loop") -> Iterator[Path]:
    """The folder of a disk that is in a file."""
    folder = file.with_suffix("")
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-o", options, file, folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def quota(tmp_path: Path) -> Iterator[Quota]:
    """A disk with a quota that holds for root as well."""
    file = tmp_path / "quota.img"
    make_disk(file, 2 * ROOM_BYTES, "mkfs.btrfs", "--mixed")
    with mounted(file) as folder:
        subprocess.run(["btrfs", "quota", "enable", folder], check=True)
        yield Quota(folder)


@pytest.fixture
def exfat(tmp_path: Path) -> Iterator[Path]:
    """A disk as of a USB stick: neither links nor rights, `a` and `A` are one name."""
    image, folder = tmp_path / "exfat.img", tmp_path / "exfat"
    if not shutil.which("mount.exfat-fuse"):
        skip_or_fail("needs exfat-fuse to mount an exFAT disk")
    make_disk(image, ROOM_BYTES, "mkfs.exfat")
    folder.mkdir()
    asked = ["losetup", "--find", "--show", image]
    device = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
    try:
        subprocess.run(["mount.exfat-fuse", device, folder], check=True, capture_output=True)
        try:
            yield folder
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)
    finally:
        subprocess.run(["losetup", "--detach", device], check=True)


@pytest.fixture(scope="session")
def trained(prefect_server: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, prepared and trained; not to be changed."""
    folder = tmp_path_factory.mktemp("trained")
    make_trained(folder)
    return folder


@pytest.fixture
def study(trained: Path, tmp_path: Path) -> Path:
    """The example, prepared and trained."""
    return shutil.copytree(trained, tmp_path / "study")


@pytest.fixture(scope="session")
def contents() -> Callable[[Path], dict[str, bytes]]:
    """The files of a folder that have no clock in them, by name."""

    def read(folder: Path) -> dict[str, bytes]:
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
            and not {".ilpix", "ilpix_run.json", "index.html"} & {*path.relative_to(folder).parts}
        }

    return read
