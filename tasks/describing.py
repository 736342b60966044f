"""What the channels of a file look like, read once for each content."""

from pathlib import Path

from pydantic import ValidationError

from ilpix.errors import IlpixError
from ilpix.files import write_text
from ilpix.images.channel_statistics import ALGORITHM, ChannelStatistics, describe_channels
from ilpix.images.hdf5 import open_prepared
from tasks.digests import DigestMemo

DIGESTS, DESCRIBED = "digests", "channels"  # in the workspace


def describe_file(path: Path, workspace: Path) -> ChannelStatistics | None:
    """Describe the channels of a prepared image or crop; None where it cannot be read.

    Args:
        path: the file.
        workspace: the folder `.ilpix` of the data directory, which remembers what was found.
    """
    try:
        digest = DigestMemo(workspace / DIGESTS).digest(path)
        note = workspace / DESCRIBED / f"{digest}-{ALGORITHM}.json"
        return _remembered(note) or _describe(path, note)
    except (OSError, IlpixError):
        return None


def _remembered(note: Path) -> ChannelStatistics | None:
    try:
        return ChannelStatistics.model_validate_json(note.read_bytes())
    except (OSError, ValidationError):
        return None


def _describe(path: Path, note: Path) -> ChannelStatistics:
    with open_prepared(path) as image:
        described = describe_channels(image)
    write_text(note, described.model_dump_json(), lasting=False)
    return described
