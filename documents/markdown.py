"""Tables and texts as Markdown."""

import re
from collections.abc import Iterable, Sequence


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; its cells are Markdown on one line."""
    lines = [_row(heads), _row(["---"] * len(heads)), *map(_row, rows)]
    return "\n".join(lines) + "\n"


def code(text: object) -> str:
    """Return a text in the letters of code; nothing where there is none."""
    return f"`{text}`" if str(text) else ""


def plain(text: str) -> str:
    """Return a text that Markdown shows as it is, on one line."""
    return re.sub(r"([*<>\[\]\\`]|\b_|_\b)", r"\\\1", " ".join(text.split()))


def joined(parts: Iterable[str]) -> str:
    """Return the parts of a page, with an empty line between any two."""
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
