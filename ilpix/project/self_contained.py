"""Make sure that a stranger's project is whole in itself, before any value of it is read.

Nothing outside of the file is ever read: links of any kind, pixels kept in another file and groups
that contain themselves are refused, and texts of unbelievable length.
"""

import struct
from pathlib import Path
from typing import TypeAlias

import h5py

from ilpix.errors import InvalidProjectError, Problem
from ilpix.images.heaps import DamagedHeapError
from ilpix.images.stored_texts import StoredTexts
from ilpix.project.backups import advise_restoring
from ilpix.project.damage import DAMAGE

MAX_OBJECTS = 200_000  # groups and datasets; 1000 lanes and 1000 trees make 25 000
MAX_TEXT_LENGTH = 2**16

_Item: TypeAlias = h5py.h5g.GroupID | h5py.h5d.DatasetID | h5py.h5t.TypeID


def require_self_contained(file: h5py.File, path: Path) -> None:
    """Make sure that everything in a file is stored in it, once, and of believable size.

    Raises:
        InvalidProjectError: with every link, dataset kept elsewhere and group inside itself.
    """
    problems: list[Problem] = []
    try:
        with StoredTexts(path, file.userblock_size) as texts:
            _walk(file, texts, problems)
    except DamagedHeapError as error:
        problems.append(Problem("/", f"{error}; {advise_restoring(path)}"))
    except DAMAGE as error:
        problems.append(Problem("/", f"is damaged: {error}; {advise_restoring(path)}"))
    if problems:
        raise InvalidProjectError(path, tuple(problems))


def _walk(file: h5py.File, texts: StoredTexts, problems: list[Problem]) -> None:
    # h5py's low-level calls, as a project has thousands of datasets
    root = h5py.h5g.open(file.id, b"/")
    groups = [("", root)]
    address = h5py.h5o.get_info(root).addr
    met = {address}
    problems += [Problem("/", what) for what in check_object(root, address, texts)]
    while groups:
        parent, group = groups.pop()
        links = group.links
        for name in group:
            readable = name.decode(errors="replace")
            where = f"{parent}/{readable}"
            if "\N{REPLACEMENT CHARACTER}" in readable:
                problems.append(Problem(where, "has a name that is no UTF-8 text"))
                continue
            if links.get_info(name).type != h5py.h5l.TYPE_HARD:
                problems.append(Problem(where, "is a link; copy the data itself into the project"))
                continue
            item = h5py.h5o.open(group, name)
            address = h5py.h5o.get_info(item).addr
            if address in met:
                problems.append(Problem(where, "is stored elsewhere in the file as well"))
                continue
            if isinstance(item, h5py.h5g.GroupID):
                groups.append((where, item))
            problems += [Problem(where, what) for what in check_object(item, address, texts)]
            met.add(address)
            if len(met) > MAX_OBJECTS:
                problems.append(Problem("/", f"holds more than {MAX_OBJECTS} groups and datasets"))
                return


def check_object(item: _Item, address: int, texts: StoredTexts) -> list[str]:
    """Return what is wrong with a group or dataset, before any value of it is read.

    Raises:
        DamagedHeapError: if it has texts that cannot be found.
    """
    problems = []
    lengths = [0]
    try:
        if isinstance(item, h5py.h5d.DatasetID):
            if item.get_offset() is None and _is_elsewhere(item):
                problems.append("has its values in another file; copy them here")
            lengths.append(texts.longest_in(item))
        if h5py.h5a.get_num_attrs(item):
            lengths.append(texts.longest_in_attributes(address))
    except DamagedHeapError:  # which holds the texts of many objects
        raise
    except (ValueError, IndexError, struct.error) as error:
        problems.append(f"{error}; save the project in Ilastik again")
    if max(lengths) > MAX_TEXT_LENGTH:
        problems.append(f"claims a text of {max(lengths)} characters")
    return problems


def _is_elsewhere(dataset: h5py.h5d.DatasetID) -> bool:
    layout = dataset.get_create_plist()
    return bool(layout.get_layout() == h5py.h5d.VIRTUAL or layout.get_external_count())
