"""How soon a stroke is answered on the screen, beside the same loop of vigra's steps.

A page in Chromium, a project of five crops with 1 000 labelled pixels, 4 channels, the default
features: measured is the time from the end of a stroke to the new prediction on the screen, at
once (the first trees) and in the end (all of them). Beside it the steps that real Ilastik takes,
done with vigra in two threads: features of the labelled block of the crop, `learnRF` with 100
trees, prediction of the crop whose features are there.

    python -m benchmarks.annotate [--strokes N] [--many]

Run it on an idle machine; it needs chromium, and vigra on the machine's own Python. `--many`
opens 50 crops, and repeats the first case with 300 crops in the project.
"""

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.labelled_crops import (
    CLASSES,
    VIGRA_BANK,
    labelled_crops,
    write_arrays,
)
from ilpix.data_directory import PROJECT
from tests.annotation.screen import Screen, annotating
from tests.deployments.browser import browsing

SYSTEM_PYTHON = "/usr/bin/python3"

VIGRA_LOOP = f"""
import json, sys, time
from concurrent.futures import ThreadPoolExecutor
import numpy, vigra
folder, strokes = sys.argv[1], int(sys.argv[2])
images, drawn = numpy.load(folder + "/images.npy"), numpy.load(folder + "/labels.npy")
{VIGRA_BANK}def learn(seed):
    forest = vigra.learning.RandomForest(treeCount=50)
    forest.learnRF(features, labels[:, None], randomSeed=seed)
    return forest
banks = [bank(image).astype(numpy.float32) for image in images]
features = numpy.concatenate([b[d.ravel() > 0] for b, d in zip(banks, drawn)])
labels = drawn[drawn > 0].astype(numpy.uint32)
whole, block = banks[0], images[0][:, :64, :64]
halves = numpy.array_split(whole, 2)
seconds = []
for _ in range(strokes):
    start = time.perf_counter()
    bank(block)
    with ThreadPoolExecutor(2) as pool:
        forests = list(pool.map(learn, (1, 2)))
        predict = lambda half: sum(f.predictProbabilities(half) for f in forests)
        list(pool.map(predict, halves))
    seconds.append(time.perf_counter() - start)
print(json.dumps(seconds))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--strokes", type=int, default=9)
    parser.add_argument("--many", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as profile, browsing(Path(profile)) as page:
        screen = Screen(page)
        for edge, n_crops in ((256, 5), (512, 5), *(((256, 300),) if arguments.many else ())):
            measure_case(screen, edge, n_crops, arguments.strokes)
        if arguments.many:
            measure_opening(screen)


def measure_case(screen: Screen, edge: int, n_crops: int, strokes: int) -> None:
    with labelled_crops(edge, n_crops) as folder, annotating(folder) as server:
        screen.open(server.address)
        screen.wait_for_prediction()
        screen.page.wait_for("document.getElementById('quality').innerText.includes('%')", 300)
        first, final = zip(*(time_stroke(screen, number) for number in range(strokes)), strict=True)
        vigra = vigra_loop(folder / PROJECT, strokes)
        frames = frames_while_predicting(screen)
    print(f"{edge}² px, {n_crops} crops, {strokes} strokes:")
    print(
        f"  first trees on the screen after {median(first):.2f} s, all after {median(final):.2f} s"
    )
    times = median(vigra) / median(final)
    print(f"  the steps of Ilastik with vigra {median(vigra):.2f} s, {times:.1f} times as long")
    print(f"  while painting and predicting {frames:.0f} frames a second", flush=True)


TIMED = """
(async () => {
  const {store, on} = await import('/page/store.js');
  globalThis.times = {};
  on('prediction', () => {
    const seen = store.prediction;
    if (!seen || seen.revision < store.revision) return;
    requestAnimationFrame(() => requestAnimationFrame(() => {
      globalThis.times.first ??= performance.now();
      if (seen.is_final) globalThis.times.final ??= performance.now();
    }));
  });
})()
"""


def time_stroke(screen: Screen, number: int) -> tuple[float, float]:
    """Paint, and return the seconds to the first and to the last prediction on the screen."""
    page = screen.page
    if number == 0:
        page.evaluate(TIMED)
    page.evaluate("globalThis.times = {}; performance.clearMarks()")
    y = 20.5 + 8 * number
    screen.stroke(1 + number % CLASSES, (30.5, y), (36.5, y))
    page.wait_for("globalThis.times.final")
    ended = "performance.getEntriesByName('stroke-end').at(-1).startTime"
    first, final = page.evaluate(f"[times.first - {ended}, times.final - {ended}]")
    page.wait_for("document.body.dataset.prediction === document.body.dataset.kept")
    return first / 1000, final / 1000


def frames_while_predicting(screen: Screen) -> float:
    """Draw a long stroke while the forest of the last one grows; return frames a second."""
    page = screen.page
    screen.stroke(1, (30.5, 130.5), (60.5, 130.5))
    page.evaluate(
        "globalThis.frames = 0; globalThis.counts = true;"
        "(function f() { frames++; if (counts) requestAnimationFrame(f) })()"
    )
    began = time.perf_counter()
    screen.page.drag([screen.at(20 + i / 4, 140.5) for i in range(400)])
    page.evaluate("globalThis.counts = false")
    return float(page.evaluate("frames")) / (time.perf_counter() - began)


def vigra_loop(project: Path, strokes: int) -> list[float]:
    """Seconds of each turn of Ilastik's steps, with vigra, on the same crops and labels."""
    with tempfile.TemporaryDirectory() as name:
        write_arrays(project, Path(name))
        program = [SYSTEM_PYTHON, "-c", VIGRA_LOOP, name, str(strokes)]
        answer = subprocess.run(program, capture_output=True, text=True, check=True).stdout
    return list(json.loads(answer))


def measure_opening(screen: Screen) -> None:
    with labelled_crops(512, 50) as folder, annotating(folder) as server:
        began = time.perf_counter()
        screen.open(server.address)
        print(f"a project of 50 crops of 512² px is open after {time.perf_counter() - began:.2f} s")


if __name__ == "__main__":
    main()
