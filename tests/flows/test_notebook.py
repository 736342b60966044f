"""In a notebook: a bar while a flow works, its error in words, nothing of Prefect."""

from importlib import import_module
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from prefect.settings import PREFECT_API_URL

from flows.running.notebook import is_notebook
from ilpix.example import write_example

REPOSITORY = Path(__file__).parents[2]
DEADLINE_S = 300


def outputs_of(code: str, folder: Path) -> list[dict[str, Any]]:
    """Run a notebook of one cell in a folder; return what is shown below it."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    client = NotebookClient(
        notebook,
        timeout=DEADLINE_S,
        allow_errors=True,
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute()
    return [dict(output) for output in notebook.cells[0].outputs]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PREFECT_API_URL", PREFECT_API_URL.value())
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    monkeypatch.delenv("PREFECT_LOGGING_LEVEL")
    write_example(tmp_path)
    return tmp_path


def test_a_notebook_shows_a_bar_for_each_step_and_nothing_of_prefect(folder: Path) -> None:
    code = "import flows; flows.prepare(options=flows.PrepareOptions(cropsize=60, seed=1));"
    shown = outputs_of(code, folder)
    bars = [output["data"] for output in shown if output["output_type"] == "display_data"]
    told = [bar["text/plain"].rpartition(" ")[0] for bar in bars]
    assert told[:2] == ["prepare-image 5/5", "cut-crops 5/5"]
    assert "<progress value='1.000'>" in bars[0]["text/html"]
    assert "prefect" not in str(shown).lower(), shown


def test_an_error_in_a_notebook_is_its_text(folder: Path) -> None:
    """The sentence stood in 110 lines of frames and logs."""
    (folder / "panel.csv").unlink()
    shown = outputs_of("import flows; flows.prepare()", folder)
    (error,) = [output for output in shown if output["output_type"] == "error"]
    assert error["ename"] == "NoPanelError"
    assert "Traceback" not in str(shown)
    assert error["traceback"] == [f"NoPanelError: {error['evalue']}"]


def test_a_program_that_starts_notebooks_is_none() -> None:
    import_module("ipykernel.kernelapp")
    assert not is_notebook()
