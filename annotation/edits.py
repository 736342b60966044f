"""What a person changes, as values: each knows what was there before, so that it can be undone."""

import base64
import zlib
from collections.abc import Callable
from typing import Annotated, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from ilpix.features.selection import FeatureSelection
from ilpix.project.reading import MAX_STORED_CLASSES, Color

Labels = npt.NDArray[np.uint8]  # (Y, X) identities of classes; 0 is unlabelled
Byte = Annotated[int, Field(ge=0, le=255)]

MOST_PIXELS = 2**28  # of a rectangle that is unpacked


class Value(BaseModel):
    """Compared by value, never changed; a misspelt name is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class AnnotatedClass(Value):
    """A class under an identity that stays while others come and go."""

    id: int = Field(ge=1, le=MAX_STORED_CLASSES)
    name: str = Field(min_length=1, max_length=80)
    color: tuple[Byte, Byte, Byte]
    pmap_color: tuple[Byte, Byte, Byte]

    def recolored(self, color: Color) -> Self:
        """Return it with another colour, of labels and of probabilities."""
        return self.model_copy(update={"color": color, "pmap_color": color})


class CropKey(Value):
    """A crop, known by its content; the name decides between equal ones."""

    name: str
    digest: str


class LabelEdit(Value):
    """A rectangle of one crop, before and after."""

    kind: Literal["labels"] = "labels"
    crop: CropKey
    y: Annotated[int, Field(ge=0)]
    x: Annotated[int, Field(ge=0)]
    height: PositiveInt
    width: PositiveInt
    before: str  # packed
    after: str  # packed

    @classmethod
    def between(cls, crop: CropKey, y: int, x: int, before: Labels, after: Labels) -> Self:
        """Describe how one rectangle, (Y, X), became another."""
        height, width = after.shape
        packed = pack(before), pack(after)
        return cls(
            crop=crop, y=y, x=x, height=height, width=width, before=packed[0], after=packed[1]
        )

    @property
    def inverse(self) -> Self:
        """What takes it back."""
        return self.model_copy(update={"before": self.after, "after": self.before})

    def apply_to(self, labels: Labels) -> Labels:
        """Write what it changed, and only that, into the (Y, X) labels of its crop.

        Returns:
            The rectangle of `labels` as it was before.
        """
        place = labels[self.y : self.y + self.height, self.x : self.x + self.width]
        shape = self.height, self.width
        before, after = unpack(self.before, shape), unpack(self.after, shape)
        overwritten = place.copy()
        np.copyto(place, after, where=before != after)
        return overwritten


class ClassesEdit(Value):
    """All classes, before and after."""

    kind: Literal["classes"] = "classes"
    before: tuple[AnnotatedClass, ...]
    after: tuple[AnnotatedClass, ...]

    @property
    def inverse(self) -> Self:
        """What takes it back."""
        return self.model_copy(update={"before": self.after, "after": self.before})


class FeaturesEdit(Value):
    """The choice of features, before and after."""

    kind: Literal["features"] = "features"
    before: FeatureSelection
    after: FeatureSelection

    @property
    def inverse(self) -> Self:
        """What takes it back."""
        return self.model_copy(update={"before": self.after, "after": self.before})


Edit = Annotated[LabelEdit | ClassesEdit | FeaturesEdit, Field(discriminator="kind")]


class Step(Value):
    """What one gesture of a person changed."""

    client: str = Field(max_length=64)  # the page it came from
    number: int = Field(ge=0)  # its steps are counted there, and each is taken once
    how: Literal["do", "undo", "redo"] = "do"
    edits: tuple[Edit, ...]

    @property
    def inverse(self) -> tuple[Edit, ...]:
        """What takes all of it back, the last edit first."""
        return tuple(edit.inverse for edit in reversed(self.edits))


def pack(labels: Labels) -> str:
    """Return a rectangle as text; most of them are nearly all of one value."""
    return base64.b64encode(zlib.compress(np.ascontiguousarray(labels).tobytes(), 1)).decode()


def unpack(text: str, shape: tuple[int, int]) -> Labels:
    """Return the rectangle of `shape` (Y, X) that `pack` made a text of.

    Raises:
        ValueError: if it is none.
    """
    n = shape[0] * shape[1]
    if n > MOST_PIXELS:
        raise ValueError(f"a rectangle of {n} pixels")
    stream = zlib.decompressobj()
    try:
        data = stream.decompress(base64.b64decode(text, validate=True), n + 1)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if len(data) != n:
        raise ValueError(f"{len(data)} labels for {n} pixels")
    return np.frombuffer(data, np.uint8).reshape(shape)


def map_labels(labels: Labels, new_of_old: Callable[[int], int]) -> Labels:
    """Return labels with every value replaced; 0 stays 0."""
    table = np.array([0, *(new_of_old(old) for old in range(1, 256))], np.uint8)
    return table[labels]
