"""On the site a link to a file of the repository that is not on it becomes plain text."""

import re
from pathlib import Path
from typing import Any

_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?![a-z]+:|#)([^)#]+)[^)]*\)")


def on_page_markdown(markdown: str, page: Any, config: Any, **_others: Any) -> str:
    """Replace such links of one page; mkdocs calls this for each."""
    docs = Path(config.docs_dir).resolve()
    folder = (docs / page.file.src_uri).parent

    def replaced(link: re.Match[str]) -> str:
        inside = (folder / link[2]).resolve().is_relative_to(docs)
        return link[0] if inside else link[1]

    return _LINK.sub(replaced, markdown)
