"""The features of every labelled pixel, kept up to date stroke by stroke."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from annotation.edits import AnnotatedClass, Labels
from annotation.features import CropFeatures
from ilpix.arrays import FloatArray
from ilpix.features.planes import Places
from ilpix.features.selection import FeatureSelection
from ilpix.training.samples import Samples


@dataclass(frozen=True, slots=True, eq=False)
class CropSamples:
    """The P labelled pixels of one crop, row by row."""

    revision: int
    places: Places  # (P,) pixel of the crop, increasing
    ids: Labels  # (P,) identities of classes
    features: FloatArray  # (P, F)


class SampleStore:
    """Labelled pixels of all crops for one choice of features; used by one thread."""

    def __init__(self, features: CropFeatures) -> None:
        self._features = features
        self._selection: FeatureSelection | None = None
        self._of_lane: dict[int, CropSamples] = {}

    def known_revisions(self, selection: FeatureSelection) -> dict[int, int]:
        """Return for each crop the revision of the labels that are known here."""
        if selection != self._selection:
            self._of_lane.clear()
            self._selection = selection
        return {lane: known.revision for lane, known in self._of_lane.items()}

    def update(self, lane: int, revision: int, places: Places, ids: Labels) -> None:
        """Take the labels of a crop; features are computed only where there was no label before.

        Args:
            lane: the crop.
            revision: of its labels.
            places: (P,) labelled pixels, increasing.
            ids: (P,) their classes.

        Raises:
            CropPixelsError: if the crop cannot be read.
            ImageTooSmallError: if a selected scale needs a larger crop.
        """
        assert self._selection is not None  # noqa: S101 - `known_revisions` was asked
        before = self._of_lane.get(lane)
        if before is None:
            features = self._features.at(lane, self._selection, places)
        else:
            features = np.empty((len(places), before.features.shape[1]), np.float32)
            at = np.minimum(np.searchsorted(before.places, places), max(len(before.places) - 1, 0))
            is_known = np.zeros(len(places), np.bool_)
            if len(before.places):
                is_known = before.places[at] == places
            features[is_known] = before.features[at[is_known]]
            features[~is_known] = self._features.at(lane, self._selection, places[~is_known])
        self._of_lane[lane] = CropSamples(revision, places, ids, features)

    def collect(
        self, classes: Sequence[AnnotatedClass], names: Mapping[int, str], channels: tuple[str, ...]
    ) -> Samples | None:
        """Return all labelled pixels as `ilpix train` sees them; None where there are none.

        Args:
            classes: the first is label 1.
            names: of the crops, by lane.
            channels: names of the channels.
        """
        assert self._selection is not None  # noqa: S101 - as above
        table = np.zeros(256, np.uint8)
        for value, known in enumerate(classes, 1):
            table[known.id] = value
        lanes = [lane for lane in sorted(self._of_lane) if len(self._of_lane[lane].ids)]
        if not lanes:
            return None
        parts = [self._of_lane[lane] for lane in lanes]
        return Samples(
            features=np.concatenate([part.features for part in parts]),
            labels=table[np.concatenate([part.ids for part in parts])],
            crops=np.repeat(np.arange(len(parts), dtype=np.int32), [len(p.ids) for p in parts]),
            crop_names=tuple(names[lane] for lane in lanes),
            columns=self._selection.columns(len(channels)),
            channel_names=channels,
        )
