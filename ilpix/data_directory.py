"""The names of everything in a data directory: steinbock's files, and ours beside them."""

from pathlib import Path

RAW = Path("raw")  # MCD, TXT and ZIP files of imaging mass cytometry
IMAGE_TABLE = Path("images.csv")  # what each image was made from
IMAGES = Path("img")  # (C, Y, X) TIFF images
PANEL = Path("panel.csv")
PREPARED = Path("ilastik_img")  # HDF5, as Ilastik sees the images
CROPS = Path("ilastik_crops")  # HDF5, to label
PROJECT = Path("pixel_classifier.ilp")
PROBABILITIES = Path("ilastik_probabilities")  # (Y, X, K) TIFF images
CLASSES = Path("ilastik_classes")  # on request, as the next two: (Y, X) images
UNCERTAINTY = Path("ilastik_uncertainty")
ENTROPY = Path("ilastik_entropy")

MANIFEST = Path("ilpix_run.json")  # how everything was made
REPORT = Path("ilpix_report")
REPORT_PAGE = REPORT / "index.html"
PREVIEWS = REPORT / "previews"
TRAINING_REPORT = REPORT / "training"

WORKSPACE = Path(".ilpix")  # private; in the data directory, so that a copy keeps its cache
RECORDS, RUNS, LOGS = "results", "runs", "logs"  # in it: finished tasks, running containers, logs
TAKEN, LOCK = "taken", "lock"  # the project of the last run, and what keeps runs apart
