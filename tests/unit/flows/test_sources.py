"""Which image each prepared image was made from, wherever a command stands."""

from pathlib import Path

import pytest

from flows.running.sources import find_gone, update_sources
from ilpix.sources.finding import Source


@pytest.mark.parametrize("place", ["study", "../here/study", ".", "absolute"])
def test_an_image_that_is_gone_is_found_however_its_folder_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """Where the folder was named with -C, no image was ever gone."""
    folder = tmp_path / "here" if place == "." else tmp_path / "here" / "study"
    for name in ("img/a.tiff", "img/b.tiff", "ilastik_img/a.h5", "ilastik_img/b.h5"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    monkeypatch.chdir(tmp_path / "here")
    data_dir = folder if place == "absolute" else Path(place)
    found = [Source(name, data_dir / "img" / f"{name}.tiff") for name in ("a", "b")]
    noted = update_sources({}, data_dir, Path("img"), Path("ilastik_img"), found)
    assert noted == {f"ilastik_img/{name}.h5": f"img/{name}.tiff" for name in ("a", "b")}
    assert find_gone(noted, data_dir, Path("ilastik_img")) == {}
    (folder / "img" / "b.tiff").unlink()
    assert find_gone(noted, data_dir, Path("ilastik_img")) == {"b": ""}
