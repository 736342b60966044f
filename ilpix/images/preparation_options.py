"""What a person may choose about how images are prepared."""

from typing import Literal

from pydantic import BaseModel, Field, PositiveInt

from ilpix.images.panel import Panel

Aggregation = Literal[
    "mean", "median", "sum", "max", "min", "std", "var",
    "nanmean", "nanmedian", "nansum", "nanmax", "nanmin", "nanstd", "nanvar",
]  # fmt: skip

LEAVES_OUT_NAN = "nan"  # an aggregation that begins so


class PreparationOptions(BaseModel, frozen=True, extra="forbid"):
    """How images are prepared; the defaults are steinbock's.

    Example:
        >>> PreparationOptions(scale=1, mean=False).aggr
        'mean'
    """

    aggr: Aggregation = Field(
        "mean",
        title="Aggregation",
        description="how the channels of a group become one channel; nanmean and the like leave "
        "out pixels that are NaN",
    )
    mean: bool = Field(
        default=True, title="Mean first", description="prepend the mean of all channels"
    )
    meanfactor: float = Field(
        100.0,
        gt=0,
        allow_inf_nan=False,
        title="Factor of the mean",
        description="what the prepended mean is multiplied by",
    )
    scale: PositiveInt = Field(
        2, title="Scale", description="how many times longer the image edges become"
    )

    def ignores_nan(self, panel: Panel) -> bool:
        """Whether pixels that are NaN are left out when the channels of a group become one."""
        return self.aggr.startswith(LEAVES_OUT_NAN) and panel.groups is not None
