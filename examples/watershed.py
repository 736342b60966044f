"""Cells from probability images by a seeded watershed, as an example of a next step.

    ilpix run --output-scale original
    python watershed.py DATA_FOLDER

writes `masks/NAME.tiff`, (Y, X) uint16 of the size of the source image: 0 background, 1 to N the
cells. Segmentation is the work of other programs; the thresholds here suit the example tissue.
"""

import sys
from pathlib import Path

import numpy as np
import tifffile
from prefect import flow, task
from scipy import ndimage
from skimage.measure import label
from skimage.segmentation import relabel_sequential, watershed

PROBABILITIES = "ilastik_probabilities_original"
CERTAIN = 0.5  # probability from which a pixel belongs to a class
SMALLEST_NUCLEUS = 20  # px
WIDTH = 1.0  # px, of the smoothing before thresholds


def find_cells(probabilities: np.ndarray) -> np.ndarray:
    """Return (Y, X) uint16 cells of a (Y, X, 3) probability image: nuclei, grown into cytoplasm."""
    shares = probabilities / 65535.0  # nucleus, cytoplasm, background
    nucleus, _, background = ndimage.gaussian_filter(shares, (WIDTH, WIDTH, 0)).transpose(2, 0, 1)
    found = label(nucleus > CERTAIN)
    is_large = np.bincount(found.ravel()) >= SMALLEST_NUCLEUS
    nuclei, _, _ = relabel_sequential(found * is_large[found])
    cells = watershed(-nucleus, nuclei, mask=(background < CERTAIN) | (nuclei > 0))
    if cells.max() > np.iinfo(np.uint16).max:
        raise ValueError(f"{cells.max()} cells are more than uint16 can number; cut the image up")
    return cells.astype(np.uint16)


@task(task_run_name="segment-{source.stem}")
def segment(source: Path, target: Path) -> int:
    """Write the cells of one image; return how many there are."""
    cells = find_cells(tifffile.imread(source))
    target.parent.mkdir(exist_ok=True)
    tifffile.imwrite(target, cells, compression="lzw")
    return int(cells.max())


@flow(name="watershed", flow_run_name="watershed-{data_dir.name}")
def segment_all(data_dir: Path) -> dict[str, int]:
    """Segment every image of a data directory; return the number of cells by image."""
    sources = sorted((data_dir / PROBABILITIES).glob("*.tiff"))
    runs = {
        source.stem: segment.submit(source, data_dir / "masks" / source.name) for source in sources
    }
    return {name: run.result() for name, run in runs.items()}


if __name__ == "__main__":
    for name, n_cells in segment_all(Path(sys.argv[1])).items():
        print(f"{name}: {n_cells} cells")
