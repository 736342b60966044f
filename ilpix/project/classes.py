"""Change the classes of a project."""

from collections.abc import Sequence
from pathlib import Path

from ilpix.project.file import FORESTS
from ilpix.project.reading import LABEL_COLORS, LABEL_NAMES, PMAP_COLORS, LabelClass
from ilpix.project.rewriting import rewriting
from ilpix.project.writing import write_class_values


def replace_classes(project_path: Path, classes: Sequence[LabelClass]) -> None:
    """Give a project other classes; its classifier, which knew the former ones, is removed.

    Args:
        project_path: the project, which is replaced as a whole or stays as it is.
        classes: 2 to 20, at least as many as the labels name.

    Raises:
        LabelClassesError: if there are not 2 to 20 names, or one is empty or given twice.
        InvalidProjectError: if the project cannot be read, or has labels of a class that goes.
        ProjectLockedError: if a running Ilastik has the project open.
    """
    replaced = {LABEL_NAMES, LABEL_COLORS, PMAP_COLORS, FORESTS}
    with rewriting(project_path, without=replaced) as file:
        write_class_values(file, classes)


def remove_classifier(project_path: Path) -> None:
    """Remove the classifier of a project; features and labels stay.

    Raises:
        InvalidProjectError: if the project cannot be read.
        ProjectLockedError: if a running Ilastik has the project open.
    """
    with rewriting(project_path, without={FORESTS}):
        pass
