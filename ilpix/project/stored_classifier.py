"""The features and the forests that a project holds."""

import re

from ilpix.errors import InvalidProjectError
from ilpix.features.selection import FeatureSelection
from ilpix.forest.stored import Forest, load_forest
from ilpix.project.damage import DAMAGE
from ilpix.project.file import FEATURES, FORESTS, ProjectReader


def read_features_and_forest(
    reader: ProjectReader, n_classes: int
) -> tuple[FeatureSelection | None, Forest | None]:
    """Read the chosen features and the forests of an open project; None where there are none.

    Problems go to `reader`, among them that features and forests do not fit each other.
    """
    features = _read_features(reader)
    return features, _read_forest(reader, features, n_classes)


def _read_features(reader: ProjectReader) -> FeatureSelection | None:
    group = reader.group(FEATURES) if FEATURES in reader.file else None
    if group is None or len(group) == 0:  # until features are chosen
        return None
    n_known = len(reader.problems)
    ids = reader.texts(f"{FEATURES}/FeatureIds")
    scales = reader.numbers(f"{FEATURES}/Scales", "fiu", 1)
    matrix = reader.numbers(f"{FEATURES}/SelectionMatrix", "biu", 2)
    if len(reader.problems) > n_known or scales is None or matrix is None:
        return None
    rows = tuple(tuple(map(bool, row)) for row in matrix)
    try:
        selection = FeatureSelection(ids, tuple(map(float, scales)), rows)
    except ValueError as error:
        reader.note(FEATURES, str(error))
        return None
    return selection if selection.chosen else None


def _read_forest(
    reader: ProjectReader, features: FeatureSelection | None, n_classes: int
) -> Forest | None:
    if FORESTS not in reader.file:
        return None
    group = reader.group(FORESTS)
    if group is None or not any(re.match("Forest", name) for name in group):
        return None
    try:
        forest = load_forest(group)
    except InvalidProjectError as error:
        reader.problems += error.problems
        return None
    except DAMAGE as error:
        reader.note_damage(FORESTS, f"cannot be read: {error}", error)
        return None
    if forest.labels[-1] > n_classes:
        reader.note(f"{FORESTS}/known_labels", f"names {forest.labels} of {n_classes} classes")
    if features is None:
        reader.note(FEATURES, "names no features, but there is a classifier; train it again")
    elif forest.n_columns % len(features.columns(1)):
        reader.note(
            FORESTS,
            f"has {forest.n_columns} columns, which is no multiple of the "
            f"{len(features.columns(1))} that the chosen features give per channel; train it again",
        )
    return forest
