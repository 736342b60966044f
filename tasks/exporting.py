"""Files for other programs: probability image to what is derived from it."""

from pathlib import Path

from prefect import task

from ilpix.images.hdf5 import open_prepared
from ilpix.prediction.derived import derived_shape
from ilpix.prediction.errors import UnknownScaleError
from ilpix.prediction.product_files import Color, ProductSource, write_product
from ilpix.prediction.products import Product
from tasks.caching import ContentPolicy
from tasks.records import FilesWritten, files_written
from tasks.stopping import stop_if_asked


@task(
    name="export-image",
    task_run_name="export-{target.name}",
    cache_policy=ContentPolicy(algorithm=1),
    result_serializer="json",
    cache_result_in_memory=False,
)
def export_image(
    probabilities: Path,
    image: Path,
    target: Path,
    product: Product,
    classes: tuple[tuple[str, Color], ...],
) -> FilesWritten:
    """Derive a product from one probability image.

    Args:
        probabilities: probability image, (Y, X, K) uint16.
        image: the prepared image that it was predicted from, which knows scale and pixel size.
        target: what is written, a file or an OME-Zarr folder.
        product: what is derived, and how it is stored.
        classes: name and colour of each class.
    """
    stop_if_asked()
    with open_prepared(image, None) as prepared:
        record = prepared.record
    if record is None and product.is_original:
        raise UnknownScaleError(image)
    factor = record.preparation.scale if record and product.is_original else 1
    pixel_size_um = record.pixel_size_um if record else None
    source = ProductSource(probabilities, factor, classes, pixel_size_um)
    write_product(target, product, source)
    height, width, _ = derived_shape(probabilities, product, factor)
    return files_written(target, **product.describe(), shape=[height, width])
