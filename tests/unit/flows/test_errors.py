"""What flows say when not everything went well."""

from flows.errors import EveryImageTooSmallError

SHAPES = {"a": (58, 70), "b": (174, 206), "c": (86, 100)}


def test_both_crop_sizes_are_named_that_fit_all_images_and_the_largest() -> None:
    """The larger one alone was named, with which one image of three got a crop."""
    told = str(EveryImageTooSmallError(512, 1, SHAPES))
    assert told.endswith("nothing to label; 58 fits all of them; 174 fits b")


def test_one_crop_size_is_named_where_it_fits_all_images() -> None:
    told = str(EveryImageTooSmallError(512, 1, {"a": (58, 70), "b": (90, 58)}))
    assert told.endswith("; 58 fits all of them")
