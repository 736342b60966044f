"""What the page on failures says that ilpix says, it says."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PAGE = REPOSITORY / "docs" / "howto" / "failures.md"
SOURCES = ("docs/reference/errors.md", "flows/settings.py")
VARYING = re.compile(r"(…|\b\d[\d.]*\b|\S+\.csv|'flows')")  # stands for whatever an error is about


def pattern_of(message: str) -> str:
    parts = VARYING.split(message)
    return "".join(".+?" if VARYING.fullmatch(part) else re.escape(part) for part in parts)


def test_every_quoted_message_is_one_of_ours() -> None:
    said = "\n".join((REPOSITORY / name).read_text(encoding="utf-8") for name in SOURCES)
    cells = re.findall(r"^\| (`.+?) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    messages = [message for cell in cells for message in re.findall(r"`([^`]+)`", cell)]
    assert len(messages) > 20
    assert [message for message in messages if not re.search(pattern_of(message), said)] == []
