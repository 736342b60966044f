"""What keeps a run of Apptainer in: flags that always hold, and those that a site may not allow."""

from dataclasses import dataclass

from containers.person import user_id
from containers.run import TMP

NETWORK, MEMORY, CORES = "switch the network off", "limit the memory", "limit the cores"


@dataclass(frozen=True, slots=True)
class Wall:
    """A wall that not every machine can put up."""

    example: tuple[str, ...]  # flags to try it with
    instead: str  # what holds where it cannot be had


OPTIONAL = {
    NETWORK: Wall(("--net", "--network", "none"), "runs see the network of the machine"),
    MEMORY: Wall(("--memory", "1G"), "the limit is the scheduler's, if any"),
    CORES: Wall(("--cpus", "1"), "Ilastik is told how many to use"),
}


def base_flags() -> tuple[str, ...]:
    """Return the flags of every run: nothing of the machine is seen, no right is kept."""
    as_root = ("--userns",) if user_id() == 0 else ()
    walls = ("--containall", "--no-home", "--no-privs", "--drop-caps", "all", "--pwd", TMP)
    return (*as_root, *walls)


def limiting_flags(walls: tuple[str, ...], memory_bytes: int, cpus: float) -> tuple[str, ...]:
    """Return the flags for those walls that can be had."""
    flags = {
        NETWORK: OPTIONAL[NETWORK].example,
        MEMORY: ("--memory", str(memory_bytes)),
        CORES: ("--cpus", str(cpus)),
    }
    return tuple(flag for name in walls for flag in flags[name])
