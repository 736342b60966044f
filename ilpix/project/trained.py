"""What identifies the classifier of a project."""

from hashlib import sha256

from ilpix.project.reading import PixelProject


def classifier_digest(project: PixelProject) -> str:
    """Return what identifies the classifier of a project: features, trees and class names.

    A project that was opened and saved without training has the same digest, wherever it lies.
    """
    digest = sha256()
    digest.update(repr([label_class.name for label_class in project.classes]).encode())
    digest.update(repr(project.features).encode())
    if forest := project.forest:
        digest.update(repr((forest.n_columns, forest.labels, forest.trees_per_forest)).encode())
        for values in (
            forest.feature,
            forest.threshold,
            forest.left,
            forest.right,
            forest.votes,
            forest.roots,
        ):
            digest.update(values.tobytes())
    return digest.hexdigest()
