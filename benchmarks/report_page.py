"""How soon the report of many images is open in Chromium, and how smoothly it scrolls.

    python -m benchmarks.report_page

500 images of 1000 × 1000 px and 6 channels, which have the pixels of one; medians of 5. Scrolled is
from the top to the bottom within 2 s, a step each time that the browser asks for a frame.
"""

import os
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.report import FEATURES, LABELS, predict, report, write_folder
from flows import RunOptions
from flows.looking import look_at_images
from flows.running.outcomes import Outcome
from flows.running.verb_run import VerbRun
from flows.settings import Settings
from flows.showing.pictures import Result, picture_files
from flows.showing.report import write_report
from ilpix.data_directory import PREPARED, PROBABILITIES, PROJECT, REPORT, REPORT_PAGE
from ilpix.prediction.probabilities import class_areas
from ilpix.project.reading import read_project
from ilpix.training.feature_table import choose_features
from ilpix.training.storing import train
from tests.deployments.browser import Page, browsing

N_IMAGES, REPEATS = 500, 5
SCROLL = """new Promise(done => {
  const begun = performance.now(), times = [];
  const step = (now) => {
    times.push(now);
    const part = Math.min(1, (now - begun) / 2000);
    scrollTo(0, part * document.documentElement.scrollHeight);
    if (part < 1) return requestAnimationFrame(step);
    const waits = times.slice(1).map((time, index) => time - times[index]);
    done([1000 * waits.length / (times.at(-1) - times[0]), Math.max(...waits)]);
  };
  requestAnimationFrame(step);
})"""


def main() -> None:
    with TemporaryDirectory() as place, TemporaryDirectory() as profile:
        folder = Path(place)
        write_folder(folder)
        write_page(folder)
        size = sum(path.stat().st_size for path in (folder / REPORT).glob("*.*"))
        with browsing(Path(profile)) as page:
            found = [measure(page, (folder / REPORT_PAGE).as_uri()) for _ in range(REPEATS)]
    loaded, seen, frames, longest = (median(values) for values in zip(*found, strict=True))
    print(f"\n{N_IMAGES} images, page, style and scripts {size / 1e6:.1f} MB")
    print(f"loaded after {loaded:.2f} s, all pictures of the screen after {seen:.2f} s")
    print(f"scrolling: {frames:.0f} frames a second, the longest {longest:.0f} ms")


def write_page(folder: Path) -> None:
    """Draw one image; the others' pictures are the same files."""
    train(folder / PROJECT, choose_features(FEATURES[-1]), folder / LABELS, seed=1)
    run, project = (
        VerbRun("run", folder, Settings(), notes={"engine": ""}),
        read_project(folder / PROJECT),
    )
    (folder / PROBABILITIES).mkdir()
    only = Result(folder / PREPARED / "0.h5", folder / PROBABILITIES / "0.tiff")
    predict(run, project, {"0": only})
    report(run, project, {"0": only})
    names = [f"patient_{number // 10}_region_{number % 10}" for number in range(N_IMAGES)]
    facts = class_areas(only.probabilities)
    run.outcomes = [
        Outcome(image=name, step="predict-image", state="done", facts=facts) for name in names
    ]
    drawn = picture_files(run, "0")
    for path in sorted(drawn.folder.iterdir()):
        for name in names:
            os.link(path, drawn.folder / f"{name}{path.name.removeprefix('0')}")
    look = look_at_images(run, project, [only.image])
    write_report(run, project, look, dict.fromkeys(names, only), RunOptions())


def measure(page: Page, address: str) -> tuple[float, float, float, float]:
    page.open("about:blank", 1280, 860)
    page.open(address, 1280, 860)
    page.wait_for("document.readyState == 'complete'")
    loaded = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
    missing = "[...document.images].filter(i => i.getBoundingClientRect().top < innerHeight)"
    page.wait_for(f"!{missing}.some(i => !i.naturalWidth)")
    seen = page.evaluate("performance.now()")
    frames, longest = page.evaluate(SCROLL)
    return loaded / 1000, seen / 1000, frames, longest


if __name__ == "__main__":
    main()
