"""Where the pictures of an image are; how they look is told in `ilpix.prediction.pictures`."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class PictureFiles:
    """Where the pictures of one image are."""

    folder: Path
    name: str

    @property
    def script(self) -> Path:
        """Everything at full size."""
        return self.folder / f"{self.name}.js"

    @property
    def image(self) -> Path:
        """The small composite."""
        return self.folder / f"{self.name}.image.jpg"

    @property
    def classes(self) -> Path:
        """The small picture of the classes, in the colours of the project."""
        return self.folder / f"{self.name}.classes.png"

    @property
    def safe_classes(self) -> Path:
        """The same in colours for everybody."""
        return self.folder / f"{self.name}.classes-safe.png"

    @property
    def small(self) -> tuple[Path, Path, Path]:
        """The small pictures."""
        return self.image, self.classes, self.safe_classes
