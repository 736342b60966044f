"""`import`: raw imaging mass cytometry becomes images and a panel, ready for `prepare`."""

import logging
import os
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flows.acquisitions import find_acquisitions, raw_items
from flows.options import ImportOptions
from flows.running.choosing import choose, tell_notes
from flows.running.verb_flow import verb_flow
from flows.running.verb_run import VerbRun, running
from ilpix.errors import name_some
from ilpix.files import printable, replacing
from ilpix.images.left_out import (
    FOLDER_LINK,
    dangling_link,
    is_dangling,
    is_visible_file,
    not_readable,
    tell_hidden,
)
from ilpix.images.panel import Panel, read_panel
from ilpix.sources.errors import NoAcquisitionFitsError, NoRawFilesError, RawFileError
from ilpix.sources.foreign import describe_archive
from ilpix.sources.raw_imc import SUFFIXES, Acquisition, is_raw
from ilpix.sources.raw_panel import write_raw_panel
from tasks.importing import import_acquisition
from tasks.records import FilesWritten

_log = logging.getLogger(__name__)


@verb_flow(name="import", flow_run_name="import-{data_dir.name}")
def import_raw(data_dir: Path = Path(), options: ImportOptions = ImportOptions()) -> list[Path]:
    """Turn raw imaging mass cytometry into images and a panel, as steinbock does.

    A panel that is there decides which channels the images have, and in which order; else one is
    made from what the files say.

    Args:
        data_dir: the folder that gets images and panel.
        options: where the raw files are, and what is filtered.

    Returns:
        The images, (C, Y, X) float32 ion counts.

    Raises:
        ImagesFailedError: after all acquisitions were tried, if any failed.
        IlpixError: if nothing could be begun: no raw files, a panel with mistakes.
    """
    with (
        running("import", data_dir, options) as run,
        _raw_files(run, run.path(options.raw)) as files,
    ):
        acquisitions = find_acquisitions(files, run.fail)
        chosen = choose([found.name for found in acquisitions], options.only)
        acquisitions = [found for found in acquisitions if found.name in chosen]
        panel = _find_panel(run.path(options.panel), acquisitions)
        complete = _leave_out(run, acquisitions, panel) if panel else acquisitions
        written = _import(run, complete, panel, options)
        _write_table(run.path(options.infoout), complete, written)
    return [run.path(options.imgout) / f"{name}.tiff" for name in written]


@contextmanager
def _raw_files(run: VerbRun, folder: Path) -> Iterator[list[Path]]:
    """The raw files below a folder; those in archives are unpacked while the block is open."""
    run.workspace.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=run.workspace, prefix="raw-") as unpacked:
        files = _look_below(run, folder)
        for number, archive in enumerate(path for path in files if path.suffix.lower() == ".zip"):
            try:
                files += _unpack(archive, Path(unpacked) / str(number))
            except RawFileError as error:
                run.fail(archive.name, error)
        raw = [path for path in files if path.suffix.lower() in SUFFIXES and is_raw(path)]
        if not raw and not run.outcomes:
            raise NoRawFilesError(folder)
        yield raw


def _look_below(run: VerbRun, folder: Path) -> list[Path]:
    """The files below a folder; raw files that lie there and cannot be read are told."""
    found: list[Path] = []
    notes: list[tuple[str, str]] = []
    for root, folders, names in os.walk(folder, onerror=partial(_refuse_folder, run)):
        paths = [Path(root) / name for name in names]
        found += filter(is_visible_file, paths)
        for path in filter(is_dangling, paths):
            if path.suffix.lower() in {*SUFFIXES, ".zip"}:
                run.fail(path.name, dangling_link(path))
        links = [name for name in folders if (Path(root) / name).is_symlink()]
        notes += [(printable(name), FOLDER_LINK) for name in links]
        notes += tell_hidden(paths, SUFFIXES).items()
    tell_notes(run, notes)
    return sorted(found)


def _refuse_folder(run: VerbRun, error: OSError) -> None:
    if told := not_readable(error):
        run.fail(told.folder.name, told)


def _unpack(archive: Path, folder: Path) -> list[Path]:
    """Unpack the raw files of an archive under their own names alone."""
    unpacked = []
    try:
        with zipfile.ZipFile(archive) as content:
            for item, name in raw_items(content):
                item.filename = name
                unpacked.append(Path(content.extract(item, folder)))
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError) as error:
        raise RawFileError(archive, describe_archive(archive)) from error
    return unpacked


def _find_panel(path: Path, acquisitions: Sequence[Acquisition]) -> Panel | None:
    """The panel that is there, or one made of what the files say; MCD files have a say first."""
    if not path.exists():
        of_mcd = [found for found in acquisitions if found.id is not None]
        if not acquisitions:
            return None
        write_raw_panel(path, of_mcd or acquisitions)
        _log.info("%s was made of the channels of the raw files", path)
    return read_panel(path)


def _leave_out(
    run: VerbRun, acquisitions: Sequence[Acquisition], panel: Panel
) -> list[Acquisition]:
    """Leave out, with a word, what was not measured with the channels of the panel.

    Raises:
        NoAcquisitionFitsError: if nothing was.
    """
    missing = {
        found.name: [channel for channel in panel.channels if channel not in found.channels]
        for found in acquisitions
    }
    left_out = {name: ", ".join(channels) for name, channels in missing.items() if channels}
    run.notes["left_out"] = {name: f"no channel {channels}" for name, channels in left_out.items()}
    if left_out and len(left_out) == len(acquisitions) and not run.outcomes:
        unknown = dict.fromkeys(channel for channels in missing.values() for channel in channels)
        raise NoAcquisitionFitsError(panel.path, tuple(left_out), tuple(unknown))
    alike = defaultdict(list)
    for name, channels in left_out.items():
        alike[channels].append(name)
    for missing_channels, names in alike.items():
        _log.warning("left out, as there is no channel %s: %s", missing_channels, name_some(names))
    return [found for found in acquisitions if found.name not in left_out]


def _import(
    run: VerbRun, acquisitions: Sequence[Acquisition], panel: Panel | None, options: ImportOptions
) -> dict[str, FilesWritten]:
    return run.for_each_image(
        import_acquisition,
        {
            found.name: {
                "source": found.file,
                "number": found.id,
                "target": run.path(options.imgout) / f"{found.name}.tiff",
                "channels": panel.channels if panel else (),
                "hpf": options.hpf,
                "recovery": found.recovery,
            }
            for found in acquisitions
        },
    )


def _write_table(
    path: Path, acquisitions: Sequence[Acquisition], written: dict[str, FilesWritten]
) -> None:
    """Write steinbock's table of images."""
    import pandas as pd  # noqa: PLC0415 - half a second to import

    rows: list[dict[str, Any]] = [
        {
            "image": f"{found.name}.tiff",
            "width_px": facts["width"],
            "height_px": facts["height"],
            "num_channels": facts["channels"],
            "source_file": found.file.name,
            "recovery_file": found.recovery.name if found.recovery else None,
            "recovered": facts["recovered"],
            **found.facts,
        }
        for found in acquisitions
        if found.name in written
        for facts in (written[found.name].facts,)
    ]
    if rows:
        with replacing(path) as temporary:
            pd.DataFrame(rows).to_csv(temporary, index=False, lineterminator="\n")
