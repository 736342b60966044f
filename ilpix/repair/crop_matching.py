"""Find the crop file of each lane, from the paths that a project of any machine stores."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from ilpix.project.stored_lanes import Lane
from ilpix.repair.crop_files import CROP_SUFFIXES, HDF5_SUFFIXES
from ilpix.sources.tiff import image_stem

_HDF5_FILE = re.compile(r"(.*\.(?:h5|hdf5))(?:/.*)?", re.IGNORECASE | re.DOTALL)
_UNSAFE = re.compile(r"[^\w.+-]+")


def match_crops(lanes: Sequence[Lane], files: Sequence[Path]) -> dict[int, Path]:
    """Choose a file for each lane by its name, and by its folders where lanes share a name.

    Returns:
        Files by lane index. A lane that no file is named like, or that cannot be told from another
        lane, is left out. Lanes with the same path get the same file.
    """
    by_stem = defaultdict(list)
    for path in files:
        by_stem[image_stem(path)].append(path)
    chosen: dict[int, Path] = {}
    for lane in lanes:
        for parts in (stored_parts(lane), (lane.nickname,)):
            found = _most_alike(parts, by_stem.get(_stem(parts), []))
            if found is not None:
                chosen[lane.index] = found
                break
    claims = defaultdict(set)
    for lane in lanes:
        if lane.index in chosen:
            claims[chosen[lane.index]].add(stored_parts(lane))
    return {index: path for index, path in chosen.items() if len(claims[path]) == 1}


def stored_parts(lane: Lane) -> tuple[str, ...]:
    """Return the folders and the file name of a lane's crop, as any system writes paths."""
    if lane.inner_path is not None:
        return (lane.nickname,)
    path = lane.file_path.replace("\\", "/")
    match = _HDF5_FILE.fullmatch(path)
    return tuple(part for part in (match[1] if match else path).split("/") if part)


def file_names(
    lanes: Sequence[Lane], crops: Mapping[int, Path], spare: Sequence[Path]
) -> dict[int, str]:
    """Name the crop of each lane: its own name, preceded by its folder where two are alike.

    Args:
        lanes: all of them.
        crops: files by lane index; a lane without one is named after its nickname.
        spare: files that stay as they are; no lane takes their name.
    """
    proposals = {lane.index: _proposals(lane, crops.get(lane.index)) for lane in lanes}
    first = Counter(
        stem for stem, _ in {(proposals[lane.index][0], _owner(lane, crops)) for lane in lanes}
    )
    taken = {path.name.casefold() for path in spare}
    owners: dict[str, object] = {}
    names = {}
    for lane in lanes:
        owner = _owner(lane, crops)
        own = proposals[lane.index]
        for stem in own if first[own[0]] == 1 else own[1:]:
            name = f"{stem}{HDF5_SUFFIXES[0]}"
            key = name.casefold()
            if key not in taken and owners.setdefault(key, owner) == owner:
                names[lane.index] = name
                break
    return names


def _proposals(lane: Lane, path: Path | None) -> tuple[str, str, str]:
    stem = image_stem(path) if path else _UNSAFE.sub("_", lane.nickname).strip("._") or "crop"
    folder = path.parent.name if path else "lane"
    return stem, f"{folder}_{stem}", f"{stem}_lane{lane.index:04d}"


def _owner(lane: Lane, crops: Mapping[int, Path]) -> object:
    return crops.get(lane.index, lane.index)


def _stem(parts: Sequence[str]) -> str:
    path = Path(parts[-1]) if parts else Path()
    return image_stem(path) if path.suffix.lower() in CROP_SUFFIXES else path.name


def _most_alike(parts: Sequence[str], candidates: Sequence[Path]) -> Path | None:
    """The file in the most alike folders; of one folder the same or the better format."""
    ranks = {path: _common_folders(parts, path) for path in candidates}
    best = [path for path, rank in ranks.items() if rank == max(ranks.values())]
    if len({path.parent for path in best}) != 1:
        return None
    suffix = Path(parts[-1]).suffix.lower()
    return min(
        best,
        key=lambda path: (path.suffix.lower() != suffix, CROP_SUFFIXES.index(path.suffix.lower())),
    )


def _common_folders(parts: Sequence[str], path: Path) -> int:
    pairs = zip(reversed(parts[:-1]), reversed(path.parts[:-1]), strict=False)
    n_common = 0
    for stored, present in pairs:
        if stored != present:
            break
        n_common += 1
    return n_common
