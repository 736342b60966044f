"""Every command of every page does what the page says, in order, in a fresh folder."""

import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.documents.blocks import Block, agrees, blocks_of
from tests.documents.conftest import REPOSITORY

PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
BLOCKS = {page: [*blocks_of(page)] for page in PAGES}
RUN = {page: [block for block in blocks if not block.not_run] for page, blocks in BLOCKS.items()}
BEGINS = re.compile(r"<!-- commands begin in (.+?) -->")
MOST_NOT_RUN = 26  # blocks, of all pages
LIMIT_S = 600  # of one page
STREAMS = ("out", "err", "code")


def _name(page: Path) -> str:
    return str(page.relative_to(REPOSITORY))


@pytest.mark.parametrize("page", [page for page in PAGES if RUN[page]], ids=_name)
def test_commands_of_a_page(
    page: Path, begin: Callable[[str], Path], environment: dict[str, str], tmp_path: Path
) -> None:
    marker = BEGINS.search(page.read_text(encoding="utf-8"))
    folder = begin(marker[1] if marker else "a clone")
    script = "\n".join(_script(RUN[page], tmp_path))
    subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, check=False, timeout=LIMIT_S
    )
    for number, block in enumerate(RUN[page]):
        out, err, code = ((tmp_path / f"{what}{number}").read_text() for what in STREAMS)
        assert int(code) == block.exit_code, f"{block}:\n{out}{err}"
        printed = err if block.exit_code else out
        if block.printed is not None:
            assert agrees(block.printed, printed), f"{block} prints:\n{printed}"


def _script(blocks: list[Block], folder: Path) -> Iterator[str]:
    """One shell for all blocks of a page, so that `cd` and `export` hold for the next ones."""
    yield "trap '[ $code -ne 0 ] || code=$?' ERR"  # the first failure of a block
    for number, block in enumerate(blocks):
        source = folder / f"block{number}"
        source.write_text(block.code, encoding="utf-8")
        command = f"{shlex.quote(sys.executable)} {source}"
        step = f". {source}" if block.language == "sh" else command
        yield f"code=0\n{step} >{folder}/out{number} 2>{folder}/err{number} </dev/null"
        yield f"echo $code >{folder}/code{number}"


def test_few_blocks_are_not_run_and_each_says_why() -> None:
    not_run = [block for blocks in BLOCKS.values() for block in blocks if block.not_run]
    for block in not_run:
        print(f"{block}: {block.not_run}")  # `pytest -s` lists them
    assert len(not_run) <= MOST_NOT_RUN
