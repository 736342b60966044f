"""Ilastik's headless command line and environment, as values."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from containers.settings import MIB

DATASET = "exported_data"
MOST_THREADS = 8  # Ilastik gets slower with more
MEMORY_SHARE = 0.75  # of the limit that Ilastik plans with; the rest is for what it does not count


@dataclass(frozen=True, slots=True)
class PreparedInput:
    """One prepared image, as Ilastik needs to know it."""

    source: Path
    dataset: str  # its path inside the HDF5 file
    axes: str  # the order of its axes, such as "cyx"
    height: int
    width: int


def input_name(index: int) -> str:
    """Return the file name of the `index`-th image of a run; nothing in it can be misread."""
    return f"{index:04d}.h5"


def ilastik_arguments(
    project: str, folder_in: str, inputs: Sequence[PreparedInput], folder_out: str
) -> tuple[str, ...]:
    """Return the arguments that turn prepared images into probability images in HDF5 files.

    Every export option is given: what is left out Ilastik takes from the project. All inputs of a
    run have the same axis order. One image gets a literal output name, several get theirs by
    `{nickname}`.
    """
    (axes,) = {item.axes for item in inputs}
    name = input_name(0) if len(inputs) == 1 else "{nickname}.h5"
    return (
        "--headless",
        f"--project={project}",
        "--readonly=1",
        f"--input_axes={axes}",
        "--export_source=Probabilities",
        "--output_format=hdf5",
        f"--output_filename_format={folder_out}/{name}",
        f"--output_internal_path={DATASET}",
        "--output_axis_order=yxc",
        "--export_dtype=uint16",
        "--pipeline_result_drange=(0.0,1.0)",
        "--export_drange=(0,65535)",
        # else the region that somebody last exported is all that is written
        "--cutout_subregion=[(None,None,None),(None,None,None)]",
        *(f"{folder_in}/{input_name(i)}/{item.dataset}" for i, item in enumerate(inputs)),
    )


def ilastik_environment(cpus: float, memory_bytes: int) -> tuple[tuple[str, str], ...]:
    """Return the variables that keep Ilastik within its limits; it does not see a container's."""
    return (
        ("HDF5_USE_FILE_LOCKING", "FALSE"),
        ("HOME", "/tmp"),  # noqa: S108 Ilastik writes its log there; in a container /tmp is its own
        ("LAZYFLOW_THREADS", str(max(1, min(MOST_THREADS, int(cpus))))),
        ("LAZYFLOW_TOTAL_RAM_MB", str(int(memory_bytes * MEMORY_SHARE) // MIB)),
    )
