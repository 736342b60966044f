"""What a check found: the value that people and machines read."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ilpix.errors import name_some

ALL_IMAGES = "all images"  # where something is that concerns them together


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or that a person should know."""

    severity: Literal["error", "warning"]  # an error makes the result wrong or impossible
    topic: str  # one word that stays the same from version to version, such as "channels"
    where: str  # which file or lane
    what: str
    advice: str  # what to do about it


def has_errors(findings: Iterable[Finding]) -> bool:
    """Return whether anything found makes the result wrong or impossible."""
    return any(finding.severity == "error" for finding in findings)


def merge(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Put findings that differ only in their place into one; errors first, else as they came."""
    places = defaultdict(list)
    for finding in findings:
        key = (finding.severity, finding.topic, finding.what, finding.advice)
        places[key].append(finding.where)
    merged = [
        Finding(severity, topic, name_some(where), what, advice)
        for (severity, topic, what, advice), where in places.items()
    ]
    return tuple(sorted(merged, key=lambda finding: finding.severity))
