"""Why a classifier cannot be trained or judged."""

from pathlib import Path

from ilpix.errors import IlpixError


class NoLabelsError(IlpixError, ValueError):
    """There is nothing to train on."""

    source: Path

    def __str__(self) -> str:
        return (
            f"{self.source} holds no labels; draw some (ilpix annotate, or in Ilastik), or name a "
            "folder of label images (ilpix train --labels FOLDER; ilpix crops export makes empty "
            "ones)"
        )


class OneClassLabelledError(IlpixError, ValueError):
    """All labels are of one class, so there is nothing to tell apart."""

    source: Path
    name: str  # of the class

    def __str__(self) -> str:
        return (
            f"all labels in {self.source} are {self.name}; label at least one more class to train "
            "a classifier"
        )


class FeatureChoiceError(IlpixError, ValueError):
    """A choice of features is neither a preset nor a table of features and scales."""

    choice: str
    reason: str

    def __str__(self) -> str:
        return (
            f"features {self.choice!r}: {self.reason}; give 'all', '>=1px', '>=1px+smoothings', "
            "'fast', or a CSV table with one row per feature and one column per scale"
        )


class OneCropError(IlpixError, ValueError):
    """The labels of one crop alone cannot be judged on another crop."""

    crops: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"the labels in {', '.join(self.crops)} do not allow cross-validation over crops; "
            "label two or more classes in each of at least two crops"
        )


class ProjectChangedError(IlpixError):
    """Somebody saved a project while it was trained."""

    path: Path

    def __str__(self) -> str:
        return (
            f"{self.path} was saved by somebody else while it was trained, so nothing was stored "
            "in it; train again"
        )
