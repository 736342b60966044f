"""What can be wrong with panels and images."""

from pathlib import Path

from ilpix.errors import IlpixError, ProblemsError


class UnreadableImageError(IlpixError, OSError):
    """An image file is damaged, cut short or of another format."""

    path: Path
    reason: str

    def __str__(self) -> str:
        return f"{self.path} cannot be read as an image: {self.reason}; copy or export it again"


class ImageAxesError(IlpixError, ValueError):
    """An image has other axes than channels, rows and columns."""

    path: Path
    axes: str
    shape: tuple[int, ...]

    def __str__(self) -> str:
        return (
            f"{self.path} has the axes {self.axes} of lengths {self.shape}, but an image has "
            "channels, rows and columns (CYX) and nothing else; export one plane at one time point"
        )


class PixelTypeError(IlpixError, TypeError):
    """The pixels of an image are no numbers that can be averaged."""

    path: Path
    dtype: str

    def __str__(self) -> str:
        return (
            f"{self.path} has pixels of type {self.dtype}; "
            "export it as integers or floating-point numbers"
        )


class MissingDatasetError(IlpixError, KeyError):
    """An HDF5 file does not say which of its datasets is the image."""

    path: Path
    datasets: tuple[str, ...]

    def __str__(self) -> str:
        held = ", ".join(self.datasets) or "none"
        return (
            f"{self.path} has no dataset 'img' or 'crop', nor a single one of another name "
            f"(datasets: {held}); run prepare again"
        )


class InvalidPanelError(ProblemsError):
    """A panel does not say which channels the images have."""

    heading = "{path} cannot be used as a panel"


class ChannelCountError(IlpixError, ValueError):
    """An image has another number of channels than the panel has rows."""

    n_channels: int
    panel: Path
    n_kept: int
    n_dropped: int
    axes: str = "CYX"

    def __str__(self) -> str:
        stored = "" if self.axes == "CYX" else f" (axes {self.axes})"
        text = (
            f"the image has {self.n_channels} channels{stored}, "
            f"but {self.panel} describes {self.n_kept}"
        )
        if self.n_channels == self.n_kept + self.n_dropped:
            return (
                f"{text} and leaves out {self.n_dropped} by a 0 in column 'keep'; "
                "the image holds those too: export it without them, or set their 'keep' to 1"
            )
        return f"{text}; each kept row of the panel stands for one channel, in order"


class NoImagesError(IlpixError, FileNotFoundError):
    """There is nothing to work on."""

    folder: Path

    def __str__(self) -> str:
        return f"no image (*.tif, *.tiff) was found below {self.folder}; is this the right folder?"


class NoPreparedImagesError(NoImagesError):
    """There are no prepared images to predict."""

    def __str__(self) -> str:
        return f"no prepared image (*.h5) was found in {self.folder}; run ilpix prepare first"


class DuplicateImagesError(IlpixError, ValueError):
    """Several images have one name, so their results would overwrite each other."""

    duplicates: tuple[tuple[Path, ...], ...]

    def __str__(self) -> str:
        lines = "".join(f"\n  {' and '.join(map(str, paths))}" for paths in self.duplicates)
        return f"images whose results would have the same name; rename all but one:{lines}"


class NonFinitePixelsError(IlpixError, ValueError):
    """An image holds pixels that are not a number, or infinite."""

    path: Path
    count: int
    first: tuple[int, int, int]

    def __str__(self) -> str:
        channel, y, x = self.first
        return (
            f"{self.path} has {self.count} pixels that are NaN or infinite, the first in channel "
            f"{channel} (counted from 0) at y {y}, x {x}; export it again or set them to 0"
        )


class InvalidChosenCropsError(ProblemsError):
    """The table of crops that a person chose cannot be read."""

    heading = "{path} does not say which crops were chosen"
