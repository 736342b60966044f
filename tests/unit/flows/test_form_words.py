"""What is read beside a form names its fields, and no flag."""

import pickle
import re
from contextvars import copy_context
from pathlib import Path

from documents.error_texts import page
from flows.errors import TrainingNeededError
from flows.kept_project import NO_CROP, ROUTE
from flows.running.form_words import FORMS, in_words_of_forms
from ilpix.errors import NoPanelError
from ilpix.wording import in_words_of_the_place, read_elsewhere

FLAGS = {f"--{name.replace('_', '-')}" for form in FORMS.values() for name in form.model_fields}


def test_choices_have_the_titles_of_the_form_of_their_verb() -> None:
    assert in_words_of_forms(NO_CROP).endswith(
        "the flow prepare with 'Add crops to the project' adds one"
    )
    assert in_words_of_forms("ilpix train --labels X") == "the flow train with 'Label images' X"
    assert in_words_of_forms("ilpix prepare --labels X") == "the flow prepare with 'Classes' X"


def test_commands_that_are_no_flow_stay_as_they_are() -> None:
    told = in_words_of_forms(ROUTE)
    assert "the same again with 'Replace the project'" in told
    assert "ilpix labels import FOLDER --overlapping" in told


def test_no_error_keeps_a_flag_that_has_a_title() -> None:
    before, after = page(), in_words_of_forms(page())
    assert FLAGS & set(re.findall(r"--[a-z-]+", before))
    assert not FLAGS & set(re.findall(r"--[a-z-]+", after))


def test_errors_are_in_the_words_of_the_place_where_they_are_read() -> None:
    error = NoPanelError(Path("panel.csv"))
    assert str(error).endswith("or name it with --panel")

    def on_a_server() -> None:
        read_elsewhere(in_words_of_forms)
        assert str(error).endswith("or name it with 'Panel'")
        copied = pickle.loads(pickle.dumps(error))  # noqa: S301 - made in this line
        assert str(copied).endswith("or name it with 'Panel'")
        assert "run the flow classify again" in str(TrainingNeededError(Path("a.ilp")))

    copy_context().run(on_a_server)
    assert in_words_of_the_place(NO_CROP) == NO_CROP
    assert str(error).endswith("or name it with --panel")
