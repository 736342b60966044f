"""What is made of probability images for other programs, and where each of it goes.

Each product has a folder of its own beside the probabilities that `run` always writes, so that no
program that takes all files of a folder meets two of a kind.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, Field, field_validator

from ilpix.data_directory import CLASSES, ENTROPY, UNCERTAINTY

Also = Literal["classes", "uncertainty", "entropy"]
ProductKind = Literal["probabilities", "classes", "uncertainty", "entropy"]
Format = Literal["tiff", "ome-tiff", "ome-zarr"]
Dtype = Literal["uint16", "float32"]

_FOLDERS: dict[ProductKind, Path] = {
    "classes": CLASSES,
    "uncertainty": UNCERTAINTY,
    "entropy": ENTROPY,
}
_SUFFIXES: dict[Format, str] = {"tiff": ".tiff", "ome-tiff": ".ome.tiff", "ome-zarr": ".ome.zarr"}


class ProductOptions(BaseModel, frozen=True, extra="forbid"):
    """What is written besides the probability images themselves."""

    output_scale: Literal["prepared", "original"] = Field(
        "prepared",
        title="Size of the results",
        description="'original': also at the size of the source images, each pixel the mean of "
        "those that it was enlarged to, in a folder of its own",
    )
    format: Format = Field(
        "tiff",
        title="Format of the results",
        description="'ome-tiff' or 'ome-zarr': also in that format, in a folder of its own",
    )
    dtype: Dtype = Field(
        "uint16",
        title="Numbers of the results",
        description="'float32': also as numbers from 0 to 1, in a folder of its own; uint16 has "
        "65535 for 1",
    )
    also: tuple[str, ...] = Field(
        (),
        title="Further results",
        description="'classes' (the most probable class of each pixel, from 1), 'uncertainty' "
        "(as in Ilastik: 1 less the difference of the two largest probabilities), 'entropy' (of "
        "all probabilities, 1 where all are equal), separated by commas",
        json_schema_extra={"items": {"type": "string", "enum": list(get_args(Also))}},
    )

    @field_validator("also", mode="before")
    @classmethod
    def _split_at_commas(cls, also: Any) -> Any:
        texts = [also] if isinstance(also, str) else also
        return tuple(
            part.strip() for text in texts for part in str(text).split(",") if part.strip()
        )

    @field_validator("also")
    @classmethod
    def _are_known(cls, also: tuple[str, ...]) -> tuple[str, ...]:
        known = get_args(Also)
        if unknown := [name for name in also if name not in known]:
            raise ValueError(f"choose of {', '.join(known)}, not {', '.join(unknown)}")
        return tuple(dict.fromkeys(also))


@dataclass(frozen=True, slots=True)
class Product:
    """One kind of result for all images."""

    kind: ProductKind
    is_original: bool  # at the size of the source images
    format: Format
    dtype: Dtype

    def folder(self, probabilities: Path) -> Path:
        """Return its folder, beside that of the probability images: named by what is different."""
        name = probabilities.name if self.kind == "probabilities" else _FOLDERS[self.kind].name
        marks = {
            "original": self.is_original,
            "float32": self.dtype == "float32" and self.kind != "classes",
            "ome": self.format != "tiff",
        }
        return probabilities.with_name(
            "_".join([name, *(mark for mark, is_so in marks.items() if is_so)])
        )

    def target(self, probabilities: Path, image: str) -> Path:
        """Return the file of an image, or the folder of an OME-Zarr image."""
        return self.folder(probabilities) / f"{image}{_SUFFIXES[self.format]}"

    def describe(self) -> dict[str, str]:
        """Return the facts for manifest and report."""
        return {
            "what": self.kind,
            "size": "original" if self.is_original else "prepared",
            "format": self.format,
            "numbers": "uint8" if self.kind == "classes" else self.dtype,
        }


def plan_products(options: ProductOptions) -> tuple[Product, ...]:
    """Decide what is written besides the probability images."""
    kinds: list[ProductKind] = [kind for kind in get_args(Also) if kind in options.also]
    if (options.output_scale, options.format, options.dtype) != ("prepared", "tiff", "uint16"):
        kinds.insert(0, "probabilities")
    is_original = options.output_scale == "original"
    return tuple(Product(kind, is_original, options.format, options.dtype) for kind in kinds)
