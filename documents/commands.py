"""The page of the verbs and their flags, as cyclopts knows them."""

import re

from command.cli import app
from command.help_words import in_words
from documents.markdown import joined

_INTRODUCTION = """# Commands

The program is `ilpix VERB`. Exit codes: 0 where every image succeeded, 1 where something failed,
2 for wrong usage, 130 after Ctrl-C. `ilpix VERB --help` shows the same as this page. Paths are
taken from the data directory (`-C`, by default the folder in which the command runs) unless they
are absolute."""


def page() -> str:
    """Return the page: what each verb does, its arguments and flags."""
    text = app.generate_docs(output_format="markdown")
    verbs = text[text.index("**Commands**:") :].replace("```console", "```text")
    # cyclopts 5.4 writes "-m MODULE" of the running program into the usage of each verb
    verbs = re.sub(r"^(ilpix .+?) -m \S+", r"\1", verbs, flags=re.MULTILINE)
    return joined([_INTRODUCTION, re.sub(r"`-[^`]+`", lambda flag: in_words(flag[0]), verbs)])
