import numpy as np
from numpy.typing import NDArray

def add(
    counts: NDArray[np.int64],
    changed: NDArray[np.uint8],
    rows: NDArray[np.int64],
    offsets: NDArray[np.int64],
    amounts: NDArray[np.int64],
) -> None: ...
