"""What people see: forms and previews in a real browser."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from ilpix.example import write_example
from tests.annotation.screen import Screen, annotating
from tests.deployments.browser import CHROMIUM, Page, browsing
from tests.deployments.conftest import PREPARING, Server, wait_until

SENT, BUSY = "scheduled to start", "to create a flow run"  # what the page answers

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is not installed"),
]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browsing(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def idle_worker(server: Server) -> Iterator[None]:
    """What is sent from a form stays where it is: its default folder is not a test's."""
    server.call("PATCH", "/work_pools/ilpix-process", is_paused=True)
    yield
    server.call("PATCH", "/work_pools/ilpix-process", is_paused=False)


@pytest.fixture(scope="module")
def pictures(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures of the pages go: the folder of --pictures, else nowhere that stays."""
    return request.config.getoption("--pictures") or tmp_path_factory.mktemp("pictures")


def open_artifact(server: Server, run: str, key: str, page: Page, size: tuple[int, int]) -> None:
    found = server.artifacts([subflow["id"] for subflow in server.subflows(run)])
    page.open(f"{server.address}/artifacts/artifact/{found[key]['id']}", *size)


def test_the_previews_of_a_run_are_really_shown(
    server: Server, classified: tuple[Path, str], page: Page, pictures: Path
) -> None:
    open_artifact(server, classified[1], "run-previews", page, (1240, 820))
    width = page.wait_for("[...document.images].find(i => i.src.startsWith('data:'))?.naturalWidth")
    assert width == 4 * 240
    page.picture(pictures / "previews.png")


def test_the_images_of_a_run_are_a_table(
    server: Server, classified: tuple[Path, str], page: Page, pictures: Path
) -> None:
    open_artifact(server, classified[1], "run-images", page, (1280, 560))
    page.wait_for("document.body.innerText.includes('region_5')")
    assert page.evaluate("document.querySelectorAll('tbody tr').length") == 5
    last = "[...document.querySelectorAll('th')].find(h => h.innerText.includes('uncertainty'))"
    assert page.evaluate(f"{last}.getBoundingClientRect().right") <= 1280
    page.picture(pictures / "images.png")


def test_the_report_shows_every_image_beside_its_classes(
    classified: tuple[Path, str], page: Page, pictures: Path
) -> None:
    page.open((classified[0] / "ilpix_report" / "index.html").as_uri(), 1280, 860)
    page.wait_for("document.readyState == 'complete'")
    page.evaluate("document.getElementById('images').scrollIntoView()")
    shown = "[...document.images].filter(i => i.complete && i.naturalWidth).length"
    assert page.wait_for(f"{shown} == document.images.length && {shown}") == 10
    page.picture(pictures / "demo.png")


def test_the_images_of_the_report_are_found_sorted_and_opened(
    classified: tuple[Path, str], page: Page
) -> None:
    page.open((classified[0] / "ilpix_report" / "index.html").as_uri(), 1280, 860)
    page.wait_for("document.readyState == 'complete' && document.querySelector('.card') !== null")
    names = "[...document.querySelectorAll('.card')].map(c => c.dataset.name).join()"
    choose = "(id, value) => { const e = document.getElementById(id); e.value = value;"
    choose = f"({choose} e.dispatchEvent(new Event('input')); }})"
    page.evaluate(f"{choose}('find', 'REGION_3')")
    assert page.evaluate(names) == "region_3"
    page.evaluate(f"{choose}('find', '')")
    page.evaluate(f"{choose}('sort', '0')")
    areas = "[...document.querySelectorAll('.card')].map(c => +c.dataset.areas.split(',')[0])"
    found = page.evaluate(areas)
    assert found == sorted(found, reverse=True)
    page.evaluate("document.querySelector('.frame').click()")
    page.wait_for(
        "document.getElementById('viewer').open && document.getElementById('busy').hidden"
    )
    cut = "document.getElementById('over').style.clipPath"
    before = page.evaluate(cut)
    page.evaluate(f"{choose}('divide', '90')")
    assert page.evaluate(cut) != before
    zoom = "parseInt(document.getElementById('zoom').textContent)"
    fitted = page.evaluate(zoom)
    page.evaluate("document.getElementById('in').click()")
    assert page.evaluate(zoom) > fitted
    title = page.evaluate("document.getElementById('title').textContent")
    page.evaluate("document.getElementById('next').click()")
    assert page.evaluate("document.getElementById('title').textContent") != title


def test_a_suspended_run_says_how_to_train_and_asks_how_to_go_on(
    server: Server, page: Page, pictures: Path
) -> None:
    with TemporaryDirectory(prefix="tissue-") as folder:
        write_example(Path(folder))
        run = server.start("classify/classify", {"data_dir": folder, "preparing": PREPARING})
        assert server.wait_for_end(run) == "PAUSED"
        page.open(f"{server.address}/runs/flow-run/{run}", 1100, 800)
        form = "document.body.innerText.includes('Other project (Optional)')"
        page.wait_for(f"{form} || {button('Resume')}?.click()")
        assert f"{folder}/pixel_classifier.ilp" in page.evaluate("document.body.innerText")
        page.picture(pictures / "form-resume.png")


def test_a_suspended_run_goes_on_when_a_person_has_labelled_in_the_browser(
    server: Server, page: Page
) -> None:
    """From images to probabilities without Ilastik: paint, save, and the run completes."""
    with TemporaryDirectory(prefix="tissue-") as folder:
        write_example(Path(folder))
        parameters = {
            "data_dir": folder,
            "preparing": {**PREPARING, "cropsize": 160},
            "predicting": {"engine": "embedded"},
        }
        run = server.start("classify/classify", parameters)
        assert server.wait_for_end(run) == "PAUSED"
        told = server.artifacts([run])["classify-training"]["data"]
        assert f"ilpix annotate -C {folder}" in told
        with annotating(Path(folder), PREFECT_API_URL=f"{server.address}/api") as labelling:
            screen = Screen(page)
            screen.open(labelling.address)
            screen.stroke(1, (20.5, 20.5), (60.5, 20.5))
            screen.stroke(2, (20.5, 90.5), (60.5, 90.5))
            screen.wait_for_prediction()
            screen.push_text("Save and continue the run")
            assert server.wait_for_end(run, answered="training-1") == "COMPLETED"
            page.wait_for("document.getElementById('notices').innerText.includes('goes on')")
        assert len(list(Path(folder, "ilastik_probabilities").glob("*.tiff"))) == 5


def button(label: str) -> str:
    """A button of the page, in JavaScript."""
    return f"[...document.querySelectorAll('button')].find(b => b.innerText.trim() == '{label}')"


@pytest.mark.parametrize(
    ("name", "last_field", "height"),
    [
        ("prepare/prepare", "Crops", 2350),
        ("classify/classify", "Where nobody has trained", 4700),
    ],
)
@pytest.mark.usefixtures("idle_worker")
def test_a_form_can_be_sent_as_it_is(
    server: Server, page: Page, pictures: Path, name: str, last_field: str, height: int
) -> None:
    """An empty field is sent as nothing or as null: the server takes both."""
    before = {run["id"] for run in server.filter("flow_runs", limit=200)}
    form = f"{server.address}/deployments/deployment/{server.deployment(name)['id']}/run"
    answers = f"['{SENT}', '{BUSY}'].find(text => document.body.innerText.includes(text))"

    def is_taken() -> bool:
        page.open(form, 900, height)
        page.wait_for(f"document.body.innerText.includes('{last_field} (Optional)')")
        assert "Property is type" not in page.evaluate("document.body.innerText")
        page.picture(pictures / f"form-{Path(name).stem}.png")
        page.evaluate(f"{button('Submit')}.click()")
        return bool(page.wait_for(answers) == SENT)  # or its database was busy (503)

    wait_until(is_taken, f"the form of {name} is not taken")
    sent = {run["id"] for run in server.filter("flow_runs", limit=200)} - before
    assert len(sent) == 1
    server.call("DELETE", f"/flow_runs/{sent.pop()}")
