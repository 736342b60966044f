"""The names of everything in a data directory: steinbock's files, and ours beside them."""

from pathlib import Path

RAW = Path("raw")  # MCD, TXT and ZIP files of imaging mass cytometry
IMAGE_TABLE = Path("images.csv")  # what each image was made from
IMAGES = Path("img")  # the images, (C, Y, X)
PANEL = Path("panel.csv")  # a row per channel, in the order of the channels
PREPARED = Path("ilastik_img")  # the images as Ilastik sees them: HDF5, float32, (C, Y, X)
CROPS = Path("ilastik_crops")  # parts of the prepared images, to label; likewise
PROJECT = Path("pixel_classifier.ilp")  # the Ilastik project: classes, labels, features, forests
PROBABILITIES = Path("ilastik_probabilities")  # (Y, X, K) TIFF images of K classes
CLASSES = Path("ilastik_classes")  # on request: the most probable class of each pixel, (Y, X)
UNCERTAINTY = Path("ilastik_uncertainty")  # on request, (Y, X)
ENTROPY = Path("ilastik_entropy")  # on request, (Y, X)

MANIFEST = Path("ilpix_run.json")  # how everything was made
REPORT = Path("ilpix_report")  # what people look at
REPORT_PAGE = REPORT / "index.html"  # the report: previews, channels, quality, what failed
PICTURES = REPORT / "pictures"  # each image and its classes, for the page
TRAINING_REPORT = REPORT / "training"  # how good the classifier is, and a choice of features
QUALITY = TRAINING_REPORT / "quality.md"  # how good the classifier is, in words

WORKSPACE = Path(".ilpix")  # private; in the data directory, so that a copy keeps its cache
RECORDS = "results"  # in it: what was finished, under its cache key
RUNS = "runs"  # in it: locks of running containers
LOGS = "logs"  # in it: what Ilastik said about each image
TAKEN = "taken"  # in it: the project of the last run
LOCK = "lock"  # in it: what keeps runs apart
JOBS = "jobs"  # in it: the keys of the jobs of a cluster; in the logs: what jobs said
