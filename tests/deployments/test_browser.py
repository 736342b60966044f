"""What people see: forms and previews in a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deployments.browser import CHROMIUM, Page, browsing
from tests.deployments.conftest import Server, wait_until

SENT, BUSY = "scheduled to start", "to create a flow run"  # what the page answers

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is not installed"),
]


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browsing(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def idle_worker(server: Server) -> Iterator[None]:
    """What is sent from a form stays where it is: its default folder is not a test's."""
    server.call("PATCH", "/work_pools/ilpix-process", is_paused=True)
    yield
    server.call("PATCH", "/work_pools/ilpix-process", is_paused=False)


def test_the_previews_of_a_run_are_really_shown(
    server: Server, classified: tuple[Path, str], page: Page
) -> None:
    _, run = classified
    found = server.artifacts([subflow["id"] for subflow in server.subflows(run)])
    page.open(f"{server.address}/artifacts/artifact/{found['run-previews']['id']}")
    width = page.wait_for("[...document.images].find(i => i.src.startsWith('data:'))?.naturalWidth")
    assert width == 4 * 240


def send(page: Page, form: str, last_field: str) -> bool:
    """Send a form as it is; return whether it was taken, or its database was busy (503)."""
    page.open(form)
    page.wait_for(f"document.body.innerText.includes('{last_field} (Optional)')")
    assert "Property is type" not in page.evaluate("document.body.innerText")
    submit = "[...document.querySelectorAll('button')].find(b => b.innerText.trim() == 'Submit')"
    page.evaluate(f"{submit}.click()")
    answers = f"['{SENT}', '{BUSY}'].find(text => document.body.innerText.includes(text))"
    return bool(page.wait_for(answers) == SENT)


@pytest.mark.parametrize(
    ("name", "last_field"), [("prepare/prepare", "Crops"), ("classify/classify", "if_untrained")]
)
@pytest.mark.usefixtures("idle_worker")
def test_a_form_can_be_sent_as_it_is(
    server: Server, page: Page, name: str, last_field: str
) -> None:
    """An empty field is sent as nothing or as null: the server takes both."""
    before = {run["id"] for run in server.filter("flow_runs", limit=200)}
    form = f"{server.address}/deployments/deployment/{server.deployment(name)['id']}/run"
    wait_until(lambda: send(page, form, last_field), f"the form of {name} is not taken")
    sent = {run["id"] for run in server.filter("flow_runs", limit=200)} - before
    assert len(sent) == 1
    server.call("DELETE", f"/flow_runs/{sent.pop()}")
