"""What can be wrong with panels and images."""

from pathlib import Path

from ilpix.errors import IlpixError, ProblemsError, told_shape
from ilpix.wording import counted


class UnreadableImageError(IlpixError, OSError):
    """An image file is damaged, cut short or of another format."""

    path: Path
    reason: str

    def __str__(self) -> str:
        return f"{self.path} cannot be read as an image: {self.reason}; copy or export it again"


class DanglingLinkError(IlpixError, FileNotFoundError):
    """A link leads to nothing."""

    path: Path
    target: str

    def __str__(self) -> str:
        return (
            f"{self.path} is a link to {self.target}, which is not there or cannot be reached; "
            "mend the link or remove it"
        )


class FolderNotReadableError(IlpixError, OSError):
    """Nobody may look into a folder."""

    folder: Path
    reason: str

    def __str__(self) -> str:
        return (
            f"{self.folder} cannot be looked into: {self.reason}; what is in it is left out until "
            "you may read it"
        )


class ImageAxesError(IlpixError, ValueError):
    """An image has other axes than channels, rows and columns."""

    path: Path
    axes: str
    shape: tuple[int, ...]
    n_channels: int | None = None  # that the panel describes

    def __str__(self) -> str:
        wanted = f"{self.n_channels} " if self.n_channels else ""
        return (
            f"{self.path} has the axes {self.axes} of lengths {told_shape(self.shape)}, but an "
            f"image has {wanted}channels, rows and columns (CYX) and nothing else; export one "
            "plane at one time point, or say which axes these are (--axes)"
        )


class NothingButNaNError(IlpixError, ValueError):
    """A pixel is NaN in all channels that become one."""

    group: str

    def __str__(self) -> str:
        return (
            f"some pixels are NaN in every channel of the group {self.group}; export the image "
            "again or set them to 0 (--nonfinite zero)"
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
            f"the image has {counted(self.n_channels, 'channel')}{stored}, "
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
    others: tuple[str, ...] = ()  # what else is there

    def __str__(self) -> str:
        found = "".join(f"\n  {other}" for other in self.others)
        return (
            f"no image (*.tif, *.tiff, *.zarr) was found below {self.folder}; "
            f"is this the right folder?{found}"
        )


class NoPreparedImagesError(NoImagesError):
    """There are no prepared images to predict."""

    def __str__(self) -> str:
        if self.folder.is_file():
            return f"{self.folder} is a file; name the folder that ilpix prepare made (--img)"
        if not self.folder.is_dir():
            return f"there is no folder {self.folder}; run ilpix prepare first, or check the path"
        found = "".join(f"\n  {other}" for other in self.others)
        return (
            f"no prepared image (*.h5) was found in {self.folder}; run ilpix prepare first{found}"
        )


class DuplicateImagesError(IlpixError, ValueError):
    """Several images have one name, so their results would overwrite each other."""

    duplicates: tuple[tuple[Path, ...], ...]

    def __str__(self) -> str:
        lines = "".join(f"\n  {' and '.join(map(str, paths))}" for paths in self.duplicates)
        return f"images whose results would have the same name; rename all but one:{lines}"


class InvalidChosenCropsError(ProblemsError):
    """The table of crops that a person chose cannot be read."""

    heading = "{path} does not say which crops were chosen"


class FileNameError(IlpixError, ValueError):
    """The name of a file cannot be used for the names of results."""

    name: str  # printable

    def __str__(self) -> str:
        return f"the name {self.name} is not UTF-8 (an archive of another system?); rename the file"


class MissingExtraError(IlpixError, ImportError):
    """A package that is needed only for some files is not installed."""

    what: str
    extra: str

    def __str__(self) -> str:
        return (
            f"{self.what} needs a package that is not installed: pip install 'ilpix[{self.extra}]'"
        )
