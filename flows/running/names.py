"""Whether results keep their names apart on the disk that they go to."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from flows.errors import NamesAlikeError
from ilpix.files import tells_case_apart


def require_names_apart(targets: Iterable[Path]) -> None:
    """Make sure that no result takes the place of another one on a disk where `a` and `A` are one.

    Raises:
        NamesAlikeError: if two would.
        FolderNotWritableError: if the disk cannot be asked.
    """
    alike: defaultdict[tuple[Path, str], list[str]] = defaultdict(list)
    for target in targets:
        folded = unicodedata.normalize("NFC", target.name).casefold()
        alike[target.parent, folded].append(target.name)
    for (folder, _), names in alike.items():
        if len(names) > 1 and not tells_case_apart(folder):
            raise NamesAlikeError(folder, tuple(names))
