"""What the options of all verbs share: how they are checked, shown as a form, and named."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, NonNegativeInt

Only = Annotated[
    str | None,
    Field(
        title="Only these images",
        description="pattern of image names with * and ?, such as 'patient1_*'; what was made of "
        "the others stays; empty: all",
    ),
]


LabelNames = Annotated[
    tuple[str, ...], Parameter(consume_multiple=False, negative=(), metavar="NAMES")
]


# a number, or 0 as steinbock has it where none is chosen
ZeroForNone = Annotated[NonNegativeInt | None, AfterValidator(lambda number: number or None)]


# -o as steinbock has it; not in `classify`, where each step has an output
OutputPath = Annotated[Path, Parameter(short_alias=lambda _field, _taken: "-o")]


def as_form(schema: dict[str, Any]) -> None:
    """Make a schema a pleasant form: files and folders last, and "or nothing" as an empty field."""
    fields = schema.get("properties", {})
    for field in fields.values():
        if field.get("type") == "array":  # which has a line for each in a form
            field["description"] = field["description"].replace("separated by commas", "one a line")
        if alternatives := field.pop("anyOf", None):
            del field["default"]
            field.update(next(kind for kind in alternatives if kind != {"type": "null"}))
            if "enum" in field:  # the server lets nothing pass where any other type is meant
                field["enum"] = [*field["enum"], None]
    in_order = sorted(fields.values(), key=lambda field: field.get("format") == "path")
    for position, field in enumerate(in_order):
        field["position"] = position


class Options(BaseModel):
    """What all choices have in common: they do not change, and a misspelt name is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=as_form)
