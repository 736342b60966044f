"""Texts as they are read beside the form of a deployment: titles in place of flags."""

import re
from collections.abc import Iterable, Mapping

from pydantic import BaseModel

from flows.options import (
    CheckOptions,
    FixOptions,
    ImportOptions,
    PrepareOptions,
    RunOptions,
    TrainOptions,
)

FORMS: Mapping[str, type[BaseModel]] = {
    "prepare": PrepareOptions,
    "train": TrainOptions,
    "run": RunOptions,
    "fix": FixOptions,
    "check": CheckOptions,
    "import": ImportOptions,
}
_COMMAND = re.compile(rf"\bilpix ({'|'.join((*FORMS, 'classify'))})\b(?: --([a-z][a-z-]*))?")
_FLAG = re.compile(r"--([a-z][a-z-]*)")


def in_words_of_forms(text: str) -> str:
    """Return a text with the names that forms have for verbs and choices.

    Commands and flags that no form has, such as `ilpix annotate`, stay as they are.
    """
    return _FLAG.sub(_titled_flag, _COMMAND.sub(_titled_command, text))


def _titled_command(found: re.Match[str]) -> str:
    verb, flag = found.groups()
    forms = [FORMS[verb]] if verb in FORMS else list(FORMS.values())
    return f"the flow {verb}" + (f" with {_title(flag, forms)}" if flag else "")


def _titled_flag(found: re.Match[str]) -> str:
    return _title(found[1], FORMS.values())


def _title(flag: str, forms: Iterable[type[BaseModel]]) -> str:
    name = flag.replace("-", "_")
    titles = [form.model_fields[name].title for form in forms if name in form.model_fields]
    return f"'{titles[0]}'" if titles else f"--{flag}"
