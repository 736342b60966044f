"""What is looked at before Apptainer is run: the program, and an image that is a file or folder."""

import platform
import shutil
from pathlib import Path

from containers.apptainer_errors import ApptainerImageMissingError, ApptainerMissingError

FROM_DOCKER = "docker://"  # begins the name of an image that is none


def require_apptainer() -> None:
    """Raise `ApptainerMissingError` if there is no program of that name on this machine."""
    if shutil.which("apptainer") is None:
        raise ApptainerMissingError(platform.node())


def require_image_file(image: str) -> Path:
    """Return the absolute path of an image that is a file or a folder.

    Raises:
        ApptainerImageMissingError: if it is not there.
    """
    path = Path(image).expanduser().resolve()
    if not path.exists():
        raise ApptainerImageMissingError(image, "there is no such file or folder")
    return path
