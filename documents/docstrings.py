"""Docstrings as Markdown: their sections become lists."""

import inspect
import re
from typing import Any

_SECTION = re.compile(r"^(Args|Returns|Yields|Raises|Attributes):$", re.MULTILINE)
_TITLES = {"Args": "Arguments"}


def description_of(thing: Any) -> str:
    """Return what a docstring says before its sections."""
    return _SECTION.split(inspect.getdoc(thing) or "")[0].strip()


def markdown_of(thing: Any) -> str:
    """Return a whole docstring, each item of its sections as an item of a list."""
    description, *rest = _SECTION.split(inspect.getdoc(thing) or "")
    sections = [
        f"**{_TITLES.get(name, name)}**\n\n{_items(name, inspect.cleandoc(body))}"
        for name, body in zip(rest[::2], rest[1::2], strict=True)
    ]
    return "\n\n".join([description.strip(), *sections])


def _items(name: str, body: str) -> str:
    if name in ("Returns", "Yields"):
        return body.strip()
    items = re.split(r"\n(?=\S)", body.strip())
    return "\n".join(f"- {_item(' '.join(item.split()))}" for item in items)


def _item(text: str) -> str:
    name, _, what = text.partition(": ")
    return f"`{name}`: {what}"
