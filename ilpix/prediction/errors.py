"""Why an image cannot be predicted, or a prediction not be used."""

from pathlib import Path

from ilpix.errors import IlpixError
from ilpix.wording import counted


class NoClassifierError(IlpixError, ValueError):
    """A project cannot predict, as it was not trained."""

    path: Path
    missing: str

    def __str__(self) -> str:
        return (
            f"{self.path} has no {self.missing}; label and train it (ilpix annotate, ilpix train), "
            "or in Ilastik choose features, label, switch on Live Update and save the project"
        )


class WrongChannelsError(IlpixError, ValueError):
    """An image has another number of channels than the classifier was trained with."""

    n_channels: int
    n_trained: int

    def __str__(self) -> str:
        return (
            f"the image has {counted(self.n_channels, 'channel')}, but the classifier was trained "
            f"with {self.n_trained}; prepare it with the panel and options of the training images"
        )


class InvalidProbabilitiesError(IlpixError, ValueError):
    """A file is not the probability image that it should be."""

    path: Path
    what: str

    def __str__(self) -> str:
        return f"{self.path} is not a valid probability image: {self.what}; predict it again"


class StoppedError(IlpixError):
    """A prediction ended early because it was asked to; nothing was written."""

    def __str__(self) -> str:
        return "the prediction was stopped before its end"


class InvalidProductError(IlpixError, ValueError):
    """A file that was made of a probability image is not what it should be."""

    path: Path
    what: str

    def __str__(self) -> str:
        return f"{self.path} was not written as it should be: {self.what}; run it again"


class UnknownScaleError(IlpixError, ValueError):
    """A prepared image does not say how far it was enlarged."""

    path: Path

    def __str__(self) -> str:
        return (
            f"{self.path} does not say how far it was enlarged, so the original size is not known; "
            "prepare the image with ilpix"
        )
