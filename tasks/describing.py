"""What a file says of itself and what its channels look like, read once for each content."""

from pathlib import Path

from pydantic import BaseModel, ValidationError

from ilpix.files import write_text
from ilpix.images.channel_statistics import ALGORITHM, ChannelStatistics, describe_channels
from ilpix.images.hdf5 import ImageHeader, open_prepared, require_openable
from tasks.digests import DigestMemo

DIGESTS, DESCRIBED = "digests", "channels"  # in the workspace


class Described(BaseModel, frozen=True):
    """A prepared image or crop."""

    header: ImageHeader
    channels: ChannelStatistics


def describe_file(path: Path, workspace: Path, n_channels: int | None) -> Described:
    """Describe a prepared image or crop.

    Args:
        path: the file.
        workspace: the folder `.ilpix` of the data directory, which remembers what was found.
        n_channels: how many channels it must have, where that is known; see `open_prepared`.

    Raises:
        IlpixError: from `open_prepared`, or if its pixels are damaged.
    """
    require_openable(path)
    note = _note_of(path, workspace, n_channels)
    return _remembered(note) or _describe(path, n_channels, note)


def _note_of(path: Path, workspace: Path, n_channels: int | None) -> Path | None:
    """Where it is remembered; nowhere if it cannot be read, of which opening it tells more."""
    try:
        digest = DigestMemo(workspace / DIGESTS).digest(path)
    except OSError:
        return None
    return workspace / DESCRIBED / f"{digest}-{n_channels}-{ALGORITHM}.json"


def _remembered(note: Path | None) -> Described | None:
    try:
        return Described.model_validate_json(note.read_bytes()) if note else None
    except (OSError, ValidationError):
        return None


def _describe(path: Path, n_channels: int | None, note: Path | None) -> Described:
    with open_prepared(path, n_channels) as image:
        described = Described(header=image.header, channels=describe_channels(image))
    if note:
        write_text(note, described.model_dump_json(), lasting=False)
    return described
