"""A trained project as something that turns an image into class probabilities, tile by tile.

A chunk of rows is read, its tiles are computed by threads, and while the next chunk is computed the
strips of this one are compressed and written. Threads share nothing but what they read, and every
pixel's value is computed in one order, so the result is the same for any number of threads and any
size of tile.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from threading import Event
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from ilpix.arrays import FloatArray
from ilpix.cores import n_cores
from ilpix.features.computing import require_finite
from ilpix.features.filters import Filters, build_filters
from ilpix.features.selection import FeatureSelection
from ilpix.features.tiles import Tile, TileSize, Window, Workspace, plan_tiles
from ilpix.forest.voting import PackedForest, pack
from ilpix.images.hdf5 import open_prepared
from ilpix.prediction.errors import NoClassifierError, StoppedError, WrongChannelsError
from ilpix.prediction.probabilities import to_uint16, write_probabilities
from ilpix.project.reading import PixelProject

T = TypeVar("T")
ReadPixels = Callable[[range, range], FloatArray]  # rows and columns of an image

_CHUNK_ROWS, _FEWEST_ROWS = 128, 16
_CHUNK_BYTES = 2**29  # of the probabilities of the rows that are computed together
_WINDOW_BYTES = 2**27  # of the pixels that are read together
_WINDOWS_AHEAD = 2  # in computation while one is written


@dataclass(frozen=True, slots=True, eq=False)
class Classifier:
    """K classes, learnt from images of C channels; many threads may use one.

    Example:
        >>> classifier = Classifier.of(read_project(Path("pixel_classifier.ilp")))
        >>> with open_prepared(Path("ilastik_img/region_1.h5")) as image:
        ...     classifier.predict(image.read()).shape
        (220, 260, 3)
    """

    n_channels: int
    class_names: tuple[str, ...]
    selection: FeatureSelection
    filters: Filters
    forest: PackedForest
    label_of_vote: tuple[int, ...]  # the class, counted from 0, of each vote column
    tile_size: TileSize = field(default_factory=TileSize)

    @classmethod
    def of(cls, project: PixelProject) -> "Classifier":
        """Make the classifier of a project.

        Raises:
            NoClassifierError: if the project has no features or was not trained.
        """
        if project.features is None or project.forest is None:
            raise NoClassifierError(project.path, project.lacks)
        n_channels = project.forest.n_columns // len(project.features.columns(1))
        forest = pack(project.forest)
        columns = project.features.columns(n_channels)
        return cls(
            n_channels,
            tuple(label_class.name for label_class in project.classes),
            project.features,
            build_filters([columns[index] for index in forest.columns], n_channels),
            forest,
            tuple(label - 1 for label in project.forest.labels),
        )

    def predict(self, image: npt.NDArray[Any], threads: int | None = None) -> FloatArray:
        """Predict an image in memory.

        Args:
            image: (C, Y, X), any number type; computed in float32.
            threads: by default one for each core that the process may use.

        Returns:
            (Y, X, K) float32; zero for a class that was never labelled.

        Raises:
            WrongChannelsError, ImageTooSmallError, NotFiniteError: if the image does not fit.
        """
        pixels = np.ascontiguousarray(image, np.float32)
        self.require_fitting(pixels.shape)
        n_threads = threads or n_cores()
        with self._pool(pixels.shape, n_threads) as pool:
            chunks = self._predict_chunks(
                lambda y, x: pixels[:, y.start : y.stop, x.start : x.stop],
                pixels.shape,
                pool,
                n_threads,
                Event(),
            )
            return np.concatenate(list(chunks))

    def predict_file(
        self,
        source: Path,
        target: Path,
        threads: int | None = None,
        stop: Event | None = None,
    ) -> None:
        """Predict a prepared image, in little memory, whole or not at all.

        Args:
            source: HDF5 image of C channels in any axis order.
            target: TIFF (Y, X, K) uint16, rounded to nearest; replaced where it exists.
            threads: by default one for each core that the process may use.
            stop: set it to end the call soon.

        Raises:
            WrongChannelsError, ImageTooSmallError, NotFiniteError: if the image does not fit.
            UnreadableImageError, MissingDatasetError, ImageAxesError, PixelTypeError: from
                `open_prepared`.
            StoppedError: if `stop` was set.
        """
        n_threads = threads or n_cores()
        with (
            open_prepared(source, self.n_channels) as image,
            self._pool(image.shape, n_threads) as pool,
        ):
            self.require_fitting(image.shape)

            def read(y: range, x: range) -> FloatArray:
                return image.read(slice(y.start, y.stop), slice(x.start, x.stop))

            chunks = self._predict_chunks(read, image.shape, pool, n_threads, stop or Event())
            shape = (*image.shape[1:], len(self.class_names))
            write_probabilities(target, shape, map(to_uint16, chunks), pool)

    def require_fitting(self, shape: tuple[int, ...]) -> None:
        """Refuse the shape (C, Y, X) of an image that cannot be predicted.

        Raises:
            WrongChannelsError: if it has another number of channels than the training images.
            ImageTooSmallError: if a selected scale needs a larger image.
        """
        n_channels, height, width = shape
        if n_channels != self.n_channels:
            raise WrongChannelsError(n_channels, self.n_channels)
        self.selection.require_size(height, width)

    def _pool(self, shape: tuple[int, ...], n_threads: int) -> Executor:
        _, height, width = shape
        is_one_tile = height <= self.tile_size.rows and width <= self.tile_size.columns
        return _Caller() if is_one_tile else ThreadPoolExecutor(n_threads)

    def _predict_chunks(
        self,
        read: ReadPixels,
        shape: tuple[int, ...],
        pool: Executor,
        n_threads: int,
        stop: Event,
    ) -> Iterator[FloatArray]:
        """Yield (rows, X, K) from top to bottom."""
        _, height, width = shape
        workspaces: SimpleQueue[Workspace] = SimpleQueue()
        for _ in range(n_threads):
            workspaces.put(Workspace(self.filters, self.tile_size.within(height, width)))
        n_rows = _rows_at_once(width * len(self.class_names))
        waiting: deque[tuple[_Chunk, list[Future[None]]]] = deque()
        for first in range(0, height, n_rows):
            rows = range(first, min(first + n_rows, height))
            chunk = _Chunk(first, np.zeros((len(rows), width, len(self.class_names)), np.float32))
            for tiles in self._plan_panels(rows, width):
                window = self._read_window(read, rows, tiles, shape)
                jobs = [
                    pool.submit(self._predict_tile, window, chunk, tile, workspaces, stop)
                    for tile in tiles
                ]
                waiting.append((chunk, jobs))
                if len(waiting) > _WINDOWS_AHEAD:
                    yield from _finished(*waiting.popleft(), waiting)
        while waiting:
            yield from _finished(*waiting.popleft(), waiting)

    def _plan_panels(self, rows: range, width: int) -> Iterator[list[Tile]]:
        """Put tiles together that lie side by side, as many as fit into the memory of a window."""
        tiles = sorted(plan_tiles(rows, width, self.tile_size), key=lambda tile: tile.x)
        n_tile_rows = -(-len(rows) // self.tile_size.rows)
        tile_bytes = self._window_rows(rows) * self.tile_size.columns * self.n_channels * 4
        n_together = max(1, _WINDOW_BYTES // tile_bytes) * n_tile_rows
        for first in range(0, len(tiles), n_together):
            yield tiles[first : first + n_together]

    def _window_rows(self, rows: range) -> int:
        return len(rows) + 2 * self.filters.halo

    def _read_window(
        self, read: ReadPixels, rows: range, tiles: Sequence[Tile], shape: tuple[int, ...]
    ) -> Window:
        """Read what the values of some rows and columns are computed from."""
        _, height, width = shape
        halo = self.filters.halo
        y = range(max(0, rows.start - halo), min(height, rows.stop + halo))
        x = range(
            max(0, tiles[0].x - halo),
            min(width, tiles[-1].x + tiles[-1].width + halo),
        )
        window = Window(read(y, x), y.start, height, x.start, width)
        require_finite(window.pixels, y.start, x.start)
        return window

    def _predict_tile(
        self,
        window: Window,
        chunk: "_Chunk",
        tile: Tile,
        workspaces: SimpleQueue[Workspace],
        stop: Event,
    ) -> None:
        if stop.is_set():
            raise StoppedError
        workspace = workspaces.get()
        try:
            for part, features in workspace.parts(window, tile):
                votes = np.empty((part.height, part.width, len(self.label_of_vote)), np.float32)
                self.forest.predict(features, votes)
                rows, columns = part.slices(chunk.first_row)
                chunk.out[rows, columns, self.label_of_vote] = votes
        finally:
            workspaces.put(workspace)


class _Caller(Executor):
    """Does the work where it is asked for: so small an image is done before a thread has begun."""

    def submit(self, work: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        done: Future[T] = Future()
        done.set_result(work(*args, **kwargs))
        return done


@dataclass(frozen=True, slots=True, eq=False)
class _Chunk:
    """Rows of an image that are predicted together."""

    first_row: int
    out: FloatArray  # (rows, X, K)


def _finished(
    chunk: _Chunk, tiles: Iterable[Future[None]], waiting: Iterable[tuple[_Chunk, Any]]
) -> Iterator[FloatArray]:
    """Wait for tiles; yield their chunk if none that waits belongs to the same."""
    for tile in tiles:
        tile.result()
    if all(other is not chunk for other, _ in waiting):
        yield chunk.out


def _rows_at_once(values_per_row: int) -> int:
    return max(_FEWEST_ROWS, min(_CHUNK_ROWS, _CHUNK_BYTES // (4 * values_per_row)))
