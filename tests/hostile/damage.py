"""A sound, trained project, and small changes that break it, by accident or with intent."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from ilpix.features.selection import FEATURE_IDS, FeatureSelection
from ilpix.forest.stored import LEAF, Forest
from ilpix.images.hdf5 import ImageRecord
from ilpix.images.preparation_options import PreparationOptions
from ilpix.project.labels import write_labels
from ilpix.project.writing import create_project, label_classes, store_classifier

LANE = "Input Data/infos/lane0000/Raw Data"
BLOCK = "PixelClassification/LabelSets/labels000/block0000"
TREE = "PixelClassification/ClassifierForests/Forest0000/Tree_0"
FORESTS = "PixelClassification/ClassifierForests"
NAMES = "PixelClassification/LabelNames"
FEATURES = "FeatureSelections"

SELECTION = FeatureSelection(FEATURE_IDS[:1], (1.0, 1.6), ((True, True),))
FOREST = Forest(
    feature=np.array([3, 0, LEAF, LEAF, LEAF], np.int32),
    threshold=np.array([0.25, 4, 0, 0, 0]),
    left=np.array([1, 3, 0, 0, 0], np.int32),
    right=np.array([2, 4, 0, 0, 0], np.int32),
    votes=np.array([[0, 0], [0, 0], [1, 0], [0, 1], [0.5, 0.5]]),
    roots=np.array([0], np.int32),
    n_columns=4,
    labels=(1, 2),
    trees_per_forest=(1,),
)


@dataclass(frozen=True)
class Damage:
    name: str
    inflict: Callable[[h5py.File], None]
    says: str  # a part of the error's text


def replace(where: str, value: object, **options: object) -> Callable[[h5py.File], None]:
    def inflict(file: h5py.File) -> None:
        del file[where]
        file.create_dataset(where, data=value, **options)

    return inflict


def delete(where: str) -> Callable[[h5py.File], None]:
    def inflict(file: h5py.File) -> None:
        del file[where]

    return inflict


def link(where: str, target: object) -> Callable[[h5py.File], None]:
    def inflict(file: h5py.File) -> None:
        if where in file:
            del file[where]
        file[where] = target

    return inflict


def make_group(where: str) -> Callable[[h5py.File], None]:
    def inflict(file: h5py.File) -> None:
        del file[where]
        file.create_group(where)

    return inflict


def claim(where: str, shape: tuple[int, ...], dtype: str) -> Callable[[h5py.File], None]:
    """A dataset of enormous size of which nothing is stored."""

    def inflict(file: h5py.File) -> None:
        del file[where]
        file.create_dataset(where, shape=shape, dtype=dtype, chunks=(1,) * len(shape))

    return inflict


def attribute(where: str, name: str, value: object) -> Callable[[h5py.File], None]:
    def inflict(file: h5py.File) -> None:
        file[where].attrs[name] = value

    return inflict


def put(where: str, index: int | tuple[int, ...], value: float) -> Callable[[h5py.File], None]:
    def inflict(file: h5py.File) -> None:
        file[where][index] = value

    return inflict


def hard_cycle(file: h5py.File) -> None:
    file[f"{TREE}/again"] = file[FORESTS]


def soft_cycle(file: h5py.File) -> None:
    file["PixelClassification/a"] = h5py.SoftLink("/PixelClassification/b")
    file["PixelClassification/b"] = h5py.SoftLink("/PixelClassification/a")


def virtual_pixels(file: h5py.File) -> None:
    del file[BLOCK]
    layout = h5py.VirtualLayout(shape=(6, 8, 1), dtype=np.uint8)
    layout[:] = h5py.VirtualSource("/etc/passwd", "labels", shape=(6, 8, 1))
    file.create_virtual_dataset(BLOCK, layout)


def external_pixels(file: h5py.File) -> None:
    del file[BLOCK]
    file.create_dataset(BLOCK, (6, 8, 1), np.uint8, external=[("/etc/passwd", 0, 48)])


def many_lanes_missing(file: h5py.File) -> None:
    file.move("Input Data/infos/lane0001", "Input Data/infos/lane0007")


def damaged_chunk(file: h5py.File) -> None:
    values = file[BLOCK][()]
    attributes = dict(file[BLOCK].attrs)
    del file[BLOCK]
    dataset = file.create_dataset(BLOCK, data=values, chunks=values.shape, compression="gzip")
    dataset.attrs.update(attributes)
    dataset.id.write_direct_chunk((0, 0, 0), b"no zlib stream")


def endless_tree(file: h5py.File) -> None:
    topology = file[f"{TREE}/topology"]
    topology[4] = 2  # the left child of the root is the root


def unstored_topology(file: h5py.File) -> None:
    """Half a gigabyte in a few bytes."""
    del file[f"{TREE}/topology"]
    file.create_dataset(f"{TREE}/topology", (2**27,), np.int32, chunks=(2**20,))


DEEP_JSON = '{"axes": ' + "[" * 30_000

OF_CLASSIFIER = [
    Damage("workflow_missing", delete("workflowName"), "workflowName: missing"),
    Damage("workflow_is_a_group", make_group("workflowName"), "a dataset belongs here"),
    Damage("workflow_is_a_number", replace("workflowName", 3), "is no text"),
    Damage("workflow_is_empty", replace("workflowName", h5py.Empty("S1")), "is empty"),
    Damage("other_workflow", replace("workflowName", b"Carving"), "Carving"),
    Damage("version_endless", replace("ilastikVersion", b"1" * 2**20), "1048576 characters"),
    Damage(
        "classes_and_labels_are_a_dataset",
        replace("PixelClassification", 1),
        "PixelClassification: is a dataset",
    ),
    Damage("names_missing", delete(NAMES), "of 0 classes"),
    Damage("names_empty", replace(NAMES, np.zeros(0, "S1")), "of 0 classes"),
    Damage("names_numbers", replace(NAMES, [1, 2]), "no list of texts"),
    Damage("names_twice", replace(NAMES, np.array([b"A", b"A"])), "names a class twice"),
    Damage("names_no_utf8", replace(NAMES, np.array([b"A", b"\xff"])), "no UTF-8"),
    Damage("names_endless", claim(NAMES, (2**45,), "S8"), "more than any project"),
    Damage(
        "colours_short", replace("PixelClassification/LabelColors", [[1, 2, 3]]), "for each of 2"
    ),
    Damage(
        "colours_wild",
        replace("PixelClassification/PmapColors", [[1, 2, 3], [4, 5, 999]]),
        "from 0 to 255",
    ),
    Damage("colours_flat", replace("PixelClassification/LabelColors", [1, 2, 3]), "has shape"),
    Damage("ids_unknown", replace(f"{FEATURES}/FeatureIds", [b"Sobel"]), "unknown features"),
    Damage("ids_numbers", replace(f"{FEATURES}/FeatureIds", [1.5]), "no list of texts"),
    Damage("scales_huge", replace(f"{FEATURES}/Scales", [1.0, 1e7]), "from 0.01 to 1000"),
    Damage("scales_tiny", replace(f"{FEATURES}/Scales", [1e-300, 1.6]), "from 0.01 to 1000"),
    Damage("scales_not_finite", replace(f"{FEATURES}/Scales", [1.0, np.nan]), "positive number"),
    Damage("scales_text", replace(f"{FEATURES}/Scales", [b"1.0", b"1.6"]), "has shape"),
    Damage(
        "matrix_shape", replace(f"{FEATURES}/SelectionMatrix", np.ones((3, 9), bool)), "needs a row"
    ),
    Damage("matrix_missing", delete(f"{FEATURES}/SelectionMatrix"), "SelectionMatrix: missing"),
    Damage("features_missing", delete(FEATURES), "names no features"),
    Damage("features_is_a_dataset", replace(FEATURES, 1), "a group belongs here"),
    Damage("forests_is_a_dataset", replace(FORESTS, 1), "a group belongs here"),
    Damage("forest_is_a_dataset", replace(f"{FORESTS}/Forest0000", 1), "not a group"),
    Damage("no_trees", delete(TREE), "no trees"),
    Damage("tree_is_a_dataset", replace(TREE, 1), "not a group"),
    Damage("topology_missing", delete(f"{TREE}/topology"), "topology: missing"),
    Damage("topology_is_a_group", make_group(f"{TREE}/topology"), "not an array"),
    Damage("topology_floats", replace(f"{TREE}/topology", np.ones(9)), "type float64"),
    Damage("topology_short", replace(f"{TREE}/topology", np.ones(1, np.int32)), "counts columns"),
    Damage("topology_endless", claim(f"{TREE}/topology", (2**50,), "i4"), "more than a forest"),
    Damage("topology_not_stored", unstored_topology, "hardly any is stored"),
    Damage(
        "topology_of_other_width",
        put(f"{TREE}/topology", 0, 5),
        "no multiple of the 2",
    ),
    Damage("tree_with_a_cycle", endless_tree, "cycle"),
    Damage("child_out_of_bounds", put(f"{TREE}/topology", 4, 10**9), "child outside"),
    Damage("child_negative", put(f"{TREE}/topology", 5, -1), "child outside"),
    Damage("child_amid_a_node", put(f"{TREE}/topology", 5, 8), "neither a threshold|cycle|outside"),
    Damage("column_out_of_bounds", put(f"{TREE}/topology", 6, 4), "column that does not exist"),
    Damage(
        "parameter_out_of_bounds", put(f"{TREE}/topology", 3, 2**30), "outside of its parameters"
    ),
    Damage("parameter_negative", put(f"{TREE}/topology", 3, -5), "outside of its parameters"),
    Damage("threshold_not_finite", put(f"{TREE}/parameters", 1, np.nan), "not finite"),
    Damage("votes_too_many", put(f"{TREE}/parameters", 5, 40.0), "sum to 1"),
    Damage("labels_missing", delete(f"{FORESTS}/known_labels"), "known_labels: missing"),
    Damage(
        "labels_zero", replace(f"{FORESTS}/known_labels", np.array([0, 1], np.uint32)), "increasing"
    ),
    Damage(
        "labels_unknown",
        replace(f"{FORESTS}/known_labels", np.array([1, 9], np.uint32)),
        "of 2 classes",
    ),
    Damage(
        "external_link",
        link("PixelClassification/Bookmarks", h5py.ExternalLink("/etc/passwd", "/x")),
        "is a link",
    ),
    Damage("external_lane", link(LANE, h5py.ExternalLink("other.ilp", f"/{LANE}")), "is a link"),
    Damage("soft_link", link(TREE, h5py.SoftLink("/Input Data")), "is a link"),
    Damage("soft_link_to_itself", link(LANE, h5py.SoftLink(f"/{LANE}")), "is a link"),
    Damage("soft_links_in_a_circle", soft_cycle, "is a link"),
    Damage("group_inside_itself", hard_cycle, "stored elsewhere in the file"),
    Damage("pixels_of_another_file", external_pixels, "values in another file"),
    Damage("pixels_put_together", virtual_pixels, "values in another file"),
    Damage(
        "record_no_json",
        lambda file: file.attrs.__setitem__("ilpix", "{"),
        "how the crops were made",
    ),
    Damage("record_number", lambda file: file.attrs.__setitem__("ilpix", 5), "is no text"),
    Damage(
        "record_other_keys",
        lambda file: file.attrs.__setitem__("ilpix", '{"a": 1}'),
        "channel_names",
    ),
]
# It does not hinder a prediction.
OF_TRAINING_DATA = [
    Damage("version_no_utf8", replace("ilastikVersion", b"\xff\xfe"), "no UTF-8"),
    Damage("infos_missing", delete("Input Data/infos"), "lane that the project does not have"),
    Damage("infos_is_a_dataset", replace("Input Data/infos", 1), "a group belongs here"),
    Damage("lane_number_missing", many_lanes_missing, "not lane0000, lane0001"),
    Damage("lane_without_path", delete(f"{LANE}/filePath"), "filePath: missing"),
    Damage("lane_is_a_dataset", replace(LANE, 1), "a group belongs here"),
    Damage("lane_path_no_utf8", replace(f"{LANE}/filePath", b"\xc3\x28.h5"), "no UTF-8"),
    Damage("lane_tags_no_json", replace(f"{LANE}/axistags", b"cyx"), "axis tags cannot be read"),
    Damage("lane_tags_no_axes", replace(f"{LANE}/axistags", b"[]"), "axis tags cannot be read"),
    Damage(
        "lane_tags_twice",
        replace(f"{LANE}/axistags", b'{"axes": [{"key": "y"}, {"key": "y"}]}'),
        "y, y",
    ),
    Damage("lane_tags_nested", replace(f"{LANE}/axistags", DEEP_JSON.encode()), "axis tags"),
    Damage("lane_shape_negative", replace(f"{LANE}/shape", [2, -6, 8]), "no training crop has"),
    Damage("lane_shape_giant", replace(f"{LANE}/shape", [2, 2**40, 2**40]), "no training crop has"),
    Damage("lane_shape_short", replace(f"{LANE}/shape", [6, 8]), "do not fit"),
    Damage("lane_shape_text", replace(f"{LANE}/shape", b"2, 6, 8"), "has shape"),
    Damage("lane_shape_endless", claim(f"{LANE}/shape", (2**50,), "i8"), "more than any project"),
    Damage("block_is_a_group", make_group(BLOCK), "blockSlice|no array"),
    Damage(
        "block_of_floats",
        replace(BLOCK, np.ones((6, 8, 1))),
        "no array of label values|no attribute",
    ),
    Damage("block_without_place", replace(BLOCK, np.ones((6, 8, 1), np.uint8)), "no attribute"),
    Damage("block_slice_negative", attribute(BLOCK, "blockSlice", "[-1:5,0:8,0:1]"), "no interval"),
    Damage("block_slice_outside", attribute(BLOCK, "blockSlice", "[0:1,6:12,0:8]"), "beyond the 6"),
    Damage("block_slice_number", attribute(BLOCK, "blockSlice", 7), "is no text"),
    Damage(
        "block_slice_endless", attribute(BLOCK, "blockSlice", f"[0:{'9' * 5000}]"), "no interval"
    ),
    Damage("block_giant", claim(BLOCK, (2**20, 2**20, 2**20), "u1"), "no attribute"),
    Damage("block_class_unknown", put(BLOCK, (0, 0, 0), 200), "labels of value 200"),
    Damage("block_damaged", damaged_chunk, "cannot be read"),
    Damage(
        "all_labels_are_a_dataset",
        replace("PixelClassification/LabelSets", 1),
        "LabelSets: is a dataset",
    ),
    Damage(
        "labels_is_a_dataset",
        replace("PixelClassification/LabelSets/labels000", 1),
        "a group belongs here",
    ),
]
CASES = [*OF_CLASSIFIER, *OF_TRAINING_DATA]


def empty_the_free_space(path: Path) -> None:
    """Let the free space of the first heap of texts be 0 bytes long: the HDF5 library, which goes
    from one object to the next, stays there for ever."""
    content = bytearray(path.read_bytes())
    place = content.index(b"GCOL") + 16
    while content[place : place + 2] != b"\0\0":  # the index of free space
        length = int.from_bytes(content[place + 8 : place + 16], "little")
        place += 16 + length + -length % 8
    content[place + 8 : place + 16] = bytes(8)
    path.write_bytes(content)


def write_sound_project(path: Path) -> None:
    record = ImageRecord(channel_names=("mean", "DNA"), preparation=PreparationOptions())
    crops = {"crops/a.h5": (2, 6, 8), "crops/b.h5": (2, 6, 8)}
    create_project(path, crops, label_classes(["A", "B"]), record)
    write_labels(path, {0: np.full((6, 8), 2, np.uint8)})
    store_classifier(path, SELECTION, FOREST, SELECTION.names(2), n_samples=48)
