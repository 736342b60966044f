"""Whether all of ilpix that Python would import is ilpix's own.

Its folders are top-level modules with everyday names: somebody's own `flows.py` can come before
them on Python's path, and another package with a module of such a name can overwrite their files.
"""

from importlib.util import find_spec
from pathlib import Path

from ilpix.errors import IlpixError

ROOMS = ("command", "annotation", "flows", "tasks", "containers")
_HERE = Path(__file__).parents[1]


class HiddenRoomError(IlpixError, ImportError):
    """Something else has the name of a part of ilpix, and Python would import that."""

    room: str
    other: str

    def __str__(self) -> str:
        return (
            f"{self.other} hides the module {self.room!r} of ilpix in {_HERE}; rename it, or use "
            "ilpix in another folder and in a virtual environment of its own"
        )


def require_own_rooms() -> None:
    """Make sure that every part of ilpix comes from where this module lies.

    Raises:
        HiddenRoomError: naming the first that does not, and what comes in its place.
    """
    for room in ROOMS:
        own = _HERE / room / "__init__.py"
        found = find_spec(room)
        origin = Path(found.origin) if found and found.origin else Path("another package")
        if origin.resolve() != own.resolve() or "ilpix" not in own.read_text(encoding="utf-8"):
            raise HiddenRoomError(room, str(origin))
