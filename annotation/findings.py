"""What is found out about a forest once it has answered: how good it is, and where it is uncertain.

All of it waits for more important work and is given up when a newer stroke comes.
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from annotation.crops import BoundedCache
from annotation.edits import Labels
from annotation.features import CropFeatures
from annotation.ranking import grid_places, rank
from annotation.session import Session
from ilpix.arrays import FloatArray
from ilpix.errors import IlpixError
from ilpix.features.selection import FeatureSelection
from ilpix.forest.growing import GrownForest, grow_in_parts
from ilpix.training.judging import add_up, judge_out_of_bag, leave_one_crop_out
from ilpix.training.quality import summarise_importance
from ilpix.training.samples import Samples, advise

SEED = 0  # as `ilpix train` has it
GRID_BYTES = 2**27  # of the features of all grids
Publish = Callable[[str, dict[str, Any]], None]
GoOn = Callable[[], None]


class Findings:
    """What is known of the present forest, by what it is published as."""

    def __init__(self, session: Session, publish: Publish) -> None:
        self._session, self._publish = session, publish
        self.known: dict[str, Any] = {}  # quality, importance, uncertainty
        self._grids: BoundedCache[int, FloatArray] = BoundedCache(
            GRID_BYTES, lambda features: features.nbytes
        )
        self._selection: FeatureSelection | None = None

    def clear(self) -> None:
        """Know nothing: there is no forest."""
        self.known = {}

    def find(
        self,
        revision: int,
        samples: Samples,
        grown: GrownForest,
        features: CropFeatures,
        go_on: GoOn,
    ) -> None:
        """Find out everything, unless it is known already.

        Args:
            revision: of the labels.
            samples: what the forest was grown from.
            grown: the forest.
            features: of all crops.
            go_on: what it raises ends the call; asked again and again.
        """
        self._tell("importance", revision, _importance, samples, grown)
        self._tell("uncertainty", revision, self._rank_crops, grown, features, go_on)
        self._tell("quality", revision, self._judge, samples, grown, go_on)

    def _tell(
        self, kind: str, revision: int, find: Callable[..., dict[str, Any]], *given: Any
    ) -> None:
        if self.known.get(kind, {}).get("revision") != revision:
            self.known[kind] = {"revision": revision, **find(*given)}
            self._publish(kind, self.known[kind])

    def _rank_crops(
        self, grown: GrownForest, features: CropFeatures, go_on: GoOn
    ) -> dict[str, Any]:
        """How uncertain the forest is in each crop; crops that cannot be used are left out."""
        selection, crops = self._session.board.features, self._session.crops
        ranked = {}
        for lane, crop in list(crops.of_lane.items()):
            go_on()
            values = self._grid_features(lane, crop.size, features, selection)
            if values is not None:
                ranked[lane] = asdict(rank(grown.forest, values, crop.size))
        return {"crops": ranked}

    def _grid_features(
        self,
        lane: int,
        size: tuple[int, int],
        features: CropFeatures,
        selection: FeatureSelection,
    ) -> FloatArray | None:
        if selection != self._selection:
            self._grids.clear()
            self._selection = selection
        if (kept := self._grids.get(lane)) is not None:
            return kept
        try:
            values = features.at(lane, selection, grid_places(size))
        except IlpixError:
            return None
        self._grids.put(lane, values)
        return values

    def _judge(self, samples: Samples, grown: GrownForest, go_on: GoOn) -> dict[str, Any]:
        """How good the forest is, as `ilpix train` measures it."""

        def grow(features: FloatArray, labels: Labels) -> GrownForest:
            *_, whole = grow_in_parts(features, labels, SEED, go_on=go_on)
            return whole

        go_on()
        out_of_bag = judge_out_of_bag(samples, grown)
        go_on()
        crops = leave_one_crop_out(samples, grow)
        names = {value: known.name for value, known in enumerate(self._session.board.classes, 1)}
        return {
            "out_of_bag": out_of_bag.accuracy,
            "other_crops": add_up(crop.confusion for crop in crops).accuracy if crops else None,
            "pixels": len(samples.labels),
            "crops": len(samples.crop_names),
            "advice": list(advise(samples, names)),
        }


def _importance(samples: Samples, grown: GrownForest) -> dict[str, Any]:
    shares = summarise_importance(samples, grown)
    return {
        "pairs": [[name, scale, share] for (name, scale), share in shares.pairs.items()],
        "channels": shares.channels,
    }
