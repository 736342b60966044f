"""Shapes that a person drew in QuPath, as GeoJSON: annotations become labels of a crop.

QuPath writes a feature for each object (RFC 7946); its geometry is in pixels of the image, counted
from the upper left corner of the upper left pixel, and its class is a name. A pixel belongs to an
area if its centre lies inside, to a line if the line passes through it.
"""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, FiniteFloat, ValidationError

from ilpix.arrays import LabelImage
from ilpix.project.reading import PixelProject

SUFFIX = ".geojson"
MOST_BYTES = 2**28  # of a file
_TOLERANCE_PX = 1.0  # by which a shape may stick out of its crop

Position = Annotated[tuple[FiniteFloat, ...], Field(min_length=2)]  # x, y
Line = tuple[Position, ...]  # of an area, the outline or that of a hole
Mask = NDArray[np.bool_]


class UnusableShapesError(ValueError):
    """Shapes are no labels of a crop; the text says why, behind the name of their file."""


class _Point(BaseModel, frozen=True):
    type: Literal["Point"]
    coordinates: Position

    @property
    def lines(self) -> tuple[Line, ...]:
        return ((self.coordinates,),)


class _Points(BaseModel, frozen=True):
    type: Literal["MultiPoint"]
    coordinates: Line

    @property
    def lines(self) -> tuple[Line, ...]:
        return tuple((position,) for position in self.coordinates)


class _Line(BaseModel, frozen=True):
    type: Literal["LineString"]
    coordinates: Line

    @property
    def lines(self) -> tuple[Line, ...]:
        return (self.coordinates,)


class _Lines(BaseModel, frozen=True):
    type: Literal["MultiLineString"]
    coordinates: tuple[Line, ...]

    @property
    def lines(self) -> tuple[Line, ...]:
        return self.coordinates


class _Area(BaseModel, frozen=True):
    type: Literal["Polygon"]
    coordinates: tuple[Line, ...]

    @property
    def lines(self) -> tuple[Line, ...]:
        return self.coordinates


class _Areas(BaseModel, frozen=True):
    type: Literal["MultiPolygon"]
    coordinates: tuple[tuple[Line, ...], ...]

    @property
    def lines(self) -> tuple[Line, ...]:
        return tuple(line for area in self.coordinates for line in area)


_Shape = Annotated[_Point | _Points | _Line | _Lines | _Area | _Areas, Field(discriminator="type")]


class _Class(BaseModel, frozen=True):
    name: str = ""
    names: tuple[str, ...] = ()  # of later versions, for a class within a class


class _Properties(BaseModel, frozen=True):
    object_type: str = Field("", alias="objectType")
    classification: _Class | None = None


class _Feature(BaseModel, frozen=True):
    type: Literal["Feature"]
    id: str = ""  # the kind of object in older versions
    geometry: _Shape
    properties: _Properties = _Properties()

    @property
    def is_annotation(self) -> bool:
        kind = self.properties.object_type or self.id
        return kind in {"annotation", "PathAnnotationObject"} or not kind

    @property
    def class_name(self) -> str:
        found = self.properties.classification or _Class()
        return (found.name or ": ".join(found.names)).strip()


def read_shapes(path: Path, size: tuple[int, int], project: PixelProject) -> LabelImage:
    """Read the annotations of one crop as labels.

    Args:
        path: GeoJSON, as QuPath exports it: one collection, or a list of features.
        size: rows and columns of the crop.
        project: names the classes; capitals make no difference.

    Returns:
        (Y, X) label values.

    Raises:
        UnusableShapesError: if the file cannot be read, holds no annotations, one
            without a class or with an unknown one, outside of the crop, or over one of another
            class.
    """
    features = [feature for feature in _features(path) if feature.is_annotation]
    if not features:
        raise UnusableShapesError(
            "holds no annotations; in QuPath, export the annotations of this crop"
        )
    values = _values(Counter(feature.class_name for feature in features), project)
    labels: LabelImage = np.zeros(size, np.uint8)
    for feature in features:
        mask, value = _draw(feature.geometry, size), values[feature.class_name]
        if not np.isin(labels[mask], (0, value)).all():
            raise UnusableShapesError(
                f"{feature.class_name} lies over an annotation of another class; a pixel has one "
                "class, so cut one of the two back"
            )
        labels[mask] = value
    return labels


def _features(path: Path) -> Iterator[_Feature]:
    """The objects of a file.

    Raises:
        UnusableShapesError: if it is no GeoJSON.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"it is larger than {MOST_BYTES} bytes")
        content = json.loads(path.read_bytes())
        objects = content.get("features", [content]) if isinstance(content, dict) else content
        yield from [_Feature.model_validate(each) for each in objects]
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"][:3]))
        raise UnusableShapesError(
            f"has a shape that cannot be drawn: {where}, {first['msg']}"
        ) from error
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise UnusableShapesError(
            "cannot be read as GeoJSON; in QuPath, export the annotations of this crop again "
            f"({error})"
        ) from error


def _values(names: Counter[str], project: PixelProject) -> dict[str, int]:
    """The label value of each name as it was written; capitals make no difference.

    Raises:
        UnusableShapesError: if one is missing or unknown.
    """
    classes = ", ".join(label.name for label in project.classes)
    known = {label.name.strip().casefold(): at for at, label in enumerate(project.classes, 1)}
    if count := names[""]:
        raise UnusableShapesError(
            f"has {count} annotations without a class; in QuPath, set the class of each to one of "
            f"{classes}"
        )
    if unknown := [name for name in names if name.casefold() not in known]:
        raise UnusableShapesError(
            f"has the class {', '.join(unknown)}, but the classes of the project are {classes}; "
            "rename it in QuPath"
        )
    return {name: known[name.casefold()] for name in names}


def _draw(shape: _Shape, size: tuple[int, int]) -> Mask:
    """Return which pixels of a crop belong to a shape.

    Raises:
        UnusableShapesError: if it lies outside.
    """
    mask = np.zeros(size, bool)
    for line in shape.lines:
        corners = np.array([position[:2] for position in line], np.float64)
        if not len(corners):
            continue
        if corners.min() < -_TOLERANCE_PX or np.any(corners > np.add(size[::-1], _TOLERANCE_PX)):
            raise UnusableShapesError(
                f"has a shape outside of the crop, {size[0]} × {size[1]} pixels; draw on "
                "the crop itself, not on the image that it is a part of"
            )
        if isinstance(shape, _Area | _Areas):
            _toggle_inside(mask, corners)
        else:
            _trace(mask, corners)
    return mask


def _toggle_inside(mask: Mask, corners: NDArray[np.float64]) -> None:
    """Turn the pixels over whose centres lie inside a closed line: a hole is turned over twice."""
    from skimage.measure import grid_points_in_poly  # noqa: PLC0415 - most need no shapes

    top, left = (max(int(least), 0) for least in corners.min(axis=0)[::-1])
    part = mask[top : int(corners[:, 1].max()) + 1, left : int(corners[:, 0].max()) + 1]
    centres = corners[:, ::-1] - 0.5 - (top, left)
    inside = 1  # its other answers are outside, corner and edge
    part ^= (
        grid_points_in_poly(  # type: ignore[no-untyped-call]  # scikit-image has no types
            part.shape, centres, binarize=False
        )
        == inside
    )


def _trace(mask: Mask, corners: NDArray[np.float64]) -> None:
    """Mark the pixels of a line, or of a single point."""
    from skimage.draw import line  # noqa: PLC0415 - most need no shapes

    last = np.subtract(mask.shape, 1)
    pixels = np.clip(np.floor(corners[:, ::-1]).astype(int), 0, last)
    for start, end in zip(pixels, [*pixels[1:], pixels[-1]], strict=True):
        rows, columns = line(*start, *end)  # type: ignore[no-untyped-call]  # likewise
        mask[rows, columns] = True
