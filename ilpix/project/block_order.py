"""In which axis order a project keeps the blocks of its labels.

The version of Ilastik that saved a project decides, and nothing that a block says of itself: from
1.3.3post2 to 1.4.0b7 blocks are in the order of the file behind their lane, before and after that
in the order that Ilastik works in, channels last. A version that is no version (PEP 440) counts as
one of the others: that is what every later Ilastik writes.
"""

from collections.abc import Iterable

from packaging.version import Version

from ilpix.project.versions import parse_version

FIRST_IN_FILE_ORDER, LAST_IN_FILE_ORDER = Version("1.3.3post2"), Version("1.4.0b7")
FIRST_WITH_AXIS_TAGS = Version("1.4.0b8")

_USUAL = ("cyx", "yxc", "yx", "zyxc", "tzyxc")


def block_axes(ilastik_version: str, lane_axes: str) -> str:
    """Return the axis order of label blocks, such as `yxc`.

    Args:
        ilastik_version: of the project.
        lane_axes: of the file behind the lane, such as `cyx`.
    """
    return lane_axes if is_in_file_order(ilastik_version) else working_axes(lane_axes)


def is_in_file_order(ilastik_version: str) -> bool:
    """Return whether blocks are stored in the order of the file behind their lane."""
    version = parse_version(ilastik_version)
    return version is not None and FIRST_IN_FILE_ORDER <= version <= LAST_IN_FILE_ORDER


def names_block_axes(ilastik_version: str) -> bool:
    """Return whether a version of Ilastik gives each block its axis tags; none reads them."""
    version = parse_version(ilastik_version)
    return version is None or version >= FIRST_WITH_AXIS_TAGS


def working_axes(lane_axes: str) -> str:
    """Return the order that Ilastik works in: time, z, rows, columns, and always channels."""
    return "".join(key for key in "tzyx" if key in lane_axes) + "c"


def other_orders(axes: str, lane_axes: str, named: Iterable[str]) -> tuple[str, ...]:
    """Return the orders that other programs, or this one by mistake, may have used.

    Args:
        axes: the order that is right.
        lane_axes: of the file behind the lane.
        named: what the blocks themselves name.
    """
    orders = (*named, lane_axes, working_axes(lane_axes), *_USUAL)
    return tuple(dict.fromkeys(order for order in orders if order != axes))
