"""A folder of prepared images in which not everything is a plain file."""

from pathlib import Path

import numpy as np
import pytest

from ilpix.images.errors import DanglingLinkError, FolderNotReadableError
from ilpix.images.hdf5 import find_foreign, find_prepared, open_prepared, write_image
from ilpix.images.left_out import HIDDEN, list_folder

IMAGE = np.arange(3 * 8 * 9, dtype=np.float32).reshape(3, 8, 9)


def test_links_are_followed_and_links_to_nothing_and_hidden_images_are_named(
    tmp_path: Path,
) -> None:
    write_image(tmp_path / "elsewhere" / "a.h5", IMAGE, None)
    folder = tmp_path / "ilastik_img"
    folder.mkdir()
    (folder / "a.h5").symlink_to(tmp_path / "elsewhere" / "a.h5")
    (folder / "gone.h5").symlink_to("nowhere.h5")
    (folder / ".hidden.h5").touch()
    (folder / "._a.h5").touch()
    assert [path.name for path in find_prepared(folder)] == ["a.h5", "gone.h5"]
    assert find_foreign(folder) == {".hidden.h5": HIDDEN}
    with open_prepared(folder / "a.h5") as image:
        np.testing.assert_array_equal(image.read(), IMAGE)
    with (
        pytest.raises(DanglingLinkError, match=r"gone\.h5 is a link to nowhere\.h5"),
        open_prepared(folder / "gone.h5"),
    ):
        pass


def test_a_folder_that_is_not_there_is_empty_and_one_that_leads_in_a_circle_is_not(
    tmp_path: Path,
) -> None:
    assert list_folder(tmp_path / "nothing") == []
    (tmp_path / "circle").symlink_to("circle")
    with pytest.raises(FolderNotReadableError, match="circle cannot be looked into: Too many"):
        list_folder(tmp_path / "circle")
