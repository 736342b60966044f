"""What is in a project, as a value for people and machines to read."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ilpix.errors import Problem
from ilpix.forest.stored import LEAF, Forest
from ilpix.project.crop_names import lane_stem
from ilpix.project.reading import Color, PixelProject

NodeArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ClassSummary:
    """One class."""

    name: str
    color: Color
    labelled_pixels: int  # over all crops
    is_trained: bool  # whether the stored classifier knows it


@dataclass(frozen=True, slots=True)
class CropSummary:
    """One training crop."""

    name: str
    size: tuple[int, int]  # (Y, X)
    labelled_pixels: tuple[int, ...]  # per class


@dataclass(frozen=True, slots=True)
class ForestSummary:
    """The stored classifier."""

    trees_per_forest: tuple[int, ...]
    n_columns: int
    n_used_columns: int  # that any split looks at
    n_nodes: int  # leaves included
    depth: int  # splits on the longest way from a root to a leaf
    mean_depth: float  # of the deepest leaf of each tree


@dataclass(frozen=True, slots=True)
class SplitShare:
    """How much the splits of all trees rely on something; the shares of all of a kind sum to 1."""

    name: str
    share: float


@dataclass(frozen=True, slots=True)
class ProjectSummary:
    """What is in a project."""

    name: str
    ilastik_version: str
    classes: tuple[ClassSummary, ...]
    crops: tuple[CropSummary, ...]
    n_channels: int | None
    channel_names: tuple[str, ...]  # empty where the project does not name them
    preparation: dict[str, object]  # options; empty where unknown
    features: tuple[tuple[str, tuple[float, ...]], ...]  # feature, its scales in px
    forest: ForestSummary | None
    feature_importance: tuple[SplitShare, ...]  # per feature and scale, largest first
    channel_importance: tuple[SplitShare, ...]  # per channel, largest first
    training_problems: tuple[Problem, ...]  # lanes and labels that cannot be used


def summarise(project: PixelProject) -> ProjectSummary:
    """Describe a project.

    SplitShare counts the splits that look at a column, each weighted by 1/2 to the power of its
    depth, as splits near the root concern most pixels.
    """
    record = project.record
    feature_importance, channel_importance = _importance(project)
    return ProjectSummary(
        name=project.path.name,
        ilastik_version=project.ilastik_version,
        classes=_classes(project),
        crops=tuple(
            CropSummary(lane_stem(lane), lane.size, counts)
            for lane, counts in zip(project.lanes, project.labelled_pixels, strict=True)
        ),
        n_channels=project.n_channels,
        channel_names=record.channel_names if record is not None else (),
        preparation=record.preparation.model_dump() if record is not None else {},
        features=_features(project),
        forest=_summarise_forest(project.forest) if project.forest is not None else None,
        feature_importance=feature_importance,
        channel_importance=channel_importance,
        training_problems=project.training_problems,
    )


def _classes(project: PixelProject) -> tuple[ClassSummary, ...]:
    trained = project.forest.labels if project.forest is not None else ()
    return tuple(
        ClassSummary(
            label.name,
            label.color,
            sum(counts[index] for counts in project.labelled_pixels),
            index + 1 in trained,
        )
        for index, label in enumerate(project.classes)
    )


def _features(project: PixelProject) -> tuple[tuple[str, tuple[float, ...]], ...]:
    scales = defaultdict(list)
    for feature_id, scale in project.features.chosen if project.features is not None else ():
        scales[feature_id].append(scale)
    return tuple((feature_id, tuple(own)) for feature_id, own in scales.items())


def _summarise_forest(forest: Forest) -> ForestSummary:
    deepest = np.zeros(len(forest.roots), np.int64)
    n_nodes = 0
    for depth, (nodes, trees) in enumerate(_levels(forest)):
        deepest[trees] = depth
        n_nodes += len(nodes)
    return ForestSummary(
        trees_per_forest=forest.trees_per_forest,
        n_columns=forest.n_columns,
        n_used_columns=len(np.unique(forest.feature[forest.feature != LEAF])),
        n_nodes=n_nodes,
        depth=int(deepest.max()),
        mean_depth=float(deepest.mean()),
    )


def _levels(forest: Forest) -> Iterator[tuple[NodeArray, NodeArray]]:
    """Yield the nodes of all trees level by level, with the tree that each belongs to."""
    nodes, trees = forest.roots.astype(np.int64), np.arange(len(forest.roots))
    while len(nodes):
        yield nodes, trees
        is_inner = forest.feature[nodes] != LEAF
        children = np.stack([forest.left[nodes[is_inner]], forest.right[nodes[is_inner]]], axis=1)
        nodes, trees = children.ravel().astype(np.int64), np.repeat(trees[is_inner], 2)


def _importance(project: PixelProject) -> tuple[tuple[SplitShare, ...], tuple[SplitShare, ...]]:
    """Return the importance of features at their scales, and that of channels."""
    if project.forest is None or project.features is None or project.n_channels is None:
        return (), ()
    weights = np.zeros(project.forest.n_columns)
    for depth, (nodes, _) in enumerate(_levels(project.forest)):
        columns = project.forest.feature[nodes]
        counts = np.bincount(columns[columns != LEAF], minlength=len(weights))
        weights += counts * 0.5**depth
    names = project.record.channel_names if project.record is not None else ()
    by_feature: dict[str, float] = defaultdict(float)
    by_channel: dict[str, float] = defaultdict(float)
    columns_of = project.features.columns(project.n_channels)
    for column, weight in zip(columns_of, weights.tolist(), strict=True):
        is_named = len(names) == project.n_channels
        channel = names[column.channel] if is_named else f"channel {column.channel}"
        by_feature[f"{column.feature_id} {column.scale:g} px"] += weight
        by_channel[channel] += weight
    return _shares(by_feature), _shares(by_channel)


def _shares(weights: dict[str, float]) -> tuple[SplitShare, ...]:
    total = sum(weights.values()) or 1.0
    shares = [SplitShare(name, weight / total) for name, weight in weights.items()]
    return tuple(sorted(shares, key=lambda importance: -importance.share))
