"""Find the images below a folder, whatever layout they have, and name their results.

An image is a TIFF file (or one of several images in it), an OME-Zarr folder or archive, or a folder
of one TIFF per channel. Files of other formats are named, not passed over in silence.
"""

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from ilpix.errors import IlpixError
from ilpix.files import printable
from ilpix.images.errors import (
    FileNameError,
    NoImagesError,
    UnreadableImageError,
)
from ilpix.images.left_out import (
    FOLDER_LINK,
    dangling_link,
    is_dangling,
    is_visible_file,
    not_readable,
    tell_hidden,
)
from ilpix.images.panel import Panel
from ilpix.sources import ome_zarr
from ilpix.sources.foreign import describe_suffix
from ilpix.sources.reading_options import ReadingOptions
from ilpix.sources.series import ChosenImages
from ilpix.sources.source import SourceImage
from ilpix.sources.stacks import open_stack, plan_stacks
from ilpix.sources.tiff import (
    SUFFIXES,
    choose_images,
    image_stem,
    open_tiff,
    require_names_differ,
)


@dataclass(frozen=True, slots=True)
class Source:
    """Where one image is."""

    name: str  # of its results
    path: Path  # a file, or a folder that is one image or several
    index: int = 0  # of the image there


@dataclass(slots=True)
class Found:
    """What is below a folder."""

    sources: list[Source] = field(default_factory=list)  # in steinbock's order
    failures: dict[str, IlpixError] = field(default_factory=dict)  # images that cannot be read
    notes: dict[str, str] = field(default_factory=dict)  # image or file: what to know about it

    @property
    def names(self) -> list[str]:
        """Of all images, those that cannot be read last."""
        return [*(source.name for source in self.sources), *self.failures]

    def refuse_folder(self, error: OSError) -> None:
        """Remember a folder that cannot be looked into."""
        if told := not_readable(error):
            self.failures[printable(told.folder.name)] = told


def find_sources(folder: Path, panel: Panel, options: ReadingOptions = ReadingOptions()) -> Found:
    """Find all images below a folder; hidden files are left out.

    Raises:
        NoImagesError: if there are none, or no such folder.
        DuplicateImagesError: if the results of several images would have the same name.

    Example:
        >>> found = find_sources(Path("img"), read_panel(Path("panel.csv")))
        >>> [source.name for source in found.sources][:2]
        ['region_1', 'region_2']
    """
    found = Found()
    for root, folders, files in os.walk(folder, onerror=found.refuse_folder):
        here = Path(root)
        if ome_zarr.is_zarr(here):
            folders.clear()
            _add(found, here, panel, options)
        else:
            paths = [here / name for name in files]
            _add_linked_folders(found, [here / name for name in folders], panel, options)
            _leave_out(found, paths)
            _add_files(found, here, list(filter(is_visible_file, paths)), panel, options)
    found.sources.sort(key=lambda source: source.path)
    if not found.sources and not found.failures:
        others = tuple(f"{name} {what}" for name, what in found.notes.items())
        raise NoImagesError(folder, others)
    require_names_differ((source.name, source.path) for source in found.sources)
    return found


def open_source(
    path: Path, index: int, panel: Panel, options: ReadingOptions = ReadingOptions()
) -> AbstractContextManager[SourceImage]:
    """Open one image, as `find_sources` found it.

    Raises:
        IlpixError: if it cannot be read; see `open_tiff`, `open_stack`, `open_zarr`.

    Example:
        >>> with open_source(Path("img/region_1.tiff"), 0, read_panel(Path("panel.csv"))) as image:
        ...     image.read().shape
        (5, 110, 130)
    """
    if ome_zarr.is_zarr(path):
        return ome_zarr.open_zarr(path, index, len(panel.names), options)
    if path.is_dir():
        return open_stack(plan_stacks(path, panel, options)[index])
    return open_tiff(path, index, len(panel.names), options)


def _add_linked_folders(
    found: Found, folders: Sequence[Path], panel: Panel, options: ReadingOptions
) -> None:
    """Add the links to OME-Zarr folders; note those to other folders."""
    for path in folders:
        if path.is_symlink() and ome_zarr.is_zarr(path):
            _add(found, path, panel, options)
        elif path.is_symlink():
            found.notes[printable(path.name)] = FOLDER_LINK


def _leave_out(found: Found, paths: Sequence[Path]) -> None:
    """Remember links to nothing as failed where they may be images, and note hidden images."""
    for path in filter(is_dangling, paths):
        if path.name.startswith("."):
            continue
        error = dangling_link(path)
        if path.suffix.lower() in SUFFIXES:
            found.failures[printable(image_stem(path))] = error
        else:
            found.notes[printable(path.name)] = printable(f"is a link to nothing ({error.target})")
    found.notes |= tell_hidden(paths, SUFFIXES)


def _add_files(
    found: Found, folder: Path, paths: Sequence[Path], panel: Panel, options: ReadingOptions
) -> None:
    """Add the images among the files of one folder; note what files of other formats are."""
    if any(path.suffix.lower() in SUFFIXES for path in paths):
        try:
            stacks = plan_stacks(folder, panel, options)
        except IlpixError as error:
            found.failures[folder.name] = error
            return
        for index, stack in enumerate(stacks):
            found.sources.append(Source(stack.name, folder, index))
        if stacks:
            return
    for path in paths:
        if path.suffix.lower() in SUFFIXES or ome_zarr.is_zarr(path):
            _add(found, path, panel, options)
        elif what := describe_suffix(path):
            found.notes[printable(path.name)] = what


def _add(found: Found, path: Path, panel: Panel, options: ReadingOptions) -> None:
    """Add the images of one file, or of an OME-Zarr folder."""
    is_zarr = ome_zarr.is_zarr(path)
    name = ome_zarr.zarr_stem(path) if is_zarr else image_stem(path)
    try:
        name.encode()
    except UnicodeEncodeError:
        found.failures[printable(name)] = FileNameError(printable(name))
        return
    try:
        choose = ome_zarr.choose_zarr_images if is_zarr else choose_images
        chosen = choose(path, len(panel.names), options)
    except UnreadableImageError:
        chosen = ChosenImages((0,), 1)  # why is told where it is read
    except IlpixError as error:
        found.failures[name] = error
        return
    several = len(chosen.indices) > 1
    for index in chosen.indices:
        found.sources.append(Source(f"{name}_{index + 1}" if several else name, path, index))
    if chosen.note:
        found.notes[name] = chosen.note
