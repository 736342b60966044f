"""The blocks of a page that a reader would run, and what the page says they print."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

NOT_RUN = re.compile(r"<!-- not run: (.+?) -->")
EXIT_CODE = re.compile(r"<!-- exit code: (\d+) -->")
LANGUAGES = ("sh", "python")
PRINTED = "text"  # the language of a block that shows what the block before it prints


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a page."""

    page: Path
    line: int  # counted from 1
    language: str
    code: str
    not_run: str | None = None  # why the machine that tests cannot run it
    exit_code: int = 0
    printed: str | None = None  # "…" stands for anything

    def __str__(self) -> str:
        return f"{self.page.name}, line {self.line}"


def blocks_of(page: Path) -> Iterator[Block]:
    """Yield the blocks of a page in order, each with the output that the page shows behind it."""
    last: Block | None = None
    marker = ""
    for token in MarkdownIt().enable("table").parse(page.read_text(encoding="utf-8")):
        if token.type == "fence" and token.info.strip() == PRINTED and last:
            last = replace(last, printed=token.content)
        elif token.type == "fence" and token.info.strip() in LANGUAGES:
            if last:
                yield last
            last = _block(page, token, marker)
            marker = ""
            continue
        if token.type == "html_block":
            marker = token.content
        if last:
            yield last
        last = None
    if last:
        yield last


def agrees(shown: str, printed: str) -> bool:
    """Whether a program printed what a page shows."""
    parts = (re.escape(part) for part in _lines(shown).split("…"))
    return re.fullmatch(r"(?s:.*?)".join(parts), _lines(printed)) is not None


def _lines(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def _block(page: Path, token: Token, marker: str) -> Block:
    reason, code = NOT_RUN.search(marker), EXIT_CODE.search(marker)
    return Block(
        page,
        (token.map or [0])[0] + 1,
        token.info.strip(),
        token.content,
        not_run=reason[1] if reason else None,
        exit_code=int(code[1]) if code else 0,
    )
