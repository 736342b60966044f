"""The panel: which channels the images have, and which of them form a group.

As in steinbock, each row stands for one channel of every image, in order. Rows with a 0 in `keep`
were left out when the images were exported, so they stand for no channel. Rows with the same value
in `ilastik` form one group; rows without a value are not used, unless no row has one.

In tables of the older imaging mass cytometry pipeline, a 0 in `ilastik` means "not used" and a 1
"used". steinbock reads both as groups, and so does `read_panel` unless told otherwise; it says so.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ilpix.errors import Problem
from ilpix.images.errors import ChannelCountError, InvalidPanelError
from ilpix.images.panel_table import REQUIRED_COLUMNS, PanelRow, read_rows
from ilpix.wording import counted

_KEEP = {"1": True, "1.0": True, "true": True, "0": False, "0.0": False, "false": False}
_TRUTH = {"true": "1", "false": "0"}  # as spreadsheets and R write 1 and 0
_NAMES_SHOWN = 4


@dataclass(frozen=True, slots=True)
class ChannelGroup:
    """Channels that become one channel."""

    name: str  # the names of its channels, joined by "+"
    channels: tuple[int, ...]  # counted from 0, ascending


@dataclass(frozen=True, slots=True)
class Panel:
    """The channels of the images."""

    path: Path
    names: tuple[str, ...]  # one per channel: its `name`, or its `channel` where the name is empty
    groups: tuple[ChannelGroup, ...] | None  # by ascending value; None leaves channels as they are
    n_dropped: int = 0  # rows with a 0 in `keep`
    channels: tuple[str, ...] = ()  # one per channel: its `channel`
    notes: tuple[str, ...] = ()  # what a person should know about how the panel was read


def read_panel(path: Path, *, zero_unused: bool = False) -> Panel:
    """Read a panel: CSV with commas, semicolons or tabs, in UTF-8 or UTF-16, empty cells as pandas.

    Args:
        path: the table.
        zero_unused: take a 0 in `ilastik` for an empty cell; where the column holds nothing but 0
            and 1, each 1 is a group of its own.

    Raises:
        NoPanelError: if there is no such file.
        InvalidPanelError: with every problem found, not only the first.

    Example:
        >>> panel = read_panel(Path("panel.csv"))
        >>> panel.names
        ('DNA1', 'DNA2', 'E-Cadherin', 'Vimentin', 'Xenon')
        >>> [group.name for group in panel.groups]
        ['DNA1+DNA2', 'E-Cadherin', 'Vimentin']
    """
    rows = read_rows(path)
    problems = [*_check_names(rows), *_check_keep(rows), *_check_groups(rows)]
    kept = [row for row in rows if _KEEP.get(row.cell("keep", "1").lower(), True)]
    if not kept:
        problems.append(Problem("rows", "no channel is described; add one row per channel"))
    if problems:
        raise InvalidPanelError(path, tuple(problems))
    names = tuple(row.cell("name") or row.cell("channel") for row in kept)
    values = _group_values(kept, zero_unused=zero_unused)
    return Panel(
        path,
        names,
        _group_channels(values, names),
        n_dropped=len(rows) - len(kept),
        channels=tuple(row.cell("channel") for row in kept),
        notes=_notes(path, values, names),
    )


def require_channels(panel: Panel, n_channels: int, axes: str = "CYX") -> None:
    """Raise unless an image with `n_channels` channels fits the panel.

    Args:
        panel: the panel.
        n_channels: of the image.
        axes: of the image as stored, for the message.

    Raises:
        ChannelCountError: if the panel describes more or fewer channels.
    """
    if n_channels != len(panel.names):
        raise ChannelCountError(n_channels, panel.path, len(panel.names), panel.n_dropped, axes)


def _check_names(rows: Sequence[PanelRow]) -> list[Problem]:
    """A channel has an identifier, and no two rows share one, nor a name."""
    problems = [Problem(row.place, "has no channel") for row in rows if not row.cell("channel")]
    for column in REQUIRED_COLUMNS:
        counts = Counter(row.cell(column) for row in rows if row.cell(column))
        problems += [
            Problem(
                row.place, f"{column} {value!r} is there {counts[value]} times; rename all but one"
            )
            for row in rows
            if counts[value := row.cell(column)] > 1
        ]
    return problems


def _check_keep(rows: Sequence[PanelRow]) -> list[Problem]:
    return [
        Problem(row.place, f"keep is {row.cell('keep')!r}; write 1 or 0")
        for row in rows
        if row.cell("keep", "1").lower() not in _KEEP
    ]


def _check_groups(rows: Sequence[PanelRow]) -> list[Problem]:
    """All values are finite numbers, or none is a number: texts alone have an order, too."""
    values = [(row, _group_value(row)) for row in rows if row.cell("ilastik")]
    if all(isinstance(value, str) for _, value in values):
        return []
    return [
        Problem(row.place, f"ilastik is {row.cell('ilastik')!r}; write a number or leave it empty")
        for row, value in values
        if not isinstance(value, float) or not math.isfinite(value)
    ]


def _group_value(row: PanelRow) -> float | str | None:
    """The value in `ilastik`, a number where it is one; a decimal comma is understood."""
    text = row.cell("ilastik")
    try:
        return float(_TRUTH.get(text.lower(), text).replace(",", ".")) if text else None
    except ValueError:
        return text


def _group_values(rows: Sequence[PanelRow], *, zero_unused: bool) -> list[float | str | None]:
    values = [_group_value(row) for row in rows]
    if not zero_unused:
        return values
    used = [None if value == 0 else value for value in values]
    if set(used) <= {None, 1.0}:  # "used" and "not used": no groups
        return [None if value is None else float(number) for number, value in enumerate(used, 1)]
    return used


def _group_channels(
    values: Sequence[float | str | None], names: Sequence[str]
) -> tuple[ChannelGroup, ...] | None:
    members: defaultdict[float | str, list[int]] = defaultdict(list)
    for channel, value in enumerate(values):
        if value is not None:
            members[value].append(channel)
    if not members:
        return None
    return tuple(
        ChannelGroup("+".join(names[channel] for channel in members[value]), tuple(members[value]))
        for value in sorted(members)  # all numbers or all texts
    )


def _notes(
    path: Path, values: Sequence[float | str | None], names: Sequence[str]
) -> tuple[str, ...]:
    zeros = [name for name, value in zip(names, values, strict=True) if value == 0]
    texts = sorted({value for value in values if isinstance(value, str)})
    notes = []
    if zeros:
        shown = ", ".join(zeros[:_NAMES_SHOWN]) + (" …" if len(zeros) > _NAMES_SHOWN else "")
        notes.append(
            f"{path.name}: {counted(len(zeros), 'channel')} with a 0 in column 'ilastik' "
            f"({shown}): a group of its own, as in steinbock. If 0 means 'not used' there, say so "
            "(--zero-unused), or empty these cells"
        )
    if texts:
        notes.append(
            f"{path.name}: column 'ilastik' holds texts; the groups are in the order of the "
            f"alphabet: {', '.join(texts)}"
        )
    return tuple(notes)
