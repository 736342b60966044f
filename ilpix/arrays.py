"""The kinds of arrays that travel between modules; their axes are in each docstring."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
LabelImage = NDArray[np.uint8]  # (Y, X): 0 where nothing is labelled, 1 the project's first class
