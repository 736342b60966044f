"""What the comments behind names in a source say of them."""

import ast
import inspect
import io
import textwrap
import tokenize
from collections.abc import Iterator
from types import ModuleType
from typing import Any


def comments_of(thing: ModuleType | type[Any]) -> dict[str, str]:
    """Return the comment behind each assignment of a module or field of a class; "" for none."""
    source = textwrap.dedent(inspect.getsource(thing))
    behind = dict(_comments(source))
    body = ast.parse(source).body
    if isinstance(body[0], ast.ClassDef):
        body = body[0].body
    return {name: behind.get(line, "") for statement in body for name, line in _names(statement)}


def _comments(source: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string.lstrip("# ")


def _names(statement: ast.stmt) -> Iterator[tuple[str, int]]:
    match statement:
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name, statement.end_lineno or statement.lineno
        case ast.Assign(targets=[ast.Name(id=name)]):
            yield name, statement.end_lineno or statement.lineno
