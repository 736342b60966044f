"""What is wrong with a source of images: a file or folder that a scientist brings."""

from pathlib import Path

from ilpix.errors import IlpixError, name_some, told_shape
from ilpix.wording import counted


class AxesOptionError(IlpixError, ValueError):
    """A person named axes that an image does not have."""

    path: Path
    axes: str
    shape: tuple[int, ...]

    def __str__(self) -> str:
        return (
            f"the axes {self.axes!r} do not fit {self.path}, whose axes have the lengths "
            f"{told_shape(self.shape)}; give a letter for each of them, or for those longer than 1"
        )


class NonFinitePixelsError(IlpixError, ValueError):
    """An image holds pixels that are not a number, or infinite."""

    path: Path
    count: int
    first: tuple[int, int, int]

    def __str__(self) -> str:
        channel, y, x = self.first
        return (
            f"{self.path} has NaN or infinite values in {counted(self.count, 'pixel')}, the first "
            f"in channel {channel} (counted from 0) at y {y}, x {x}; export it again or set them "
            "to 0 (--nonfinite zero)"
        )


class NoSuchSeriesError(IlpixError, LookupError):
    """A file has fewer images than the number asked for."""

    path: Path
    series: int
    n_series: int

    def __str__(self) -> str:
        return (
            f"{self.path} holds {counted(self.n_series, 'image')}, so there is no number "
            f"{self.series} (counted from 1)"
        )


class SeriesError(IlpixError, ValueError):
    """A file holds several images, none of which is what the panel describes."""

    path: Path
    counts: tuple[int, ...]  # channels of each; 0 where it has none
    n_channels: int | None  # that the panel describes

    def __str__(self) -> str:
        counts = ", ".join(map(str, self.counts))
        wanted = f"; the panel describes {self.n_channels}" if self.n_channels else ""
        return (
            f"{self.path} holds {counted(len(self.counts), 'image')}, with {counts} channels"
            f"{wanted}; choose one (--series), or export it alone"
        )


class StackError(IlpixError, ValueError):
    """The files of a folder are channels of one image, but they do not make one."""

    folder: Path
    reason: str

    def __str__(self) -> str:
        return (
            f"{self.folder}: {self.reason}; name the files as the panel names the channels, or say "
            "how to put them in order (--stack names or --stack order)"
        )


class ZarrKindError(IlpixError, ValueError):
    """A Zarr folder or archive holds no image to classify."""

    path: Path
    kind: str

    def __str__(self) -> str:
        return f"{self.path} is {self.kind}"


class NoSuchLevelError(IlpixError, LookupError):
    """An image has fewer resolution levels."""

    path: Path
    level: int
    n_levels: int

    def __str__(self) -> str:
        return (
            f"{self.path} has {counted(self.n_levels, 'resolution level')}, so there is no level "
            f"{self.level} (0 is the finest)"
        )


class RawFileError(IlpixError, OSError):
    """A file of raw imaging mass cytometry, or an acquisition in it, is damaged."""

    path: Path
    reason: str

    def __str__(self) -> str:
        return f"{self.path} cannot be read as raw imaging mass cytometry: {self.reason}"


class MissingChannelError(IlpixError, LookupError):
    """An acquisition was not measured with a channel of the panel."""

    acquisition: str
    channel: str

    def __str__(self) -> str:
        return (
            f"{self.acquisition} was not measured with the channel {self.channel}; set its 'keep' "
            "in the panel to 0, or leave this acquisition out"
        )


class NoAcquisitionFitsError(IlpixError, LookupError):
    """No acquisition was measured with every channel of the panel."""

    panel: Path
    acquisitions: tuple[str, ...]
    missing: tuple[str, ...]  # channels that some of them lack

    def __str__(self) -> str:
        return (
            f"no acquisition has every channel of {self.panel}, so {name_some(self.acquisitions)} "
            f"would all be left out; correct {name_some(self.missing)} in the panel or set their "
            "'keep' to 0, or move the panel away: then one is made of what was measured"
        )


class NoRawFilesError(IlpixError, FileNotFoundError):
    """There is nothing to import."""

    folder: Path

    def __str__(self) -> str:
        return (
            f"no raw imaging mass cytometry (*.mcd, *.txt, or these in *.zip) was found below "
            f"{self.folder}; is this the right folder?"
        )
