"""The lanes of a project: its training images, as they stand there."""

import math
from dataclasses import dataclass

from ilpix.errors import told_shape
from ilpix.images.axistags import parse_axistags
from ilpix.project.file import INFOS, ProjectReader

LOCAL_DATA = "Input Data/local_data"


MAX_LANE_PX = 2**28


_INTERNAL_CLASSES = frozenset({"ProjectInternalDatasetInfo", "PreloadedArrayDatasetInfo"})


@dataclass(frozen=True, slots=True)
class Lane:
    """One training image of a project, as it stands there."""

    index: int  # counted from 0
    nickname: str
    file_path: str  # as stored: absolute or relative to the project, with the dataset behind it
    dataset_class: str  # Ilastik's name for how the pixels are found
    axes: str  # the stored axis order, such as "cyx"
    shape: tuple[int, ...]  # in the order of `axes`
    inner_path: str | None  # of pixels that lie in the project itself
    flaw: str = ""  # why `axes` and `shape` are empty; empty where they are known

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.shape[self.axes.index("y")], self.shape[self.axes.index("x")]

    @property
    def n_channels(self) -> int:
        """How many channels there are; 1 without a channel axis."""
        return self.shape[self.axes.index("c")] if "c" in self.axes else 1

    @property
    def is_stack(self) -> bool:
        """Whether it is a volume or a time series."""
        return any(
            size > 1 for key, size in zip(self.axes, self.shape, strict=True) if key not in "cyx"
        )


def read_lanes(reader: ProjectReader) -> tuple[Lane, ...]:
    """Read the lanes of an open project, those included that do not say how large they are.

    One that cannot be read is left out and a problem of `reader`.
    """
    group = reader.group(INFOS) if INFOS in reader.file else None
    names = sorted(group) if group is not None else []
    if names != [f"lane{index:04d}" for index in range(len(names))]:
        reader.note(INFOS, f"has the lanes {', '.join(names[:5])} …, not lane0000, lane0001, …")
        return ()
    lanes = (
        read_lane(reader, index, f"{INFOS}/{name}/Raw Data") for index, name in enumerate(names)
    )
    return tuple(lane for lane in lanes if lane is not None)


def read_lane(reader: ProjectReader, index: int, where: str) -> Lane | None:
    """Read the entry `Raw Data` of a lane; None where it is damaged, with problems of `reader`."""
    n_known = len(reader.problems)
    group = reader.group(where)
    if group is None:
        return None
    stored = set(group)
    texts = {
        name: reader.text(f"{where}/{name}") if name in stored else ""
        for name in ("__class__", "location", "nickname", "datasetId", "inner_path")
    }
    file_path = reader.text(f"{where}/filePath")
    if len(reader.problems) > n_known:
        return None
    inner_path = None
    if texts["__class__"] in _INTERNAL_CLASSES or texts["location"] == "ProjectInternal":
        inner_path = texts["inner_path"] or f"{LOCAL_DATA}/{texts['datasetId']}"
    axes, shape, flaw = _read_size(reader, where)
    return Lane(
        index, texts["nickname"], file_path, texts["__class__"], axes, shape, inner_path, flaw
    )


def _read_size(reader: ProjectReader, where: str) -> tuple[str, tuple[int, ...], str]:
    """The axes of a lane and their lengths; else nothing, and what is wrong, for the lane alone."""
    n_known = len(reader.problems)
    tags = reader.text(f"{where}/axistags")
    shape = reader.numbers(f"{where}/shape", "iu", 1)
    problems = reader.problems[n_known:]
    del reader.problems[n_known:]
    if problems or shape is None:
        what = (f"{item.where.removeprefix(f'{where}/')}: {item.what}" for item in problems)
        return "", (), ", ".join(what)
    try:
        axes = parse_axistags(tags)
    except ValueError as error:
        return "", (), str(error)
    sizes = tuple(int(size) for size in shape)
    if len(axes) != len(sizes) or not {"y", "x"} <= set(axes):
        return "", (), f"has shape {told_shape(sizes)}, which the axes {axes!r} do not fit"
    if min(sizes) < 1 or math.prod(sizes) > MAX_LANE_PX:
        return "", (), f"has shape {told_shape(sizes)}, which no training crop has"
    return axes, sizes, ""
