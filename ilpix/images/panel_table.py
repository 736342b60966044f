"""The table of a panel: its rows by column, read by pandas, with the lines that faults are in.

Upper and lower case of the headers make no difference. Which cells count as empty is pandas' list,
so `NA` and `NaN` are: steinbock reads tables in that way, and R writes them so.
"""

import codecs
import io
import re
from dataclasses import dataclass
from pathlib import Path

from ilpix.errors import NoPanelError, NotAFileError, Problem
from ilpix.images.errors import InvalidPanelError

REQUIRED_COLUMNS = ("channel", "name")
KNOWN_COLUMNS = (*REQUIRED_COLUMNS, "keep", "ilastik")

_OLDER_PIPELINE = {"metal tag": "channel", "target": "name", "full": "keep"}
_DELIMITERS = ",;\t"


@dataclass(frozen=True, slots=True)
class PanelRow:
    """One row that is not empty; its cells are stripped."""

    place: str  # such as "line 3"
    cells: dict[str, str]  # by column in lower case

    def cell(self, column: str, default: str = "") -> str:
        """Return the text of a cell, `default` where the table has no such column."""
        return self.cells.get(column, default)


def read_rows(path: Path) -> list[PanelRow]:
    """Read the rows of a panel.

    Raises:
        NoPanelError: if there is no such file.
        NotAFileError: if it is a folder.
        InvalidPanelError: if it is no table, lacks a column, has one twice, or a row is longer than
            the header.
    """
    (_, header), *lines = _read_lines(path) or [(1, [])]
    header = [column.casefold() for column in header]
    while header and not header[-1]:
        header.pop()
    problems = _check_header(header)
    rows = []
    for number, cells in lines:
        if any(cells[len(header) :]):
            problems.append(Problem(f"line {number}", "has more cells than the header"))
        elif any(cells):
            rows.append(PanelRow(f"line {number}", dict(zip(header, cells, strict=False))))
    if problems:
        raise InvalidPanelError(path, tuple(problems))
    return rows


def _check_header(header: list[str]) -> list[Problem]:
    if "channel" not in header and "metal tag" in header:
        renamed = ",".join(_OLDER_PIPELINE.get(column, column) for column in header)
        return [
            Problem(
                "line 1", f"has the columns of an older pipeline; change the line to: {renamed}"
            )
        ]
    return [
        Problem("header", f"column '{column}' {'is missing' if count == 0 else 'is there twice'}")
        for column in KNOWN_COLUMNS
        if (count := header.count(column)) != 1 and (count or column in REQUIRED_COLUMNS)
    ]


def _read_lines(path: Path) -> list[tuple[int, list[str]]]:
    """The stripped cells of each line, as many in each, with the line's number counted from 1."""
    import pandas as pd  # noqa: PLC0415 - half a second to import

    text = _read_text(path)
    if not text.strip():
        return []
    delimiter = _delimiter(text)
    n_columns = max(line.count(delimiter) for line in text.splitlines()) + 1

    def read(table: str, delimiter: str, *, has_empty: bool) -> pd.DataFrame:
        return pd.read_csv(
            io.StringIO(table),
            sep=delimiter,
            header=None,
            names=range(n_columns),
            dtype=str,
            skipinitialspace=True,
            skip_blank_lines=False,
            keep_default_na=has_empty,
        ).fillna("")

    try:
        raw = read(text, delimiter, has_empty=False)
    except pd.errors.ParserError as error:
        row = re.search(r"row (\d+)", str(error))
        place = f"line {int(row[1]) + 1}" if row else "table"
        raise InvalidPanelError(path, (Problem(place, f"cannot be read: {error}"),)) from error
    # a line break inside quotes makes one row of several lines
    n_lines = 1 + raw.map(lambda cell: cell.count("\n")).sum(axis=1)
    numbers = (n_lines.cumsum() - n_lines + 1).tolist()
    stripped = raw.apply(lambda column: column.str.strip())
    cells = read(stripped.to_csv(header=False, index=False), ",", has_empty=True)
    return list(zip(numbers, cells.to_numpy().tolist(), strict=True))


def _read_text(path: Path) -> str:
    try:
        content = path.read_bytes()
        is_wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        return content.decode("utf-16" if is_wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        problem = Problem(f"byte {error.start}", "is not UTF-8; save the table as 'CSV UTF-8'")
    except FileNotFoundError as error:
        raise NoPanelError(path) from error
    except IsADirectoryError as error:
        raise NotAFileError(path) from error
    except OSError as error:
        problem = Problem("file", f"cannot be read: {error.strerror}")
    raise InvalidPanelError(path, (problem,))


def _delimiter(text: str) -> str:
    header = text.lstrip().partition("\n")[0]
    return max(_DELIMITERS, key=header.count)
