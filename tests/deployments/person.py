"""What a person does while a run waits: label and train in a FOLDER."""

import sys
from pathlib import Path

from command.demo import CROPSIZE, LABELS, SEED, write_labels_of_a_person
from flows.options import PrepareOptions
from ilpix.training.feature_table import choose_features
from ilpix.training.storing import train

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    write_labels_of_a_person(folder, PrepareOptions(cropsize=CROPSIZE, seed=SEED))
    project = folder / "pixel_classifier.ilp"
    train(project, choose_features("fast"), folder / LABELS, seed=SEED)
