"""A container run as a value: everything that is asked of the engine, before anything happens."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docker.types import LogConfig, Mount, Ulimit

PLATFORM = "linux/amd64"
RUN_LABEL = "ilpix.run"
IMAGE_LABEL = "ilpix.image"
LEASE_LABEL = "ilpix.lease"
TMP = "/tmp"  # noqa: S108 a path in the container, its own tmpfs
OPEN_FILES = 4096
LOG_BYTES = 16 * 2**20  # what the engine keeps of one container's output


@dataclass(frozen=True, slots=True)
class BindMount:
    """A file or folder of the engine's machine inside the container."""

    source: Path  # as the engine's machine names it
    target: str  # absolute path in the container
    read_only: bool = True

    def as_docker(self) -> Mount:
        """The mount in the engine's words; a source that does not exist is an error there."""
        return Mount(self.target, str(self.source), type="bind", read_only=self.read_only)


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one container may take."""

    memory_bytes: int
    cpus: float
    pids: int
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Account:
    """Who the process in the container is."""

    user: str  # "uid:gid"
    user_namespace: str = ""  # "keep-id" where a rootless Podman maps ids, else the engine's own


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerRun:
    """One command, run once, in a container without network, rights or a writable root."""

    name: str  # unique on the engine
    image: str  # pinned: an image id or name@sha256:...
    program: str  # absolute path in the image; an entrypoint of the image is not used
    arguments: tuple[str, ...]
    mounts: tuple[BindMount, ...]
    environment: tuple[tuple[str, str], ...]
    labels: tuple[tuple[str, str], ...]
    account: Account
    limits: Limits

    def create_options(self) -> dict[str, Any]:
        """Everything but the image, in the words of `docker.models.containers.create`."""
        return {
            "name": self.name,
            "entrypoint": [self.program],
            "command": list(self.arguments),
            "environment": dict(self.environment),
            "labels": dict(self.labels),
            "mounts": [mount.as_docker() for mount in self.mounts],
            "platform": PLATFORM,
            "working_dir": TMP,
            "user": self.account.user,
            "userns_mode": self.account.user_namespace or None,
            "log_config": LogConfig(type="json-file", config={"max-size": str(LOG_BYTES)}),
            **self._limits(),
            **self._walls(),
        }

    def _limits(self) -> dict[str, Any]:
        limits = self.limits
        return {
            "mem_limit": limits.memory_bytes,
            "memswap_limit": limits.memory_bytes,  # as much as the memory: no swap
            "nano_cpus": round(limits.cpus * 1e9),
            "pids_limit": limits.pids,
            "ulimits": [
                Ulimit(name="core", soft=0, hard=0),
                Ulimit(name="nofile", soft=OPEN_FILES, hard=OPEN_FILES),
            ],
        }

    @staticmethod
    def _walls() -> dict[str, Any]:
        return {
            "network_mode": "none",
            "ipc_mode": "private",
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges"],
            "read_only": True,
            "tmpfs": {TMP: "rw,noexec,nosuid,nodev,mode=1777"},
            "init": True,
            "auto_remove": False,
        }
