"""Labels on the screen, in the journal and in the project."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from annotation.edits import AnnotatedClass
from annotation.errors import (
    AnnotatedElsewhereError,
    BadRequestError,
    CropPixelsError,
    JournalDamagedError,
    NoCropsError,
    ProjectChangedError,
)
from annotation.journal import journal_path
from annotation.session import Session, opened_alone
from ilpix.features.selection import default_selection
from ilpix.project.errors import LabelClassesError
from ilpix.project.labels import read_all_labels, write_labels
from ilpix.project.reading import read_project
from ilpix.project.writing import create_project, label_classes
from ilpix.training.feature_table import choose_features

LINE = np.array([[5, 10, 20]])  # one row
SQUARE = np.array([[y, 30, 4] for y in range(40, 44)])


def paint(session: Session, number: int, value: int, runs: object = LINE, lane: int = 0) -> None:
    session.paint("page", number, lane, value, np.asarray(runs), keep=False)


def test_a_stroke_is_there_after_a_kill(session: Session, project: Path) -> None:
    """Nothing is closed: a session that is read again from the disk is all that is left."""
    paint(session, 0, 2)
    paint(session, 1, 1, SQUARE, lane=3)
    again = Session(project)
    for lane, labels in session.board.labels.items():
        np.testing.assert_array_equal(again.board.labels[lane], labels)
    assert again.board.labels[0][5, 10:30].tolist() == [2] * 20
    assert again.told == ["Strokes that had not been saved are back."]
    assert not again.is_saved


@pytest.mark.parametrize("lost", [1, 30])
def test_a_line_that_a_kill_left_unfinished_is_cut_off(
    session: Session, project: Path, lost: int
) -> None:
    paint(session, 0, 2)
    paint(session, 1, 1, SQUARE)
    path = journal_path(project)
    path.write_bytes(path.read_bytes()[:-lost])
    again = Session(project)
    assert again.board.labels[0][5, 10] == 2
    assert again.board.labels[0][40, 30] == 0
    paint(again, 2, 3, SQUARE)
    assert Session(project).board.labels[0][40, 30] == 3


def test_a_damaged_journal_is_an_error_that_names_the_line(session: Session, project: Path) -> None:
    paint(session, 0, 2)
    path = journal_path(project)
    path.write_text(path.read_text().replace('"do"', '"dont"'))
    with pytest.raises(JournalDamagedError, match="line 2"):
        Session(project)


def test_a_step_that_is_sent_again_is_taken_once(session: Session, project: Path) -> None:
    """A tunnel that breaks: the page never hears that a stroke was taken."""
    paint(session, 0, 2)
    paint(session, 1, 0)
    paint(session, 0, 2)
    assert session.board.totals()[1:].sum() == 0
    again = Session(project)
    paint(again, 1, 3)
    assert again.board.totals()[1:].sum() == 0


def test_undo_and_redo_go_over_all_crops(session: Session) -> None:
    for number in range(120):
        paint(session, number, 1 + number % 3, [[number, 3, 5]], lane=number % 5)
    before = {lane: labels.copy() for lane, labels in session.board.labels.items()}
    undone = [session.step_back("page", 200 + number, "undo") for number in range(120)]
    assert undone[:5] == [{4}, {3}, {2}, {1}, {0}]
    assert session.board.totals()[1:].sum() == 0
    for number in range(120):
        session.step_back("page", 400 + number, "redo")
    for lane, labels in before.items():
        np.testing.assert_array_equal(session.board.labels[lane], labels)


def test_undo_brings_back_what_was_painted_over(session: Session, project: Path) -> None:
    paint(session, 0, 1)
    paint(session, 1, 2, [[5, 15, 3]])
    session.step_back("page", 2, "undo")
    assert session.board.labels[0][5, 10:30].tolist() == [1] * 20
    again = Session(project)
    again.step_back("page", 3, "redo")
    assert again.board.labels[0][5, 15:18].tolist() == [2] * 3


def test_labels_of_other_classes_can_be_kept(session: Session) -> None:
    paint(session, 0, 1, [[5, 15, 3]])
    session.paint("page", 1, 0, 2, LINE, keep=True)
    assert session.board.labels[0][5, 13:20].tolist() == [2, 2, 1, 1, 1, 2, 2]
    session.paint("page", 2, 0, 0, LINE, keep=True)
    assert not session.board.labels[0].any()


def test_pixels_outside_of_a_crop_are_left_out(session: Session) -> None:
    paint(session, 0, 1, [[0, 155, 50], [159, 0, 3], [160, 0, 3], [400, 400, 3]])
    assert session.board.totals()[1] == 5 + 3


def test_a_class_can_be_removed_with_its_labels_and_come_back(
    session: Session, project: Path
) -> None:
    paint(session, 0, 1)
    paint(session, 1, 2, SQUARE)
    nucleus, cytoplasm, background = session.board.classes
    session.change_classes("page", 2, [cytoplasm, background])
    assert session.board.totals()[1:4].tolist() == [0, 16, 0]
    session.step_back("page", 3, "undo")
    assert session.board.classes[0] == nucleus
    assert session.board.totals()[1:4].tolist() == [20, 16, 0]
    assert Session(project).board.totals()[1:4].tolist() == [20, 16, 0]


def test_classes_need_names_that_differ(session: Session) -> None:
    first, second, _ = session.board.classes
    for classes in ([first], [first, second.model_copy(update={"name": first.name})]):
        with pytest.raises(LabelClassesError):
            session.change_classes("page", 0, classes)
    with pytest.raises(BadRequestError, match="class is not there any more"):
        paint(session, 0, 9)


def test_a_choice_of_features_can_be_taken_back(session: Session) -> None:
    session.change_features("page", 0, choose_features("fast"))
    assert session.board.features == choose_features("fast")
    session.step_back("page", 1, "undo")
    assert session.board.features == default_selection()


def test_labels_of_another_program_stay_under_the_strokes(session: Session, project: Path) -> None:
    paint(session, 0, 1)
    drawn = np.zeros((160, 160), np.uint8)
    drawn[5, 25:40] = 3
    drawn[50] = 2
    write_labels(project, {0: drawn, 2: drawn})
    with pytest.raises(ProjectChangedError, match="changed by another program"):
        session.require_unchanged()
    session.take_over()
    session.require_unchanged()
    assert session.board.labels[0][5, 8:42].tolist() == [0] * 2 + [1] * 20 + [3] * 10 + [0] * 2
    np.testing.assert_array_equal(session.board.labels[2], drawn)
    again = Session(project)
    np.testing.assert_array_equal(again.board.labels[0], session.board.labels[0])


def test_strokes_find_their_crop_by_content(session: Session, project: Path) -> None:
    """Another order of lanes, or other names, put labels on the wrong image before."""
    paint(session, 0, 1, lane=3)
    folder = project.parent
    crops = sorted((folder / "ilastik_crops").glob("*.h5"))
    renamed = [crop.rename(crop.with_name(f"other_{4 - i}.h5")) for i, crop in enumerate(crops)]
    shapes = {f"ilastik_crops/{path.name}": (3, 160, 160) for path in sorted(renamed)}
    create_project(project, shapes, label_classes([k.name for k in session.board.classes]))
    again = Session(project)
    assert [lane for lane, labels in again.board.labels.items() if labels.any()] == [1]
    assert any("changed by another program" in told for told in again.told)


def test_strokes_of_a_crop_that_is_gone_are_told_of(session: Session, project: Path) -> None:
    paint(session, 0, 1, lane=4)
    paint(session, 1, 1, lane=0)
    crops = sorted((project.parent / "ilastik_crops").glob("*.h5"))[:4]
    shapes = {f"ilastik_crops/{path.name}": (3, 160, 160) for path in crops}
    create_project(project, shapes, label_classes(["Nucleus", "Background"]))
    again = Session(project)
    assert again.board.labels[0].any()
    assert any("region_5" in told for told in again.told)


def test_a_class_that_another_program_renamed_stays_with_its_strokes(
    session: Session, project: Path
) -> None:
    paint(session, 0, 2)
    shapes = {
        f"ilastik_crops/{path.name}": (3, 160, 160)
        for path in sorted((project.parent / "ilastik_crops").glob("*.h5"))
    }
    create_project(project, shapes, label_classes(["Nucleus", "细胞质", "Background"]))
    again = Session(project)
    names = {known.id: known.name for known in again.board.classes}
    assert {names[value] for value in np.unique(again.board.labels[0]) if value} == {"Cytoplasm"}
    assert "细胞质" in names.values()


def test_labels_in_the_project_are_on_the_screen(project: Path) -> None:
    drawn = np.zeros((160, 160), np.uint8)
    drawn[10:20, 3:50] = 3
    write_labels(project, {1: drawn})
    session = Session(project)
    np.testing.assert_array_equal(session.board.labels[1], drawn)
    assert session.is_saved


def test_a_project_is_open_once(project: Path) -> None:
    with (
        opened_alone(project),
        pytest.raises(AnnotatedElsewhereError, match="another ilpix annotate"),
        opened_alone(project),
    ):
        pass
    with opened_alone(project):
        pass


def test_a_project_without_crops_says_what_comes_first(tmp_path: Path) -> None:
    create_project(tmp_path / "a.ilp", {}, label_classes(["A", "B"]))
    with pytest.raises(NoCropsError, match="ilpix prepare"):
        Session(tmp_path / "a.ilp")


def test_a_missing_crop_is_a_sentence(session: Session, project: Path) -> None:
    shutil.rmtree(project.parent / "ilastik_crops")
    with pytest.raises(CropPixelsError, match="cannot be shown"):
        paint(session, 0, 1)


def test_names_in_any_script(session: Session, project: Path) -> None:
    classes = (
        *session.board.classes,
        AnnotatedClass(id=4, name="Лимфоцит 🧬", color=(1, 2, 3), pmap_color=(1, 2, 3)),
    )
    session.change_classes("page", 0, classes)
    assert Session(project).board.classes == classes
    assert len(read_project(project).classes) == 3
    assert not any(labels.any() for labels in read_all_labels(read_project(project)).values())
