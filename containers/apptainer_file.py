"""An image for Apptainer that is a file, or a folder."""

from pathlib import Path

from containers.apptainer_errors import ApptainerImageMissingError

FROM_DOCKER = "docker://"  # begins the name of an image that is none


def require_image_file(image: str) -> Path:
    """Return the absolute path of an image that is a file or a folder.

    Raises:
        ApptainerImageMissingError: if it is not there.
    """
    path = Path(image).expanduser().resolve()
    if not path.exists():
        raise ApptainerImageMissingError(image, "there is no such file or folder")
    return path
