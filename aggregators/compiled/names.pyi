import numpy as np
from numpy.typing import NDArray

def first_places(numbers: NDArray[np.int64]) -> list[int]: ...
