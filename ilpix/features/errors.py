"""Why features of an image cannot be computed."""

from ilpix.errors import IlpixError


class ImageTooSmallError(IlpixError, ValueError):
    """An image has fewer pixels along an axis than a selected feature scale needs."""

    height: int
    width: int
    scale: float
    needed: int

    def __str__(self) -> str:
        return (
            f"the image has {self.height} × {self.width} pixels, but features at scale "
            f"{self.scale} px need {self.needed} along both edges; leave the image out, or choose "
            "smaller scales and train again"
        )


class NotFiniteError(IlpixError, ValueError):
    """Features cannot be computed, as a pixel is NaN or infinite."""

    channel: int
    y: int
    x: int

    def __str__(self) -> str:
        return (
            f"the image has a pixel that is NaN or infinite, the first in channel {self.channel} "
            f"(counted from 0) at y {self.y}, x {self.x}; it would spread over all features around "
            "it: export the image again or set such pixels to 0"
        )
