"""`ilpix-headless`: Ilastik's command line, its defaults, its messages and exit codes."""

import gzip
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile

from containers.command import PreparedInput, ilastik_arguments
from containers.headless import cli
from ilpix.images.hdf5 import write_image

DATA = Path(__file__).parents[2] / "golden" / "data"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: a trained project and two images."""
    (tmp_path / "p.ilp").write_bytes(
        gzip.decompress((DATA / "training" / "all.ilp.gz").read_bytes())
    )
    with np.load(DATA / "training" / "images.npz") as images:
        for stem in ("roi_d_small", "roi_e_exact"):
            write_image(tmp_path / f"{stem}.h5", images[f"image/{stem}"], None)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def ilastiks() -> np.ndarray:
    """What Ilastik itself predicted for the smaller image."""
    return tifffile.imread(DATA / "training" / "roi_e_exact.tiff")


def test_our_own_command_gives_ilastiks_numbers(folder: Path, ilastiks: np.ndarray) -> None:
    code = cli.run(
        [
            "--headless",
            "--project=p.ilp",
            "--readonly=1",
            "--input_axes=cyx",
            "--export_source=Probabilities",
            "--output_format=hdf5",
            "--output_filename_format=out/NAME.h5",
            "--output_internal_path=exported_data",
            "--output_axis_order=yxc",
            "--export_dtype=uint16",
            "--pipeline_result_drange=(0.0,1.0)",
            "--export_drange=(0,65535)",
            "roi_e_exact.h5/img",
        ]
    )
    assert code == 0
    with h5py.File("out/NAME.h5") as file:
        np.testing.assert_array_equal(file["exported_data"][()], ilastiks)
        assert '"key": "y"' in file["exported_data"].attrs["axistags"]


def test_steinbocks_command_works(folder: Path, ilastiks: np.ndarray) -> None:
    """steinbock writes a bare --readonly, and takes `-img` out of the names afterwards."""
    code = cli.run(
        [
            "--headless",
            "--project=p.ilp",
            "--readonly",
            "--input_axes=cyx",
            "--export_source=Probabilities",
            "--output_format=tiff",
            "--output_filename_format=probabilities/{nickname}.tiff",
            "--export_dtype=uint16",
            "--output_axis_order=yxc",
            "--pipeline_result_drange=(0.0,1.0)",
            "--export_drange=(0,65535)",
            "roi_d_small.h5/img",
            "roi_e_exact.h5/img",
        ]
    )
    assert code == 0
    names = sorted(path.name for path in Path("probabilities").iterdir())
    assert names == ["roi_d_small-img.tiff", "roi_e_exact-img.tiff"]
    np.testing.assert_array_equal(tifffile.imread("probabilities/roi_e_exact-img.tiff"), ilastiks)


def test_nf_cores_command_takes_the_rest_from_the_project(
    folder: Path, ilastiks: np.ndarray
) -> None:
    """nf-core gives `--readonly 1` and a name; the project asks for TIFF, whose extension wins."""
    code = cli.run(
        [
            "--headless",
            "--readonly",
            "1",
            "--project=p.ilp",
            "--output_filename_format=sample.h5",
            "roi_e_exact.h5",
        ]
    )
    assert code == 0
    np.testing.assert_array_equal(tifffile.imread("sample.tiff"), ilastiks)


def test_project_decides_the_folder_where_no_name_is_given(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    assert cli.run(["--project", str(folder / "p.ilp"), str(folder / "roi_e_exact.h5")]) == 0
    assert (folder / "ilastik_probabilities" / "roi_e_exact-img.tiff").exists()


def test_placeholders_stand_for_folder_name_and_result(folder: Path) -> None:
    (folder / "in").mkdir()
    (folder / "roi_e_exact.h5").rename(folder / "in" / "roi.1.h5")
    arguments = ["--project=p.ilp", "--output_format=hdf5"]
    pattern = "--output_filename_format={dataset_dir}/{nickname}_{result_type}.h5"
    assert cli.run([*arguments, pattern, "in/roi.1.h5/img"]) == 0
    assert (folder / "in" / "roi-img_Probabilities.h5").exists()


@pytest.mark.parametrize(
    ("order", "shape"),
    [
        ("yxc", (50, 50, 3)),
        ("cyx", (3, 50, 50)),
        ("tzyxc", (1, 1, 50, 50, 3)),
        ("xyc", (50, 50, 3)),
    ],
)
def test_axis_order_is_as_asked(
    folder: Path, ilastiks: np.ndarray, order: str, shape: tuple[int, ...]
) -> None:
    options = [
        "--output_format=compressed hdf5",
        "--output_filename_format=a.h5",
        f"--output_axis_order={order}",
    ]
    assert cli.run(["--project=p.ilp", *options, "roi_e_exact.h5"]) == 0
    with h5py.File("a.h5") as file:
        stored = file["exported_data"][()]
    assert stored.shape == shape
    keys = [key for key in order if key in "yxc"]
    np.testing.assert_array_equal(
        stored.reshape([50 if k != "c" else 3 for k in keys]).transpose(
            [keys.index(k) for k in "yxc"]
        ),
        ilastiks,
    )


def test_numbers_are_stretched_as_asked(folder: Path, ilastiks: np.ndarray) -> None:
    options = ["--output_format=hdf5", "--output_filename_format=a.h5", "--export_dtype=uint8"]
    ranges = ["--pipeline_result_drange=(0.0,1.0)", "--export_drange=(0,255)"]
    assert cli.run(["--project=p.ilp", *options, *ranges, "roi_e_exact.h5"]) == 0
    with h5py.File("a.h5") as file:
        assert file["exported_data"].dtype == np.uint8
        np.testing.assert_allclose(file["exported_data"][()], ilastiks / 257, atol=0.51)


def test_other_stored_axis_orders_are_read(folder: Path, ilastiks: np.ndarray) -> None:
    with h5py.File("roi_e_exact.h5") as file, h5py.File("turned.h5", "w") as turned:
        turned["volume/data"] = file["img"][()].transpose(1, 2, 0)[np.newaxis]
    arguments = ["--project=p.ilp", "--input_axes=zyxc", "--output_filename_format=turned.tiff"]
    assert cli.run([*arguments, "turned.h5/volume/data"]) == 0
    np.testing.assert_array_equal(tifffile.imread("turned.tiff"), ilastiks)


def test_misspelt_option_is_only_a_warning(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--project=p.ilp", "--output-format=hdf5", "roi_e_exact.h5"]) == 0
    assert "Unused command-line args: ['--output-format=hdf5']" in capfd.readouterr().err


def test_bare_readonly_swallows_the_next_word(folder: Path) -> None:
    assert cli.run(["--project=p.ilp", "--readonly", "roi_e_exact.h5"]) == 0
    assert not (folder / "ilastik_probabilities").exists()


def test_missing_input_stops_before_anything_is_computed(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["--project=p.ilp", "roi_e_exact.h5/img", "nothing.h5/img"]) == 1
    assert "Input file does not exist: nothing.h5/img" in capfd.readouterr().err
    assert not (folder / "ilastik_probabilities").exists()


def test_untrained_project_is_refused_in_ilastiks_words(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    untrained = gzip.decompress((DATA / "projects" / "untrained.ilp.gz").read_bytes())
    (folder / "p.ilp").write_bytes(untrained)
    assert cli.run(["--project=p.ilp", "roi_e_exact.h5"]) == 1
    assert "Your project file has no classifier." in capfd.readouterr().err


def test_wrong_number_of_channels_is_refused_in_ilastiks_words(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write_image(folder / "one.h5", np.zeros((1, 50, 50), np.float32), None)
    assert cli.run(["--project=p.ilp", "one.h5"]) == 1
    assert "Your new image has 1 channel(s), but your other images have" in capfd.readouterr().err


def test_image_smaller_than_a_scale_needs_is_refused(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with h5py.File("roi_e_exact.h5") as file:
        write_image(folder / "small.h5", file["img"][:, :20, :20], None)
    assert cli.run(["--project=p.ilp", "small.h5"]) == 1
    assert "FeatureSelectionConstraintError" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--export_source=Uncertainty"], "Invalid option for --export_source"),
        (["--export_drange=(0,255)"], "without a specified pipeline_result_drange"),
        (["--pipeline_result_drange=(0.0,1.0)", "--export_drange=255"], "Didn't understand"),
        (["--output_axis_order=yx"], "Invalid axes"),
    ],
)
def test_wrong_export_options_are_refused(
    folder: Path, options: list[str], says: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["--project=p.ilp", *options, "roi_e_exact.h5"]) == 1
    assert says in capfd.readouterr().err


def test_log_lines_look_like_ilastiks(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--project=p.ilp", "--output_filename_format=a.tiff", "roi_e_exact.h5"]) == 0
    lines = capfd.readouterr().err.splitlines()
    assert lines[0].startswith("INFO ilastik.app: Starting ilastik from ")
    assert lines[1] == "INFO ilastik.shell.projectManager: Opening Project: p.ilp"
    assert lines[2].startswith(
        "INFO ilastik.applets.batchProcessing.batchProcessingApplet: Exporting to "
    )


def test_slim_image_needs_a_part_of_what_the_project_needs() -> None:
    repository = Path(__file__).parents[3]
    needed = (repository / "containers" / "headless" / "requirements.txt").read_text().split()
    declared = (repository / "pyproject.toml").read_text()
    assert needed
    assert [line for line in needed if f'"{line}"' not in declared] == []


def set_region(start: list[int], stop: list[int]) -> None:
    with h5py.File("p.ilp", "r+") as file:
        file["Prediction Export/RegionStart"] = start
        file["Prediction Export/RegionStop"] = stop


def export(*options: str) -> int:
    return cli.run(
        [
            "--project=p.ilp",
            "--output_format=hdf5",
            "--output_filename_format=out/NAME.h5",
            "--export_dtype=uint16",
            "--pipeline_result_drange=(0.0,1.0)",
            "--export_drange=(0,65535)",
            *options,
            "roi_e_exact.h5/img",
        ]
    )


IMAGE = PreparedInput(Path("a.h5"), "img", "cyx", 9, 9)


def exported() -> np.ndarray:
    with h5py.File("out/NAME.h5") as file:
        return np.asarray(file["exported_data"][()])


def test_the_export_region_of_a_project_limits_what_is_written(
    folder: Path, ilastiks: np.ndarray
) -> None:
    set_region([2, 0, 0], [20, 10, 1])
    assert export("--output_axis_order=cyx") == 0
    np.testing.assert_array_equal(exported(), ilastiks[2:20, :10, :1].transpose(2, 0, 1))


def test_our_own_option_gives_the_whole_image_again(folder: Path, ilastiks: np.ndarray) -> None:
    """The first class alone was written, exit code 0, where somebody had once exported just it."""
    set_region([0, 0, 0], [1, 1, 1])
    whole = next(
        word
        for word in ilastik_arguments(
            "p", "in", [PreparedInput(Path("a"), "img", "cyx", 9, 9)], "o"
        )
        if "subregion" in word
    )
    assert export(whole) == 0
    np.testing.assert_array_equal(exported(), ilastiks)


def test_an_option_may_cut_out_a_part(folder: Path, ilastiks: np.ndarray) -> None:
    assert export("--cutout_subregion=[(1,2,0),(9,None,3)]") == 0
    np.testing.assert_array_equal(exported(), ilastiks[1:9, 2:, :3])


@pytest.mark.parametrize(
    "region", ["yes", "[(0,0,0)]", "[(0,0),(1,1)]", "[(0,0,0),(0,1,1)]", "[(900,0,0),(901,1,1)]"]
)
def test_a_region_that_is_none_is_an_error(
    folder: Path, region: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(f"--cutout_subregion={region}") == 1
    assert "region" in capsys.readouterr().err + capsys.readouterr().out
    assert not Path("out/NAME.h5").exists()
