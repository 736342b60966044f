"""Types of options in a reader's words."""

from datetime import datetime
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ByteSize
from pydantic.fields import FieldInfo

_WORDS: dict[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "yes or no",
    Any: "anything",
    Path: "path",
    ByteSize: "bytes, or with a unit",
    datetime: "date and time",
}


def words_of(hint: Any) -> str:
    """Say what values a type has."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return words_of(arguments[0])
    if origin is Literal:
        return ", ".join(f"`{choice}`" for choice in arguments)
    if origin in (Union, UnionType):
        return " or ".join(words_of(kind) for kind in arguments if kind is not NoneType)
    if origin is dict:
        return f"a table: {words_of(arguments[0])} to {words_of(arguments[1])}"
    if origin is tuple:
        return f"{words_of(arguments[0])}, any number of them"
    return _WORDS.get(hint) or f"`{getattr(hint, '__name__', hint)}`"


def default_of(field: FieldInfo) -> str:
    """Say what a field is where nobody gives it; nothing where it is empty."""
    default = field.get_default(call_default_factory=True)
    if field.is_required() or default is None or default == () or isinstance(default, BaseModel):
        return ""
    if isinstance(default, bool):
        return "yes" if default else "no"
    return f"`{', '.join(default) if isinstance(default, tuple) else default}`"
