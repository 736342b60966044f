"""Products of probability images: the right numbers, in files that other libraries read."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import ome_types
import pytest
import skimage.io
import tifffile
import zarr
from bioio import BioImage
from PIL import Image

from ilpix.prediction.errors import InvalidProductError
from ilpix.prediction.probabilities import LARGEST, to_uint16, write_probabilities
from ilpix.prediction.product_files import ProductSource, verify_product, write_product
from ilpix.prediction.products import Product, ProductOptions, plan_products

CLASSES = (("Nucleus", (255, 0, 0)), ("Cytoplasm", (0, 255, 0)), ("Background", (0, 0, 255)))
READERS = pytest.mark.filterwarnings("ignore")  # those of the readers' own dependencies


def _source(
    folder: Path, shape: tuple[int, int] = (24, 36), n_classes: int = 3, factor: int = 1
) -> ProductSource:
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.full(n_classes, 0.5), shape).astype(np.float32)
    path = folder / "a.tiff"
    write_probabilities(path, (*shape, n_classes), [to_uint16(probabilities)])
    return ProductSource(path, factor, CLASSES[:n_classes], (0.5, 0.25))


def _product(kind: Any = "probabilities", **facts: Any) -> Product:
    return Product(
        **({"is_original": False, "format": "tiff", "dtype": "uint16"} | facts), kind=kind
    )


def _written(folder: Path, product: Product, source: ProductSource) -> Path:
    target = product.target(folder / "out" / "ilastik_probabilities", "a")
    write_product(target, product, source)
    return target


def _stored(source: ProductSource) -> np.ndarray:
    return tifffile.imread(source.probabilities).astype(np.float64)


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_at_original_size_each_pixel_is_the_mean_of_its_area(tmp_path: Path, factor: int) -> None:
    source = _source(tmp_path, factor=factor)
    written = tifffile.imread(_written(tmp_path, _product(is_original=True), source))
    means = _stored(source).reshape(24 // factor, factor, 36 // factor, factor, 3).mean(axis=(1, 3))
    np.testing.assert_array_equal(written, np.rint(means))
    assert written.dtype == np.uint16
    assert abs(written.sum(axis=2, dtype=int) - LARGEST).max() <= 3


def test_classes_are_counted_from_one_and_ties_go_to_the_lower(tmp_path: Path) -> None:
    half = LARGEST // 2 + 1
    rows = np.array([[[half, half - 1, 0], [0, half, half], [1, 1, LARGEST - 2]]], np.uint16)
    write_probabilities(tmp_path / "a.tiff", rows.shape, [rows])
    source = ProductSource(tmp_path / "a.tiff", 1, CLASSES, None)
    written = tifffile.imread(_written(tmp_path, _product("classes"), source))
    assert written.dtype == np.uint8
    assert written.tolist() == [[1, 2, 3]]


@pytest.mark.parametrize("kind", ["uncertainty", "entropy"])
@pytest.mark.parametrize("dtype", ["uint16", "float32"])
@pytest.mark.parametrize("n_classes", [1, 2, 3])
def test_uncertainty_is_that_of_its_definition(
    tmp_path: Path, kind: str, dtype: str, n_classes: int
) -> None:
    source = _source(tmp_path, n_classes=n_classes)
    written = tifffile.imread(_written(tmp_path, _product(kind, dtype=dtype), source))
    p = _stored(source).reshape(24, 36, n_classes) / LARGEST
    if n_classes == 1:
        expected = np.zeros((24, 36))
    elif kind == "uncertainty":
        first, second = np.sort(p, axis=2)[..., ::-1][..., :2].transpose(2, 0, 1)
        expected = 1 - (first - second)
    else:
        logs = np.log(p, out=np.zeros_like(p), where=p > 0)
        expected = -(p * logs).sum(axis=2) / np.log(n_classes)
    unit = LARGEST if dtype == "uint16" else 1
    assert written.dtype == dtype
    np.testing.assert_allclose(written / unit, expected, atol=0.51 / LARGEST)


def test_float32_has_numbers_from_0_to_1(tmp_path: Path) -> None:
    source = _source(tmp_path)
    written = tifffile.imread(_written(tmp_path, _product(dtype="float32"), source))
    assert written.dtype == np.float32
    np.testing.assert_allclose(written, _stored(source) / LARGEST, rtol=1e-6)


@READERS
def test_ome_tiff_has_the_classes_as_channels(tmp_path: Path) -> None:
    source = _source(tmp_path)
    path = _written(tmp_path, _product(format="ome-tiff"), source)
    assert path.name == "a.ome.tiff"
    (image,) = ome_types.from_tiff(path, validate=True).images
    channels = image.pixels.channels
    assert [channel.name for channel in channels] == [name for name, _ in CLASSES]
    assert [channel.color.as_rgb_tuple()[:3] for channel in channels] == [c for _, c in CLASSES]
    assert (image.pixels.physical_size_y, image.pixels.physical_size_x) == (0.5, 0.25)
    read = BioImage(path)
    np.testing.assert_array_equal(read.get_image_data("YXC"), _stored(source))
    with tifffile.TiffFile(path) as file:
        page = file.pages.first
        assert page.is_tiled
        assert page.compression == tifffile.COMPRESSION.ADOBE_DEFLATE
        assert len(file.series[0].levels) == 1


@READERS
@pytest.mark.parametrize("kind", ["probabilities", "classes"])
def test_ome_zarr_is_read_by_others(tmp_path: Path, kind: str) -> None:
    source = _source(tmp_path, factor=2)
    path = _written(tmp_path, _product(kind, format="ome-zarr", is_original=True), source)
    assert path.name == "a.ome.zarr"
    plain = tifffile.imread(_written(tmp_path, _product(kind, is_original=True), source))
    read = BioImage(path)
    np.testing.assert_array_equal(read.get_image_data("YXC").squeeze(), plain)
    sizes = read.physical_pixel_sizes
    assert (sizes.Y, sizes.X) == (1.0, 0.5)
    if kind == "probabilities":
        assert read.channel_names == [name for name, _ in CLASSES]


@READERS
def test_ome_zarr_says_what_version_0_4_asks_for(tmp_path: Path) -> None:
    from ome_zarr_models.v04.image import ImageAttrs  # noqa: PLC0415 - slow to import

    path = _written(tmp_path, _product(format="ome-zarr"), _source(tmp_path))
    attributes = ImageAttrs.model_validate(dict(zarr.open_group(path, mode="r").attrs))
    assert [axis.name for axis in attributes.multiscales[0].axes] == ["c", "y", "x"]


@pytest.mark.parametrize("format_", ["ome-tiff", "ome-zarr"])
def test_large_images_have_smaller_copies(
    tmp_path: Path, format_: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ilpix.prediction.product_files.LARGEST_SINGLE", 10)
    source = _source(tmp_path, (24, 37))
    path = _written(tmp_path, _product(format=format_), source)
    if format_ == "ome-tiff":
        with tifffile.TiffFile(path) as file:
            levels = [level.asarray() for level in file.series[0].levels]
    else:
        group = zarr.open_group(path, mode="r")
        levels = [group[str(k)][:] for k in range(len(list(group.array_keys())))]
    assert [level.shape for level in levels] == [(3, 24, 37), (3, 12, 18), (3, 6, 9)]
    halves = _stored(source)[:, :36].reshape(12, 2, 18, 2, 3).mean(axis=(1, 3))
    np.testing.assert_array_equal(np.moveaxis(levels[1], 0, -1), np.rint(halves))


@pytest.mark.parametrize("format_", ["tiff", "ome-tiff", "ome-zarr"])
def test_the_same_product_has_the_same_bytes(tmp_path: Path, format_: str) -> None:
    source = _source(tmp_path)
    product = _product(format=format_)

    def content() -> dict[Path, bytes]:
        path = _written(tmp_path, product, source)
        files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
        return {one: one.read_bytes() for one in files}

    assert content() == content()
    assert not list((tmp_path / "out").rglob(".ilpix-*"))


def test_products_of_tiff_are_read_by_every_common_library(tmp_path: Path) -> None:
    source = _source(tmp_path)
    path = _written(tmp_path, _product("classes"), source)
    expected = _stored(source).argmax(axis=2) + 1
    for read in (
        skimage.io.imread(path),
        cv2.imread(str(path), cv2.IMREAD_UNCHANGED),
        np.asarray(Image.open(path)),
    ):
        np.testing.assert_array_equal(read, expected)


def test_a_product_that_is_not_what_it_must_be_is_refused(tmp_path: Path) -> None:
    source = _source(tmp_path)
    path = _written(tmp_path, _product("classes"), source)
    wrong = tifffile.imread(path)
    wrong[3, 3] = 4
    write_probabilities(path, (24, 36, 1), [wrong[..., None]], dtype=np.uint8)
    with pytest.raises(InvalidProductError, match="values below row 0 that cannot be"):
        verify_product(path, _product("classes"), source)
    with pytest.raises(InvalidProductError, match=r"it has rows of"):
        verify_product(path, _product("classes"), ProductSource(path, 2, CLASSES, None))


def test_nothing_is_written_besides_unless_it_is_asked_for() -> None:
    assert plan_products(ProductOptions()) == ()


@pytest.mark.parametrize(
    ("options", "folders"),
    [
        ({"output_scale": "original"}, ["out/p_original"]),
        ({"dtype": "float32"}, ["out/p_float32"]),
        ({"format": "ome-zarr"}, ["out/p_ome"]),
        ({"also": "classes,entropy"}, ["out/ilastik_classes", "out/ilastik_entropy"]),
        (
            {"output_scale": "original", "dtype": "float32", "also": ["classes", "uncertainty"]},
            [
                "out/p_original_float32",
                "out/ilastik_classes_original",
                "out/ilastik_uncertainty_original_float32",
            ],
        ),
    ],
)
def test_each_product_has_a_folder_of_its_own(options: dict[str, Any], folders: list[str]) -> None:
    products = plan_products(ProductOptions(**options))
    assert [product.folder(Path("out/p")).as_posix() for product in products] == folders


def test_an_unknown_product_is_refused() -> None:
    with pytest.raises(ValueError, match="choose of classes, uncertainty, entropy, not masks"):
        ProductOptions(also="classes,masks")
