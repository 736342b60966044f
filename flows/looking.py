"""The images beside the training crops, before anything is predicted from them."""

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from flows.running.verb_run import VerbRun
from ilpix.checks.channel_order import spread_evenly
from ilpix.checks.findings import ALL_IMAGES, Finding, merge
from ilpix.checks.project_checks import channel_titles
from ilpix.checks.training_comparison import Comparison, compare_with_training
from ilpix.errors import IlpixError
from ilpix.images.channel_statistics import ChannelStatistics
from ilpix.project.crop_names import crop_path
from ilpix.project.reading import PixelProject
from ilpix.wording import in_words_of_the_place
from tasks.describing import describe_file

_MOST_CROPS = 256  # that say what training was like

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Look:
    """What images and crops look like, and how they differ."""

    images: Mapping[str, ChannelStatistics]
    crops: Sequence[ChannelStatistics]
    comparison: Comparison

    @property
    def together(self) -> list[Finding]:
        """What concerns all images."""
        return [finding for finding in self.comparison.findings if finding.where == ALL_IMAGES]


def look_at_images(run: VerbRun, project: PixelProject, images: Sequence[Path]) -> Look:
    """Compare images with the training crops; warn of what concerns all, note everything."""
    n_channels = project.n_channels or 0
    crops = [
        crop_path(project, lane) for lane in project.lanes if lane.inner_path is None and n_channels
    ]
    crops = spread_evenly(crops, _MOST_CROPS)
    paths = [*crops, *images]
    with ThreadPoolExecutor(run.width(len(paths)).parallel) as pool:
        describe = partial(_channels_of, workspace=run.workspace, n_channels=n_channels)
        described = list(pool.map(describe, paths))
    fitting = [
        one if one is not None and len(one.quantiles) == n_channels else None for one in described
    ]
    seen = {path.stem: one for path, one in zip(images, fitting[len(crops) :], strict=True) if one}
    known = [one for one in fitting[: len(crops)] if one]
    compared = compare_with_training(seen, known, channel_titles(project, n_channels))
    look = Look(seen, known, compared)
    for finding in look.together:
        advice = in_words_of_the_place(finding.advice)
        _log.warning("%s: %s; %s", finding.where, finding.what, advice)
    run.notes["warnings"] = [asdict(finding) for finding in merge(compared.findings)]
    return look


def _channels_of(path: Path, workspace: Path, n_channels: int) -> ChannelStatistics | None:
    """What the channels of a file look like; None where it cannot be read."""
    try:
        return describe_file(path, workspace, n_channels).channels
    except (OSError, IlpixError):
        return None
