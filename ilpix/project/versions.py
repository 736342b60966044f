"""Versions of Ilastik as project files and container images name them."""

from packaging.version import InvalidVersion, Version


def parse_version(text: str) -> Version | None:
    """Return a version such as `1.3.3post3` or `1.4.0b7`; None where the text is none (PEP 440)."""
    try:
        return Version(text)
    except InvalidVersion:
        return None


def is_newer(version: str, other: str) -> bool:
    """Return whether `version` came after `other`; False where either is no version."""
    first, second = parse_version(version), parse_version(other)
    return first is not None and second is not None and first > second
