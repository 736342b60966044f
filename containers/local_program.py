"""An Ilastik that is installed on this machine."""

import shutil
from pathlib import Path

from containers.errors import LocalProgramError


def require_program(program: Path) -> Path:
    """Return the absolute path of a program that can be run; a bare name is looked for in PATH.

    Raises:
        LocalProgramError: if there is none.
    """
    found: str | None = shutil.which(program)
    if found is None:
        raise LocalProgramError(program)
    return Path(found).resolve()
