"""Which reference pages there are."""

from pathlib import Path

from documents import (
    commands,
    error_texts,
    files,
    flow_forms,
    interface,
    licences,
    variables,
)

REFERENCE = Path(__file__).parents[1] / "docs" / "reference"
_NOTE = "<!-- Written by `python -m documents` from the code: change it there. -->\n\n"


def reference_pages() -> dict[str, str]:
    """Return the text of every reference page by its file name."""
    pages = {
        "commands.md": commands.page(),
        "settings.md": variables.page(),
        "flows.md": flow_forms.page(),
        "errors.md": error_texts.page(),
        "files.md": files.page(),
        "python.md": interface.page(),
        "licences.md": licences.page(),
    }
    return {name: _NOTE + text.rstrip() + "\n" for name, text in pages.items()}
