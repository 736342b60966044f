"""What is taken for a command of a page, and for what it prints."""

from pathlib import Path

import pytest

from tests.documents.blocks import agrees, blocks_of

PAGE = """# A page

```sh
echo one
```

```text
one
```

<!-- not run: needs a cluster -->
```sh
sbatch job
```

Words between.

```text
a tree of folders
```

1. In a list:

   ```sh
   false
   ```
"""


def test_blocks_carry_output_marker_and_line(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    first, second, third = blocks_of(page)
    assert (first.code, first.printed, first.line) == ("echo one\n", "one\n", 3)
    assert (second.not_run, second.printed) == ("needs a cluster", None)
    assert (third.code, third.not_run) == ("false\n", None)


@pytest.mark.parametrize(
    ("shown", "printed", "expected"),
    [
        ("run: 5 done in … s\n", "run: 5 done in 3.1 s", True),
        ("first\n…\nlast", "first\nsecond\nthird\nlast", True),
        ("first\n…\nlast", "first\nlast\nmore", False),
        ("100.0 %", "99.9 %", False),
    ],
)
def test_an_ellipsis_stands_for_anything(shown: str, printed: str, expected: bool) -> None:
    assert agrees(shown, printed) is expected
