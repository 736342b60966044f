"""What was measured before, and the table of it."""

import json
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from benchmarks.costs import Cost

FILE = Path(__file__).with_name("recorded.json")
BEGIN, END = "<!-- table of `--record` -->", "<!-- end of table -->"
COLUMNS = ("", "s", "CPU s", "MB", "peer", "s", "CPU s", "MB", "peer / ours: s", "CPU")
COMPARED = ("recorded CPU s", "now / recorded")


@dataclass(frozen=True)
class Measured:
    """One row."""

    ours: Cost
    peer_name: str = ""
    peer: Cost | None = None
    day: str = ""
    n_images: int = 0  # where what an image costs is told


@dataclass
class Recorded:
    """What was measured on a kind of processor, before and now."""

    processor: str
    all_before: dict[str, dict[str, dict]]  # by processor, by row
    now: dict[str, Measured] = field(default_factory=dict)

    @classmethod
    def of(cls, processor: str) -> Self:
        """Read what is known."""
        return cls(processor, json.loads(FILE.read_text()) if FILE.exists() else {})

    def before(self, row: str) -> Measured | None:
        """Return what was measured of a row."""
        stored = self.all_before.get(self.processor, {}).get(row)
        if stored is None:
            return None
        peer = Cost(**stored["peer"]) if stored["peer"] else None
        return Measured(**{**stored, "ours": Cost(**stored["ours"]), "peer": peer})

    def write(self) -> None:
        """Keep what was measured now, and of other rows what was measured before."""
        day = datetime.now(UTC).date().isoformat()
        now = {name: _rounded(asdict(replace(it, day=day))) for name, it in self.now.items()}
        here = {**self.all_before.get(self.processor, {}), **now}
        self.all_before = {**self.all_before, self.processor: here}
        FILE.write_text(json.dumps(self.all_before, indent=1, ensure_ascii=False) + "\n")

    def renew(self, page: Path, order: list[str]) -> None:
        """Write the table of this processor to a page, in the order of the rows."""
        known = [(name, self.before(name)) for name in order]
        lines = [_line(cells_of(name, measured)) for name, measured in known if measured]
        days = sorted({measured.day for _, measured in known if measured})
        told = f"{self.processor}; {' to '.join(dict.fromkeys((days[0], days[-1])))}"
        table = [BEGIN, "", told, "", *head(), *lines, END]
        text = page.read_text(encoding="utf-8")
        before, after = text.split(BEGIN)[0], text.split(END)[-1]
        page.write_text(before + "\n".join(table) + after, encoding="utf-8")


def head(*more: str) -> list[str]:
    """Return the first two lines of the table."""
    names = [*COLUMNS, *more]
    return [_line(names), _line(["---"] * len(names))]


def compared_line(name: str, measured: Measured, before: Measured | None) -> str:
    """Return a row of the table, with what was recorded before."""
    now, then = measured.ours.cpu_seconds, before.ours.cpu_seconds if before else None
    compared = ["", ""] if then is None else [f"{then:.2f}", f"{now / then:.2f}"]
    return _line([*cells_of(name, measured), *compared])


def cells_of(name: str, measured: Measured) -> list[str]:
    """Return a row of the table."""
    ours, peer = measured.ours, measured.peer
    each = f": {1000 * ours.seconds / measured.n_images:.1f} ms each" if measured.n_images else ""
    cells = [name + each, *_numbers(ours), measured.peer_name, *_numbers(peer)]
    return cells + (["", ""] if peer is None else _ratios(peer, ours))


def processor() -> str:
    """Return the name of this machine's processor, with family and model."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    known = dict(entry.split(":", 1) for entry in lines if ":" in entry)
    fields = {name.strip(): value.strip() for name, value in known.items()}
    return f"{fields['model name']}, family {fields['cpu family']}, model {fields['model']}"


def _rounded(values: dict) -> dict:
    """The same with three digits behind the point."""
    return {
        name: _rounded(value)
        if isinstance(value, dict)
        else round(value, 3)
        if isinstance(value, float)
        else value
        for name, value in values.items()
    }


def _numbers(cost: Cost | None) -> list[str]:
    if cost is None:
        return ["", "", ""]
    peak = "" if cost.peak_mb is None else f"{cost.peak_mb:.0f}"
    return [f"{cost.seconds:.2f}", f"{cost.cpu_seconds:.2f}", peak]


def _ratios(peer: Cost, ours: Cost) -> list[str]:
    return [
        f"{peer.seconds / ours.seconds:.1f}",
        f"{peer.cpu_seconds / ours.cpu_seconds:.1f}",
    ]


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
