"""Data directories to measure commands in, prepared and trained by the commands themselves."""

import sys
from pathlib import Path

import numpy as np
import tifffile

from benchmarks.costs import program_cost
from benchmarks.engine import tissue
from ilpix.data_directory import CROPS, IMAGES, PANEL

ILPIX = (sys.executable, "-m", "command")
LABELS = "labels"
N_LABELS = 1500
TINY_PX, TINY_CROP_PX, N_LABELLED = 24, 40, 5

Environment = dict[str, str]


def large_study(folder: Path, environment: Environment, n_images: int = 4) -> Path:
    """Images of 600 × 600 px that become 1200 × 1200 px and 4 channels; labels in one of them."""
    image, classes = tissue(3)
    for number in range(n_images):
        source = np.roll(image[:, ::2, ::2], 37 * number, axis=2)
        _write_image(folder / IMAGES / f"roi{number}.tiff", source)
    _write_panel(folder, len(image))
    _ilpix(environment, "prepare", "-C", folder, "--cropsize", str(len(classes)), "--seed", "1")
    labels = np.zeros(classes.shape, np.uint8)
    places = tuple(np.random.default_rng(2).integers(0, len(classes), (2, N_LABELS)))
    labels[places] = classes[places]
    _train(folder, environment, {next((folder / CROPS).glob("roi0_*.h5")).stem: labels})
    return folder


def tiny_study(folder: Path, environment: Environment, n_images: int) -> Path:
    """Images of 24 × 24 px that become 48 × 48 px and 3 channels, a crop of each; five labelled."""
    rng = np.random.default_rng(0)
    for number in range(n_images):
        source = rng.poisson(5, (2, TINY_PX, TINY_PX)).astype(np.float32)
        _write_image(folder / IMAGES / f"roi{number:04}.tiff", source)
    _write_panel(folder, 2)
    _ilpix(environment, "prepare", "-C", folder, "--cropsize", str(TINY_CROP_PX), "--seed", "1")
    stripes = np.zeros((TINY_CROP_PX, TINY_CROP_PX), np.uint8)
    for value in (1, 2, 3):
        stripes[4 * value : 4 * value + 2] = value
    crops = sorted((folder / CROPS).glob("*.h5"))[:N_LABELLED]
    _train(folder, environment, {crop.stem: stripes for crop in crops})
    return folder


def source_study(folder: Path, n_images: int, n_channels: int, side: int) -> Path:
    """Images of counts and a panel that keeps every channel; nothing is prepared."""
    counts = np.random.default_rng(1).poisson(3, (side, side)).astype(np.float32)
    (folder / IMAGES).mkdir(parents=True)
    for number in range(n_images):
        path = folder / IMAGES / f"roi{number}.tiff"
        shape = (n_channels, side, side)
        image = tifffile.memmap(path, shape=shape, dtype=np.float32, photometric="minisblack")
        for channel in range(n_channels):  # no image has to fit into memory
            image[channel] = np.roll(counts, (number, channel), axis=(0, 1))
        image.flush()
    _write_panel(folder, n_channels)
    return folder


def _write_image(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, image, photometric="minisblack")


def _write_panel(folder: Path, n_channels: int) -> None:
    rows = "".join(f"{channel},marker {channel},1,{channel + 1}\n" for channel in range(n_channels))
    (folder / PANEL).write_text(f"channel,name,keep,ilastik\n{rows}", encoding="utf-8")


def _train(folder: Path, environment: Environment, labels: dict[str, np.ndarray]) -> None:
    (folder / LABELS).mkdir()
    for stem, values in labels.items():
        tifffile.imwrite(folder / LABELS / f"{stem}.tiff", values)
    _ilpix(environment, "train", "-C", folder, "--labels", LABELS, "--no-quality")
    _ilpix(environment, "run", "-C", folder)  # the first one compiles


def _ilpix(environment: Environment, *words: str | Path) -> None:
    program_cost([*ILPIX, *words], environment)
