"""Projects and crops of other programs, in any axis order, as a fix finds them."""

import hashlib
from pathlib import Path

import h5py
import numpy as np
import tifffile

from ilpix.images.axistags import axistags_json
from ilpix.project.labels import read_all_labels
from ilpix.project.reading import read_project
from ilpix.project.writing import create_project, label_classes
from ilpix.repair.applying import apply_fix
from ilpix.repair.plan import FixPlan, plan_fix

SIZE = (6, 8)
LABELS = np.zeros(SIZE, np.uint8)
LABELS[1:3, 4:7] = [[1, 0, 2], [0, 2, 0]]


def pixels(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (2, *SIZE)).astype(np.float32)


def stored(image: np.ndarray, axes: str) -> np.ndarray:
    """(C, Y, X) pixels in another axis order; axes other than these have length 1.

    Without a channel axis there is the first channel only.
    """
    kept = [key for key in axes if key in "cyx"]
    planes, letters = (image, "cyx") if "c" in axes else (image[0], "yx")
    ordered = planes.transpose([letters.index(key) for key in kept])
    sizes = dict(zip(kept, ordered.shape, strict=True))
    return ordered.reshape([sizes.get(key, 1) for key in axes])


def write_crop(path: Path, image: np.ndarray, axes: str = "zyxc", name: str | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset(name or path.stem, data=stored(image, axes).astype(np.uint16))
        dataset.attrs["axistags"] = axistags_json(axes)


def write_project(
    path: Path,
    lane_paths: list[str],
    axes: str = "zyxc",
    tagged: bool = False,
    version: str = "1.3.3post3",
    block_axes: str | None = None,
) -> None:
    """A project of another program: every lane labelled, axes and paths as given."""
    block_axes = block_axes or axes
    create_project(
        path,
        {f"c/{index}.h5": (2, *SIZE) for index in range(len(lane_paths))},
        label_classes(["A", "B"]),
        ilastik_version=version,
    )
    with h5py.File(path, "r+") as file:
        for index, lane_path in enumerate(lane_paths):
            lane = file[f"Input Data/infos/lane{index:04d}/Raw Data"]
            for name in ("filePath", "axistags", "shape", "__class__", "nickname"):
                del lane[name]
            lane["filePath"] = lane_path.encode()
            lane["nickname"] = b"old name"
            lane["axistags"] = axistags_json(axes).encode()
            lane["shape"] = stored(pixels(0), axes).shape
            lane["__class__"] = b"FilesystemDatasetInfo"
            block = file.create_dataset(
                f"PixelClassification/LabelSets/labels{index:03d}/block0000",
                data=stored(LABELS[None, 1:3, 4:7], block_axes),
            )
            places = {"y": "1:3", "x": "4:7"}
            place = ",".join(places.get(key, "0:1") for key in block_axes)
            block.attrs["blockSlice"] = f"[{place}]"
            if tagged:
                block.attrs["axistags"] = axistags_json(block_axes)


def plan(folder: Path, axis_order: str | None = None, *, partial: bool = False) -> FixPlan:
    return plan_fix(
        folder / "p.ilp",
        folder / "ilastik_crops",
        folder / "ilastik_probabilities",
        axis_order,
        partial=partial,
    )


def fix(folder: Path, *, partial: bool = False) -> None:
    apply_fix(plan(folder, partial=partial))


def assert_fixed(folder: Path, names: list[str], seeds: list[int]) -> None:
    project = read_project(folder / "p.ilp")
    assert [lane.nickname for lane in project.lanes] == names
    labels = read_all_labels(project)
    for lane, name, seed in zip(project.lanes, names, seeds, strict=True):
        assert lane.file_path == f"ilastik_crops/{name}.h5/crop"
        assert (lane.axes, lane.shape) == ("cyx", (2, *SIZE))
        assert lane.dataset_class == "RelativeFilesystemDatasetInfo"
        with h5py.File(folder / "ilastik_crops" / f"{name}.h5") as file:
            assert file["crop"].dtype == np.float32
            np.testing.assert_array_equal(file["crop"][()], pixels(seed))
        np.testing.assert_array_equal(labels[lane.index], LABELS)
    assert not plan(folder).is_needed


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def set_up(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    write_project(folder / "p.ilp", ["old/a.h5/a", "old/b.tif"])
    write_crop(folder / "ilastik_crops" / "a.h5", pixels(1))
    tifffile.imwrite(
        folder / "ilastik_crops" / "b.tif",
        pixels(2),
        photometric="minisblack",
        metadata={"axes": "CYX"},
    )
