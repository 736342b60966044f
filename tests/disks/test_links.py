"""Nothing is written to what a link leads to: an output takes the place of the link."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ilpix.errors import IlpixError
from tests.disks.test_full_disk import VERBS, begin

Contents = Callable[[Path], dict[str, bytes]]
PRECIOUS = b"of somebody else"
READ_FIRST = {"ilpix_run.json", "panel.csv", "pixel_classifier.ilp", "lock"}


def put_links(verb: str, trained: Path, study: Path, elsewhere: Path) -> Path:
    """Do what a verb does, and begin again where each file that it made is a link elsewhere."""
    begin(verb, trained, study)
    again = shutil.copytree(study, study.with_name("again"))
    VERBS[verb](study)
    elsewhere.mkdir()
    for number, path in enumerate(sorted(study.rglob("*"))):
        link = again / path.relative_to(study)
        if path.is_file() and not link.exists() and path.name not in READ_FIRST:
            link.parent.mkdir(parents=True, exist_ok=True)
            (elsewhere / str(number)).write_bytes(PRECIOUS)
            link.symlink_to(elsewhere / str(number))
    return again


@pytest.mark.parametrize("verb", ["prepare", "train", "run", "import"])
def test_an_output_takes_the_place_of_a_link_and_what_it_led_to_stays(
    verb: str, trained: Path, tmp_path: Path, contents: Contents
) -> None:
    study, elsewhere = tmp_path / "study", tmp_path / "elsewhere"
    again = put_links(verb, trained, study, elsewhere)
    VERBS[verb](again)
    assert {path.read_bytes() for path in elsewhere.iterdir()} == {PRECIOUS}
    backup = "pixel_classifier.ilp.bak"  # one with this name is there: the next is numbered
    numbered = {backup: b"", f"{backup}1": b""}
    assert contents(again) | numbered == contents(study) | numbered


@pytest.mark.parametrize("verb", ["labels export", "rescue"])
def test_what_replaces_nothing_replaces_no_link(verb: str, trained: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    again = put_links(verb, trained, tmp_path / "study", elsewhere)
    with pytest.raises(IlpixError, match="already"):
        VERBS[verb](again)
    assert {path.read_bytes() for path in elsewhere.iterdir()} == {PRECIOUS}


@pytest.mark.parametrize("verb", ["train", "labels import", "fix"])
def test_a_project_takes_the_place_of_a_link_to_one(
    verb: str, trained: Path, tmp_path: Path
) -> None:
    """A shared project was changed by a fix in the folder of somebody who had linked to it."""
    study = tmp_path / "study"
    begin(verb, trained, study)
    name = "foreign/p.ilp" if verb == "fix" else "pixel_classifier.ilp"
    shared = (study / name).rename(tmp_path / "shared.ilp")
    (study / name).symlink_to(shared)
    before = shared.read_bytes()
    VERBS[verb](study)
    assert shared.read_bytes() == before
    assert not (study / name).is_symlink()
    assert (study / name).read_bytes() != before
    assert [path.name for path in tmp_path.glob("*.ilp*")] == ["shared.ilp"]
