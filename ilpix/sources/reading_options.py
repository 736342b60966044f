"""What a person may choose about how images and panel are read."""

from typing import Literal

from pydantic import BaseModel, Field, NonNegativeInt, PositiveInt


class ReadingOptions(BaseModel, frozen=True, extra="forbid"):
    """How images and panel are read where files do not say it, or say it wrongly.

    Example:
        >>> ReadingOptions(axes="YXC").axes
        'YXC'
    """

    axes: str | None = Field(
        None,
        title="Axes",
        description="the stored axes of every image, such as YXC; empty: what each file says",
        pattern="^[A-Za-z]{2,8}$",
    )
    series: PositiveInt | None = Field(
        None,
        title="Series",
        description="which image of a file that holds several, counted from 1; empty: each that "
        "fits the panel",
    )
    level: NonNegativeInt = Field(
        0, title="Level", description="resolution level of OME-Zarr images; 0 is the finest"
    )
    stack: Literal["names", "order"] | None = Field(
        None,
        title="One file per channel",
        description="how the files of a folder that holds one TIFF per channel are put in order: "
        "by the names in the panel, or in the order of the files; empty: as is plain",
    )
    nonfinite: Literal["error", "zero"] = Field(
        "error",
        title="Pixels that are no number",
        description="refuse an image with NaN or infinite pixels, or set these to 0",
    )
    zero_unused: bool = Field(
        default=False,
        title="0 means not used",
        description="take a 0 in the panel's column 'ilastik' as an empty cell; where it holds "
        "only 0 and 1, each 1 is a channel of its own",
    )
