"""Which image each prepared image was made from, and which of those images are gone.

`prepare` notes it in the manifest, for all that was ever prepared. What is not noted there was
prepared by somebody else, and nobody knows what it was made from.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from flows.running.manifest import ALSO_WRITTEN, read_manifest
from ilpix.data_directory import PICTURES, PROBABILITIES, WORKSPACE
from ilpix.prediction.picture_files import PictureFiles
from ilpix.sources.finding import Source
from tasks.describing import DIGESTS
from tasks.digests import DigestMemo

NOTE = "sources"  # in the manifest, of `prepare`
LEFT_OUT = (
    "the image it was made from is gone; run and report leave it out, ilpix prune lists what is "
    "left of it"
)
DOUBLE = "are one image under several names, and count as several; keep one of them"
_RESULT_SUFFIXES = (".tiff", ".ome.tiff", ".ome.zarr")

Sources = dict[str, str]  # prepared image: its source; empty where the source is called otherwise


def noted_sources(data_dir: Path) -> Sources:
    """Return what `prepare` noted in its runs up to now."""
    record = read_manifest(data_dir).verbs.get("prepare")
    return dict(record.notes.get(NOTE, {})) if record else {}


def update_sources(
    noted: Mapping[str, str], data_dir: Path, images: Path, prepared: Path, found: Iterable[Source]
) -> Sources:
    """Return what is noted after all images of a folder were found.

    Args:
        noted: before.
        data_dir: the data directory.
        images: the folder in which images were looked for.
        prepared: the folder of what is made of them.
        found: the images.
    """
    now = {
        _named(data_dir, data_dir / prepared / f"{source.name}.h5"): _named(data_dir, source.path)
        for source in found
    }
    gone = {
        made: ""
        for made, source in noted.items()
        if (data_dir / made).parent == data_dir / prepared
        and (data_dir / source).is_relative_to(data_dir / images)
    }
    return {**noted, **gone, **{made: path for made, path in now.items() if _is_text(made + path)}}


def find_gone(noted: Mapping[str, str], data_dir: Path, prepared: Path) -> dict[str, str]:
    """Find images that are not there any more, and something that was made of them still is.

    Where not one image is there they are elsewhere as a whole, and nothing is gone.

    Args:
        noted: by `prepare`.
        data_dir: the data directory.
        prepared: its folder of prepared images.

    Returns:
        The name of each, and the name under which the same content is there; empty where it is not.
    """
    folder = data_dir / prepared
    sources = {
        Path(made).stem: source
        for made, source in noted.items()
        if (data_dir / made).parent == folder
    }
    living = {name for name, source in sources.items() if source and (data_dir / source).exists()}
    if not living:
        return {}
    files = {path.stem: path for path in sorted(folder.glob("[!.]*.h5")) if _is_text(path.name)}
    twins = _find_twins(data_dir, files, living)
    gone = {name: twins.get(name, "") for name in {*sources, *twins} - living}
    return {name: gone[name] for name in sorted(gone) if made_of(data_dir, prepared, name)}


def tell_gone(gone: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return names of what is gone, with those they have now, and what to know about it."""
    return [(f"{name} (now {now})" if now else name, LEFT_OUT) for name, now in gone.items()]


def tell_doubles(digests: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return images that have the same content under several names, and what to know about it.

    Args:
        digests: of the prepared images, by name.
    """
    names = defaultdict(list)
    for name, digest in digests.items():
        names[digest].append(name)
    return [(" and ".join(same), DOUBLE) for same in names.values() if len(same) > 1]


def made_of(data_dir: Path, prepared: Path, name: str) -> list[Path]:
    """Return the files that were made of an image: prepared, predicted, and the report's."""
    pictures = PictureFiles(data_dir / PICTURES, name)
    files = [
        data_dir / prepared / f"{name}.h5",
        *(
            data_dir / folder / f"{name}{suffix}"
            for folder in result_folders(data_dir)
            for suffix in _RESULT_SUFFIXES
        ),
        *(pictures.script, pictures.image, pictures.classes, pictures.safe_classes),
    ]
    return [path for path in files if path.exists()]


def result_folders(data_dir: Path) -> list[Path]:
    """Return the folders of all results of the last `run`."""
    record = read_manifest(data_dir).verbs.get("run")
    if record is None:
        return [PROBABILITIES]
    also = [Path(product["folder"]) for product in record.notes.get(ALSO_WRITTEN, ())]
    return [Path(record.parameters.get("probabilities", PROBABILITIES)), *also]


def _find_twins(
    data_dir: Path, files: Mapping[str, Path], living: Collection[str]
) -> dict[str, str]:
    """Return prepared images without a source, and those with one that have the same content."""
    memo = DigestMemo(data_dir.absolute() / WORKSPACE / DIGESTS)
    others = {name: path for name, path in files.items() if name not in living}
    sizes = {_size(path) for path in others.values()}
    known = {
        _digest(memo, path): name
        for name, path in files.items()
        if name in living and _size(path) in sizes
    }
    digests = {name: _digest(memo, path) for name, path in others.items()}
    return {name: known[digest] for name, digest in digests.items() if digest and digest in known}


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _digest(memo: DigestMemo, path: Path) -> str:
    """The digest of a file; empty where it cannot be read, which is told where it is used."""
    try:
        return memo.digest(path)
    except OSError:
        return ""


def _named(data_dir: Path, path: Path) -> str:
    """A path as it is from the data directory where it lies in it."""
    inside = path.is_relative_to(data_dir)
    return (path.relative_to(data_dir) if inside else path.absolute()).as_posix()


def _is_text(name: str) -> bool:
    """Whether a name can be written down; a file system takes any bytes."""
    try:
        return bool(name.encode())
    except UnicodeEncodeError:
        return False
