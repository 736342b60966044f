"""The fields of a model that people fill in, as a table."""

from pydantic import BaseModel

from documents.markdown import plain, table
from documents.typing_words import default_of, words_of


def fields_table(model: type[BaseModel]) -> str:
    """Return a table of the fields: name, title in forms, values, default, what it is."""
    rows = [
        (
            f"`{name}`",
            field.title or "",
            words_of(field.annotation),
            default_of(field),
            plain(str(field.description)),
        )
        for name, field in model.model_fields.items()
    ]
    return table(("field", "title", "values", "default", "what"), rows)
