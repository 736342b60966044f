"""The flows on a real server with a real worker, and a person in between."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import tifffile

from command.demo import LABELS, write_labels_of_a_person
from flows.options import PrepareOptions
from flows.running.manifest import read_manifest
from ilpix.example import write_example
from tests.deployments.conftest import PREPARING, Server, wait_until

IMAGES = [f"region_{number}" for number in range(1, 6)]


def test_the_file_deploys_all_flows(server: Server) -> None:
    found = {deployment["name"]: deployment for deployment in server.filter("deployments")}
    flows = {"import", "prepare", "train", "run", "check", "fix", "classify"}
    assert set(found) == {*flows, "run-nightly"}
    assert found["run-nightly"]["schedules"][0]["schedule"]["cron"] == "0 2 * * *"
    limits = {name: found[name]["global_concurrency_limit"]["limit"] for name in found}
    assert limits == {
        "import": 2,
        "prepare": 4,
        "train": 1,
        "run": 2,
        "check": 4,
        "fix": 1,
        "classify": 2,
        "run-nightly": 1,
    }
    assert {found[name]["work_pool_name"] for name in found} == {"ilpix-process"}


def test_the_nightly_run_is_on_the_calendar_of_the_server(server: Server) -> None:
    """SQLAlchemy 2.1 broke the scheduler of Prefect 3.8 and 3.9: no run was ever scheduled."""
    nightly = server.deployment("classify/run-nightly")["id"]
    asked = {"deployments": {"id": {"any_": [nightly]}}}
    runs = wait_until(lambda: server.filter("flow_runs", **asked), "no nightly run is scheduled")
    assert {run["state_type"] for run in runs} == {"SCHEDULED"}
    assert all("T02:00:00" in run["expected_start_time"] for run in runs)


def test_every_pool_is_of_its_kind(server: Server) -> None:
    pools = {pool["name"]: pool["type"] for pool in server.filter("work_pools")}
    assert pools == {f"ilpix-{kind}": kind for kind in ("process", "docker", "kubernetes")}


@pytest.mark.parametrize(
    "parameters",
    [
        {"preparing": {"aggr": "average"}},
        {"preparing": {"crop_size": 100}},
        {"preparing": {"cropsize": 0}},
        {"preparing": {"labels": ["Nucleus"]}},
        {"predicting": {"engine": "podman"}},
        {"predicting": {"ilp": "other.ilp"}},  # its project is always the prepared one
        {"training": {"ilp": "other.ilp"}},
        {"predicting": {"pull": "sometimes"}},
        {"predicting": {"threads": "many"}},
        {"if_untrained": "hope"},
    ],
    ids=str,
)
def test_wrong_parameters_are_refused_before_there_is_a_run(
    server: Server, parameters: dict[str, Any]
) -> None:
    before = server.call("POST", "/flow_runs/count").json()
    assert server.ask("classify/classify", parameters).status_code == 409
    assert server.call("POST", "/flow_runs/count").json() == before


@pytest.mark.parametrize(
    "parameters",
    [
        {"predicting": {"engine": None, "pull": None, "threads": None, "ilastik": None}},
        {"preparing": {"seed": None}, "training": {"labels": None}},
    ],
    ids=str,
)
def test_fields_that_may_be_empty_may_be_sent_empty(
    server: Server, parameters: dict[str, Any]
) -> None:
    created = server.ask("classify/classify", parameters, at="2999-01-01T00:00:00Z")
    assert created.status_code == 201
    server.call("DELETE", f"/flow_runs/{created.json()['id']}")


def test_the_form_shows_a_title_for_every_field_and_files_last(server: Server) -> None:
    schema = server.deployment("classify/classify")["parameter_openapi_schema"]
    assert next(iter(schema["properties"])) == "data_dir"
    titles = [field["title"] for field in schema["properties"].values()]
    assert titles[:2] == ["Data folder", "Preparing"]
    assert not set(titles) & set(schema["properties"])
    labels = schema["definitions"]["PrepareOptions"]["properties"]["labels"]
    assert labels["description"].endswith("one a line")
    for model in schema["definitions"].values():
        fields = sorted(model["properties"].values(), key=lambda field: field["position"])
        assert all(field["title"] and field["description"] for field in fields)
        assert not any("anyOf" in field for field in fields)
        is_path = [field.get("format") == "path" for field in fields]
        assert is_path == sorted(is_path)


def test_a_suspended_run_goes_on_and_does_nothing_twice(
    server: Server, classified: tuple[Path, str]
) -> None:
    folder, run = classified
    subflows = [subflow["id"] for subflow in server.subflows(run)]
    states = wait_until(
        lambda: _if_all(server.task_states(subflows), [f"predict-{image}" for image in IMAGES]),
        "the records of the task runs",
    )
    assert {states[f"prepare-{image}"] for image in IMAGES} == {"Cached"}
    assert {states[f"predict-{image}"] for image in IMAGES} == {"Completed"}
    for image in IMAGES:
        probabilities = tifffile.imread(folder / "ilastik_probabilities" / f"{image}.tiff")
        truth = tifffile.imread(folder / "truth" / f"{image}.tiff")
        classes = probabilities.argmax(axis=-1)[::2, ::2] + 1
        assert (classes == truth).mean() > 0.95


def test_the_log_of_a_suspended_run_says_what_to_do(
    server: Server, classified: tuple[Path, str]
) -> None:
    folder, run = classified
    logs = wait_until(
        lambda: server.filter("logs", logs={"flow_run_id": {"any_": [run]}}, limit=200),
        "the run has no log",
    )
    assert any(f"ilpix annotate -C {folder}" in line["message"] for line in logs)


def test_the_run_leaves_its_tables_report_and_previews_on_the_server(
    server: Server, classified: tuple[Path, str]
) -> None:
    _, run = classified
    found = server.artifacts([subflow["id"] for subflow in server.subflows(run)])
    assert {
        *("prepare-images", "prepare-channels", "project"),
        *("run-images", "run-report", "run-previews", "predict-image-progress"),
    } <= set(found)
    rows = json.loads(found["run-images"]["data"])
    assert [row["image"] for row in rows] == IMAGES
    assert {row["state"] for row in rows} == {"done"}
    assert all(
        99 < row["Nucleus %"] + row["Cytoplasm %"] + row["Background %"] < 101 for row in rows
    )
    assert found["run-previews"]["data"].startswith(
        "![images and their classes](data:image/jpeg;base64,"
    )
    assert found["predict-image-progress"]["data"] == 100


def test_an_announced_folder_is_classified_and_a_failure_is_told(
    server: Server, tmp_path: Path
) -> None:
    folder = tmp_path / "arrived"
    shutil.copytree(Path(__file__).parents[2] / "examples", folder)
    (folder / "panel.csv").unlink()
    server.command(
        *("prefect", "event", "emit", "ilpix.folder.arrived"),
        *("--resource-id", "ilpix.folder.arrived-1"),
        *("--payload", json.dumps({"data_dir": str(folder)})),
    )

    def started() -> str | None:
        runs = server.filter("flow_runs", sort="EXPECTED_START_TIME_DESC", limit=200)
        ours = [run["id"] for run in runs if run["parameters"].get("data_dir") == str(folder)]
        return ours[-1] if ours else None

    run = wait_until(started, "the automation started no run")
    assert server.wait_for_end(run) == "FAILED"
    told = wait_until(
        lambda: [text for text in server.told if str(folder) in text],
        "nobody was told of the failure",
    )
    assert "panel.csv" in told[0]
    assert "name it with 'Panel'" in told[0]  # as the form has it


def test_what_is_not_given_of_a_group_is_the_deployments(server: Server, tmp_path: Path) -> None:
    """One value on Prefect's command line threw the seed and the sampling of crops away."""
    write_example(tmp_path)
    server.command(
        *("prefect", "deployment", "run", "prepare/prepare", "--watch"),
        *("--param", f"data_dir={tmp_path}", "--param", 'options={"cropsize": 100}'),
    )
    used = read_manifest(tmp_path).verbs["prepare"].parameters
    assert (used["cropsize"], used["seed"], used["crop_sampling"]) == (100, 1, "per-image")


def test_train_and_run_are_deployed_too(server: Server, tmp_path: Path) -> None:
    write_example(tmp_path)
    prepared = server.start("prepare/prepare", {"data_dir": str(tmp_path), "options": PREPARING})
    assert server.wait_for_end(prepared) == "COMPLETED"
    write_labels_of_a_person(tmp_path, PrepareOptions(**PREPARING))
    labels = {"labels": str(LABELS), "features": "fast"}
    trained = server.start("train/train", {"data_dir": str(tmp_path), "options": labels})
    assert server.wait_for_end(trained) == "COMPLETED"
    embedded = {"data_dir": str(tmp_path), "options": {"engine": "embedded"}}
    assert server.wait_for_end(server.start("run/run", embedded)) == "COMPLETED"
    assert len(list((tmp_path / "ilastik_probabilities").glob("*.tiff"))) == 5


def _if_all(states: dict[str, str], names: list[str]) -> dict[str, str] | None:
    """The states, once all of these task runs have one: the server writes them in batches."""
    return states if set(names) <= set(states) and "Running" not in states.values() else None
