"""The page of a report in a real browser, with as many images as a study has."""

import shutil
from collections.abc import Iterator

import pytest

from flows.looking import look_at_images
from flows.options import RunOptions
from flows.run import run
from flows.running.outcomes import Outcome
from flows.running.verb_run import VerbRun
from flows.settings import Settings
from flows.showing.pictures import Result
from flows.showing.report import write_report
from ilpix.project.reading import read_project
from tests.deployments.browser import CHROMIUM, Page, browsing
from tests.flows.trained_folders import make_trained

N_IMAGES = 500
WIDTHS = (1280, 800)
LONG_NAME = "20210305_study_of_tissue_with_a_name_that_is_longer_than_any_line_region_of_interest"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is not installed"),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of 500 images with the same pixels, and of one that failed; moved after that."""
    folder = tmp_path_factory.mktemp("made") / "a study"
    make_trained(folder)
    (first, *_) = run(folder)
    source = Result(folder / "ilastik_img" / "region_1.h5", first)
    verb_run = VerbRun("run", folder, Settings(), notes={"engine": "embedded"})
    names = [f"{LONG_NAME}_{number:03d}" for number in range(N_IMAGES)]
    facts = {"areas": [0.2, 0.3, 0.5], "shape": [220, 260]}
    step = "predict-image"
    verb_run.outcomes = [
        Outcome(image=name, step=step, state="kept", facts=facts) for name in names
    ]
    verb_run.fail(LONG_NAME, ValueError(f"ilastik_img/{LONG_NAME}.h5 is broken; copy it again"))
    project = read_project(folder / "pixel_classifier.ilp")
    look = look_at_images(verb_run, project, [source.image])
    write_report(verb_run, project, look, dict.fromkeys(names, source), RunOptions())
    elsewhere = tmp_path_factory.mktemp("stick") / "ilpix report"
    shutil.move(folder / "ilpix_report", elsewhere)
    return (elsewhere / "index.html").as_uri()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browsing(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def page(browser: Page, address: str) -> Page:
    browser.open("about:blank")
    browser.problems.clear()
    browser.open(address, 1280, 860)
    browser.wait_for(f"document.querySelectorAll('.card').length == {N_IMAGES}")
    browser.wait_for("document.readyState == 'complete'")
    return browser


def open_first(page: Page) -> None:
    page.evaluate("document.querySelector('.frame').click()")
    page.wait_for("document.getElementById('busy').hidden && document.getElementById('zoom').value")


def names(page: Page) -> list[str]:
    return str(
        page.evaluate("[...document.querySelectorAll('.card')].map(c => c.dataset.name).join()")
    ).split(",")


def choose(page: Page, control: str, value: str) -> None:
    page.evaluate(
        f"(e => {{ e.value = '{value}'; e.dispatchEvent(new Event('input')); }})"
        f"(document.getElementById('{control}'))"
    )


def test_of_many_images_only_those_that_are_looked_at_are_loaded(page: Page) -> None:
    loaded = "[...document.images].filter(i => i.complete && i.naturalWidth).length"
    assert 0 < page.wait_for(loaded) < N_IMAGES // 2
    last = "document.querySelector('.card:last-child')"
    page.evaluate(f"{last}.scrollIntoView()")
    assert page.wait_for(f"{last}.querySelector('img').naturalWidth")


def test_everything_comes_from_beside_the_page_wherever_it_lies(page: Page) -> None:
    open_first(page)
    folder = page.evaluate("document.baseURI.replace(/index.html$/, '')")
    sources = "[...document.querySelectorAll('[src], link')].map(e => e.src || e.href)"
    found = page.evaluate(f"{sources}.filter(source => !source.startsWith('data:'))")
    assert len(found) > 2 * N_IMAGES
    assert [source for source in found if not source.startswith(folder)] == []
    assert page.problems == []


def test_many_images_are_found_and_gone_through_with_keys(page: Page) -> None:
    choose(page, "find", "INTEREST_49")
    assert names(page) == [f"{LONG_NAME}_{number}" for number in range(490, 500)]
    open_first(page)
    title = "document.getElementById('title').textContent"
    assert page.evaluate(title) == f"{LONG_NAME}_490"
    page.press("ArrowRight")
    page.wait_for(f"{title} == '{LONG_NAME}_491'")
    for _ in range(2):
        page.press("ArrowLeft")
    page.wait_for(f"{title} == '{LONG_NAME}_499'")
    page.press("Escape")
    page.wait_for("!document.getElementById('viewer').open")


def test_the_line_between_image_and_result_is_dragged_and_the_image_zoomed(page: Page) -> None:
    open_first(page)
    at = page.evaluate("document.getElementById('line').getBoundingClientRect().x + 13")
    page.drag([(at, 300), (at + 150, 300)])
    divide = float(page.evaluate("document.getElementById('divide').value"))
    width = page.evaluate("document.getElementById('stage').clientWidth")
    assert divide == pytest.approx(100 * (at + 150) / width, abs=1)
    zoom = "parseInt(document.getElementById('zoom').textContent)"
    before = page.evaluate(zoom)
    page.wheel(400, 300, -300)
    assert page.wait_for(f"{zoom} > {before}")


@pytest.mark.parametrize("width", WIDTHS)
def test_no_word_is_cut_off(page: Page, address: str, width: int) -> None:
    page.open(address, width, 860)
    page.wait_for(f"document.readyState == 'complete' && innerWidth == {width}")
    cut = (
        "[...document.querySelectorAll('body *')].filter(e => e.offsetParent && e.clientWidth"
        " && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX != 'visible')"
        ".map(e => e.outerHTML.slice(0, 80))"
    )
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate(cut) == []
    open_first(page)
    assert page.evaluate(f"{cut}.filter(text => !text.includes('id=\"stage\"'))") == []


def test_whoever_sees_no_pictures_or_other_colours_is_served(page: Page) -> None:
    assert page.evaluate("[...document.images].filter(i => !i.alt).length") == 0
    unnamed = "svg:not([aria-label]), button:not([aria-label]):empty, canvas:not([id])"
    assert page.evaluate(f"document.querySelectorAll('{unnamed}').length") == 0
    page.evaluate("document.getElementById('palette').click()")
    usual = "[...document.querySelectorAll('img.result')].filter(i => !i.src.includes('-safe.png'))"
    assert page.evaluate(f"{usual}.length") == 0
    first = "getComputedStyle(document.querySelector('.bar i')).backgroundColor"
    assert page.evaluate(first) == "rgb(230, 159, 0)"
    page.evaluate("document.getElementById('palette').click()")


def test_light_and_dark_at_a_click(page: Page) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(ground)
    page.evaluate("document.getElementById('theme').click()")
    assert page.evaluate(ground) != before
    page.evaluate("document.getElementById('theme').click()")
    assert page.evaluate(ground) == before
