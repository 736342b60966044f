"""What a page may ask for: checked, and bounded, where it comes in."""

from typing import Annotated, Literal, TypeVar

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, Field, ValidationError
from starlette.requests import Request

from annotation.edits import AnnotatedClass, Value
from annotation.errors import BadRequestError
from ilpix.features.selection import FeatureSelection

MOST_BYTES = 2**23  # of one request
MOST_RUNS = 2**18  # of one stroke
MOST_STEPS = 256  # in one request

Asked = TypeVar("Asked", bound=BaseModel)
Number = Annotated[int, Field(ge=0, lt=2**31)]


class Paint(Value):
    """A stroke: pixels in runs along rows, `y, x, length` each."""

    kind: Literal["paint"]
    number: Number
    lane: Number
    value: Annotated[int, Field(ge=0, le=255)]
    runs: list[Number] = Field(max_length=3 * MOST_RUNS)
    keep: bool = False  # labels of other classes

    @property
    def pixels(self) -> npt.NDArray[np.int64]:
        """(N, 3) rows of y, x and a number of pixels."""
        if len(self.runs) % 3:
            raise BadRequestError("a stroke has a run without an end")
        return np.array(self.runs, np.int64).reshape(-1, 3)


class ChangeClasses(Value):
    """Another list of classes."""

    kind: Literal["classes"]
    number: Number
    classes: tuple[AnnotatedClass, ...] = Field(max_length=255)


class ChangeFeatures(Value):
    """Another choice of features."""

    kind: Literal["features"]
    number: Number
    features: FeatureSelection


class StepBack(Value):
    """Take the last step back, or take it again."""

    kind: Literal["undo", "redo"]
    number: Number


Gesture = Annotated[Paint | ChangeClasses | ChangeFeatures | StepBack, Field(discriminator="kind")]
Client = Annotated[str, Field(min_length=8, max_length=64, pattern="^[0-9a-zA-Z-]+$")]


class Gestures(Value):
    """What a person did on a page, in order."""

    client: Client
    gestures: tuple[Gesture, ...] = Field(max_length=MOST_STEPS)


class Show(Value):
    """Which crop a page shows."""

    client: Client
    lane: Number


class Pause(Value):
    """Whether strokes are answered."""

    is_paused: bool


class Cut(Value):
    """A crop to be cut out of a prepared image."""

    image: str = Field(max_length=255)
    y: Number
    x: Number
    size: Annotated[int, Field(ge=16, le=8192)]


class Nothing(Value):
    """A request that says all by its address."""


async def read_request(request: Request, kind: type[Asked]) -> Asked:
    """Read the body of a request, JSON.

    Raises:
        BadRequestError: if it is too large, or not what is asked for there.
    """
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise BadRequestError("the request is no JSON")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise BadRequestError("the request is too large")
    try:
        return kind.model_validate_json(bytes(body) or b"{}")
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        what = f"the request cannot be understood ({place}: {first['msg']})"
        raise BadRequestError(what) from error
