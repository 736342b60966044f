"""The panel: which channels the images have, and which of them form a group.

As in steinbock, each row stands for one channel of every image, in order. Rows with a 0 in `keep`
were left out when the images were exported, so they stand for no channel. Rows with the same number
in `ilastik` form one group; rows without a number are not used, unless no row has one.
"""

import csv
import io
import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

from ilpix.errors import Problem
from ilpix.images.errors import ChannelCountError, InvalidPanelError

REQUIRED_COLUMNS = ("channel", "name")
_KEEP = {"1": True, "1.0": True, "true": True, "0": False, "0.0": False, "false": False}


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
    groups: tuple[ChannelGroup, ...] | None  # by ascending number; None leaves channels as they are
    n_dropped: int = 0  # rows with a 0 in `keep`


@dataclass(frozen=True, slots=True)
class _Row:
    place: str
    cells: dict[str, str]


def read_panel(path: Path) -> Panel:
    """Read a panel: CSV with commas or semicolons, UTF-8 with or without byte-order mark.

    Raises:
        InvalidPanelError: with every problem found, not only the first.
    """
    rows = _read_rows(path)
    problems = [*_check_names(rows), *_check_keep(rows), *_check_groups(rows)]
    kept = [row for row in rows if _KEEP.get(row.cells.get("keep", "1").lower(), True)]
    if not kept:
        problems.append(Problem("rows", "no channel is described; add one row per channel"))
    if problems:
        raise InvalidPanelError(path, tuple(problems))
    names = tuple(row.cells["name"] or row.cells["channel"] for row in kept)
    return Panel(path, names, _group_rows(kept, names), len(rows) - len(kept))


def require_channels(panel: Panel, n_channels: int) -> None:
    """Raise unless an image with `n_channels` channels fits the panel.

    Raises:
        ChannelCountError: if the panel describes more or fewer channels.
    """
    if n_channels != len(panel.names):
        raise ChannelCountError(n_channels, panel.path, len(panel.names), panel.n_dropped)


def _read_rows(path: Path) -> list[_Row]:
    """The rows that are not empty; cells are stripped and there for every column of the header."""
    (_, header), *lines = _read_lines(path) or [(1, [])]
    problems = [
        Problem("header", f"column '{column}' {'is missing' if count == 0 else 'is there twice'}")
        for column in (*REQUIRED_COLUMNS, "keep", "ilastik")
        if (count := header.count(column)) != 1 and (count or column in REQUIRED_COLUMNS)
    ]
    rows = []
    for number, cells in lines:
        if any(cells[len(header) :]):
            problems.append(Problem(f"line {number}", "has more cells than the header"))
        elif any(cells):
            padded = cells + [""] * (len(header) - len(cells))
            row = dict(zip(header, padded, strict=False))
            rows.append(_Row(f"line {number}", row))
    if problems:
        raise InvalidPanelError(path, tuple(problems))
    return rows


def _read_lines(path: Path) -> list[tuple[int, list[str]]]:
    """The stripped cells of each line, with the line's number counted from 1."""
    text = _read_text(path)
    lines = csv.reader(io.StringIO(text), delimiter=_delimiter(text), strict=True)
    try:
        return [(lines.line_num, [cell.strip() for cell in line]) for line in lines]
    except csv.Error as error:
        problem = Problem(f"line {lines.line_num}", f"cannot be read: {error}")
    raise InvalidPanelError(path, (problem,))


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        problem = Problem(f"byte {error.start}", "is not UTF-8; save the table as 'CSV UTF-8'")
    except FileNotFoundError:
        problem = Problem(
            "file", "is missing; write one with the columns channel,name,ilastik, a row per channel"
        )
    except OSError as error:
        problem = Problem("file", f"cannot be read: {error.strerror}")
    raise InvalidPanelError(path, (problem,))


def _delimiter(text: str) -> str:
    header = text.partition("\n")[0]
    return ";" if header.count(";") > header.count(",") else ","


def _check_names(rows: list[_Row]) -> list[Problem]:
    """A channel has an identifier, and no two rows share one, nor a name."""
    problems = [Problem(row.place, "has no channel") for row in rows if not row.cells["channel"]]
    for column in REQUIRED_COLUMNS:
        counts = Counter(row.cells[column] for row in rows if row.cells[column])
        problems += [
            Problem(
                row.place, f"{column} {value!r} is there {counts[value]} times; rename all but one"
            )
            for row in rows
            if counts[value := row.cells[column]] > 1
        ]
    return problems


def _check_keep(rows: list[_Row]) -> list[Problem]:
    return [
        Problem(row.place, f"keep is {row.cells['keep']!r}; write 1 or 0")
        for row in rows
        if row.cells.get("keep", "1").lower() not in _KEEP
    ]


def _check_groups(rows: list[_Row]) -> list[Problem]:
    return [
        Problem(row.place, f"ilastik is {row.cells['ilastik']!r}; write a number or leave it empty")
        for row in rows
        if row.cells.get("ilastik") and not math.isfinite(_group_number(row))
    ]


def _group_rows(rows: list[_Row], names: tuple[str, ...]) -> tuple[ChannelGroup, ...] | None:
    members: defaultdict[float, list[int]] = defaultdict(list)
    for channel, row in enumerate(rows):
        if row.cells.get("ilastik"):
            members[_group_number(row)].append(channel)
    if not members:
        return None
    return tuple(
        ChannelGroup("+".join(names[channel] for channel in channels), tuple(channels))
        for _, channels in sorted(members.items())
    )


def _group_number(row: _Row) -> float:
    """The group of a row; NaN where it is no number. A decimal comma is understood."""
    try:
        return float(row.cells["ilastik"].replace(",", "."))
    except ValueError:
        return math.nan
