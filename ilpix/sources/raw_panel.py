"""The panel of raw imaging mass cytometry, as `steinbock preprocess imc panel` makes it."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from ilpix.files import replacing
from ilpix.sources.raw_imc import Acquisition

COLUMNS = ("channel", "name", "keep", "ilastik", "deepcell", "cellpose")


def write_raw_panel(path: Path, acquisitions: Sequence[Acquisition]) -> None:
    """Write a panel of all channels that any acquisition has, in the order of their masses.

    Names that several channels have get numbers. Where acquisitions name one channel differently,
    all its names are given: `CD3 / CD3e`.

    Args:
        path: the table, replaced where it exists.
        acquisitions: at least one.
    """
    import pandas as pd  # noqa: PLC0415 - half a second to import

    names: defaultdict[str, list[str]] = defaultdict(list)
    for acquisition in acquisitions:
        for channel, label in zip(acquisition.channels, acquisition.labels, strict=True):
            if label not in names[channel]:
                names[channel].append(label)
    channels = sorted(names, key=_mass)
    joined = _numbered([" / ".join(names[channel]) for channel in channels])
    table = pd.DataFrame({"channel": channels, "name": joined, "keep": 1}).reindex(columns=COLUMNS)
    table["ilastik"] = range(1, len(channels) + 1)
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")


def _mass(channel: str) -> int:
    return int(re.sub(r"[^0-9]", "", channel) or 0)


def _numbered(names: Sequence[str]) -> list[str]:
    counts, seen = Counter(names), Counter[str]()
    numbered = []
    for name in names:
        seen[name] += 1
        numbered.append(name if counts[name] == 1 else f"{name} {seen[name]}")
    return numbered
