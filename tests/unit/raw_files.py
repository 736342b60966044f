"""Raw imaging mass cytometry, written byte by byte as the instrument lays it out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

CHANNELS = (("Er", 170, "CD3"), ("Ir", 191, "DNA1"), ("Y", 89, "CD45"), ("Ir", 193, "DNA"))
NAMES = tuple(f"{metal}{mass}" for metal, mass, _ in CHANNELS)


@dataclass(frozen=True)
class Measured:
    """One acquisition: (C, Y, X) counts of channels given as metal, mass, target."""

    number: int
    counts: np.ndarray
    channels: Sequence[tuple[str, int, str]] = CHANNELS
    n_missing_bytes: int = 0  # that the file claims and does not have


def counts(seed: int, shape: tuple[int, int] = (7, 9)) -> np.ndarray:
    """(4, Y, X) float32 with hot pixels, also at corners and edges."""
    rng = np.random.default_rng(seed)
    image = rng.poisson(3, (len(CHANNELS), *shape)).astype(np.float32)
    image[0, 0, 0] = image[1, 3, 4] = image[2, -1, 2] = 500
    return image


def pixel_table(measured: Measured) -> np.ndarray:
    """(Y * X, 3 + C): x, y, z and the counts, row by row."""
    n_channels, height, width = measured.counts.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    places = np.stack([x, y, np.arange(height * width, dtype=np.float32).reshape(height, width)])
    return np.concatenate([places, measured.counts]).reshape(n_channels + 3, -1).T


def write_mcd(path: Path, acquisitions: Sequence[Measured]) -> Path:
    """Write an MCD file: the pixels as float32, behind them their description in UTF-16."""
    content, elements = b"", ["<Slide><ID>0</ID></Slide>"]
    elements.append("<Panorama><ID>0</ID><SlideID>0</SlideID><Type>Default</Type></Panorama>")
    for measured in acquisitions:
        _, height, width = measured.counts.shape
        begin = len(content)
        content += pixel_table(measured).astype("<f4").tobytes()
        end = len(content) + measured.n_missing_bytes
        roi = measured.number
        elements.append(
            f"<AcquisitionROI><ID>{roi}</ID><PanoramaID>0</PanoramaID></AcquisitionROI>"
            f"<Acquisition><ID>{roi}</ID><AcquisitionROIID>{roi}</AcquisitionROIID>"
            f"<Description>region {roi}</Description><ValueBytes>4</ValueBytes>"
            f"<DataStartOffset>{begin}</DataStartOffset><DataEndOffset>{end}</DataEndOffset>"
            f"<MaxX>{width}</MaxX><MaxY>{height}</MaxY>"
            "<AblationDistanceBetweenShotsX>1</AblationDistanceBetweenShotsX>"
            "<AblationDistanceBetweenShotsY>1</AblationDistanceBetweenShotsY></Acquisition>"
        )
        elements += [
            f"<ROIPoint><ID>{4 * roi + k}</ID><AcquisitionROIID>{roi}</AcquisitionROIID>"
            f"<OrderNumber>{k + 1}</OrderNumber><SlideXPosUm>{x}</SlideXPosUm>"
            f"<SlideYPosUm>{y}</SlideYPosUm></ROIPoint>"
            for k, (x, y) in enumerate([(0, 0), (width, 0), (width, height), (0, height)])
        ]
        named = [("X", "X"), ("Y", "Y"), ("Z", "Z")]
        named += [(f"{metal}({mass})", label) for metal, mass, label in measured.channels]
        elements += [
            f"<AcquisitionChannel><ID>{100 * roi + k}</ID><AcquisitionID>{roi}</AcquisitionID>"
            f"<OrderNumber>{k}</OrderNumber><ChannelName>{name}</ChannelName>"
            f"<ChannelLabel>{label}</ChannelLabel></AcquisitionChannel>"
            for k, (name, label) in enumerate(named)
        ]
    schema = f"<MCDSchema>{''.join(elements)}</MCDSchema>"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content + schema.encode("utf-16-le"))
    return path


def write_txt(path: Path, measured: Measured) -> Path:
    """Write a TXT file: a table with a row for each pixel."""
    columns = ["Start_push", "End_push", "Pushes_duration", "X", "Y", "Z"]
    columns += [f"{label}({metal}{mass}Di)" for metal, mass, label in measured.channels]
    pushes = np.zeros((measured.counts[0].size, 3))
    rows = np.concatenate([pushes, pixel_table(measured)], axis=1)
    lines = ["\t".join(columns), *("\t".join(f"{value:g}" for value in row) for row in rows)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path
