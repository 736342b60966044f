"""Prediction of whole images: the same in whatever pieces, and what is refused."""

from dataclasses import replace
from pathlib import Path
from threading import Event

import h5py
import numpy as np
import numpy.typing as npt
import pytest
import tifffile

from ilpix.features.computing import compute_features
from ilpix.features.errors import ImageTooSmallError, NotFiniteError
from ilpix.features.selection import FEATURE_IDS, FeatureSelection
from ilpix.features.tiles import TileSize
from ilpix.forest.stored import LEAF, Forest
from ilpix.forest.voting import predict_samples
from ilpix.images.errors import ImageAxesError
from ilpix.images.hdf5 import write_image
from ilpix.prediction.classifier import Classifier
from ilpix.prediction.errors import NoClassifierError, StoppedError, WrongChannelsError
from ilpix.prediction.probabilities import to_uint16
from ilpix.project.reading import LabelClass, PixelProject

SELECTION = FeatureSelection(FEATURE_IDS, (0.7, 1.6), ((True, True),) * len(FEATURE_IDS))
N_CHANNELS, N_TREES = 2, 9
NAMES = ("Nucleus", "Cytoplasm", "Background")


def noise(height: int, width: int) -> npt.NDArray[np.float32]:
    return np.random.default_rng(3).normal(0, 1, (N_CHANNELS, height, width)).astype(np.float32)


def forest_of_stumps() -> Forest:
    """Trees of three leaves over all columns; class 2 was never labelled."""
    rng = np.random.default_rng(5)
    n_columns = len(SELECTION.columns(N_CHANNELS))
    votes = np.zeros((N_TREES, 5, 2))
    votes[:, [2, 3, 4]] = np.eye(2)[rng.integers(0, 2, (N_TREES, 3))]
    feature = np.full((N_TREES, 5), LEAF)
    feature[:, :2] = rng.integers(0, n_columns, (N_TREES, 2))
    first = 5 * np.arange(N_TREES)[:, np.newaxis]
    inner = np.array([1, 1, 0, 0, 0])
    return Forest(
        feature.ravel().astype(np.int32),
        (rng.normal(0, 0.3, (N_TREES, 5)) * inner).ravel(),
        ((first + np.array([1, 3, 0, 0, 0])) * inner).ravel().astype(np.int32),
        ((first + np.array([2, 4, 0, 0, 0])) * inner).ravel().astype(np.int32),
        votes.reshape(-1, 2),
        first.ravel().astype(np.int32),
        n_columns,
        (1, 3),
        (N_TREES,),
    )


def project() -> PixelProject:
    return PixelProject(
        path=Path("pixel_classifier.ilp"),
        ilastik_version="1.4.2",
        classes=tuple(LabelClass(name, (0, 0, 0), (0, 0, 0)) for name in NAMES),
        lanes=(),
        features=SELECTION,
        forest=forest_of_stumps(),
        labelled_pixels=(),
        record=None,
    )


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.of(project())


def test_a_prediction_is_the_forest_on_all_features(classifier: Classifier) -> None:
    image = noise(17, 19)
    features = compute_features(image, SELECTION)
    expected = predict_samples(forest_of_stumps(), features.reshape(17 * 19, -1))
    probabilities = classifier.predict(image, threads=1)
    assert probabilities.dtype == np.float32
    np.testing.assert_array_equal(probabilities[..., [0, 2]], expected.reshape(17, 19, 2))


def test_a_class_without_labels_has_a_channel_of_zeros(classifier: Classifier) -> None:
    probabilities = classifier.predict(noise(9, 9), threads=1)
    assert classifier.class_names == NAMES
    assert not probabilities[..., 1].any()
    np.testing.assert_allclose(probabilities.sum(axis=2), 1, rtol=1e-6)


@pytest.mark.parametrize("threads", [1, 2, 7])
@pytest.mark.parametrize(
    "size",
    [TileSize(), TileSize(7, 13, 3, 5), TileSize(1, 40, 1, 17), TileSize(40, 5, 9, 9)],
    ids=str,
)
def test_tiles_and_threads_change_no_bit(
    classifier: Classifier, threads: int, size: TileSize
) -> None:
    image = noise(23, 37)
    expected = classifier.predict(image, threads=1)
    actual = replace(classifier, tile_size=size).predict(image, threads=threads)
    assert actual.tobytes() == expected.tobytes()


@pytest.mark.parametrize(
    "size", [TileSize(), TileSize(7, 13, 3, 5), TileSize(40, 5, 9, 9)], ids=str
)
def test_little_memory_changes_no_bit(
    classifier: Classifier, size: TileSize, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All columns of some rows were in memory at once: gigabytes for a wide image."""
    image = noise(37, 301)
    expected = classifier.predict(image)
    monkeypatch.setattr("ilpix.prediction.classifier._WINDOW_BYTES", 1)
    monkeypatch.setattr("ilpix.prediction.classifier._CHUNK_BYTES", 1)
    actual = replace(classifier, tile_size=size).predict(image)
    np.testing.assert_array_equal(actual, expected)


def test_a_file_is_the_rounded_prediction_whatever_the_threads(
    classifier: Classifier, tmp_path: Path
) -> None:
    image = noise(261, 9)
    write_image(tmp_path / "image.h5", image, None)
    contents = set()
    for threads in (1, 7):
        target = tmp_path / str(threads) / "image.tiff"
        classifier.predict_file(tmp_path / "image.h5", target, threads=threads)
        contents.add(target.read_bytes())
    assert len(contents) == 1
    expected = to_uint16(classifier.predict(image, threads=1))
    np.testing.assert_array_equal(tifffile.imread(target), expected)


def test_a_file_in_another_axis_order_gives_the_same_bytes(
    classifier: Classifier, tmp_path: Path
) -> None:
    image = noise(11, 12)
    write_image(tmp_path / "cyx.h5", image, None)
    with h5py.File(tmp_path / "yxc.h5", "w") as file:
        pixels = np.ascontiguousarray(image.transpose(1, 2, 0))
        stored = file.create_dataset("exported_data", data=pixels, chunks=(4, 4, 1))
        stored.attrs["axistags"] = '{"axes": [{"key": "y"}, {"key": "x"}, {"key": "c"}]}'
    for axes in ("cyx", "yxc"):
        classifier.predict_file(tmp_path / f"{axes}.h5", tmp_path / f"{axes}.tiff", threads=1)
    assert (tmp_path / "cyx.tiff").read_bytes() == (tmp_path / "yxc.tiff").read_bytes()


def test_a_z_stack_is_refused(classifier: Classifier, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "stack.h5", "w") as file:
        stored = file.create_dataset("img", data=np.zeros((4, 2, 9, 9), np.float32))
        stored.attrs["axistags"] = (
            '{"axes": [{"key": "z"}, {"key": "c"}, {"key": "y"}, {"key": "x"}]}'
        )
    with pytest.raises(ImageAxesError):
        classifier.predict_file(tmp_path / "stack.h5", tmp_path / "stack.tiff")


def test_other_numbers_of_channels_are_refused(classifier: Classifier) -> None:
    with pytest.raises(WrongChannelsError, match=r"has 3 channels, .* trained with 2"):
        classifier.predict(np.zeros((3, 20, 20)))


def test_an_image_too_small_for_a_scale_is_refused(classifier: Classifier) -> None:
    with pytest.raises(ImageTooSmallError, match=r"scale 1\.6 px need 7 along"):
        classifier.predict(np.zeros((2, 6, 50)))


def test_a_pixel_that_is_not_finite_is_named_and_nothing_is_written(
    classifier: Classifier, tmp_path: Path
) -> None:
    image = noise(261, 8)
    image[1, 259, 5] = np.nan
    write_image(tmp_path / "image.h5", image, None)
    with pytest.raises(NotFiniteError, match=r"channel 1 .* y 259, x 5"):
        classifier.predict_file(tmp_path / "image.h5", tmp_path / "out" / "image.tiff", threads=2)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_stopped_prediction_leaves_what_was_there(classifier: Classifier, tmp_path: Path) -> None:
    stop = Event()
    stop.set()
    write_image(tmp_path / "image.h5", noise(12, 12), None)
    target = tmp_path / "image.tiff"
    target.write_bytes(b"earlier")
    with pytest.raises(StoppedError):
        classifier.predict_file(tmp_path / "image.h5", target, threads=1, stop=stop)
    assert target.read_bytes() == b"earlier"


@pytest.mark.parametrize("missing", ["features", "forest"])
def test_an_untrained_project_is_refused(missing: str) -> None:
    with pytest.raises(NoClassifierError, match=r"pixel_classifier\.ilp has no"):
        Classifier.of(replace(project(), **{missing: None}))
