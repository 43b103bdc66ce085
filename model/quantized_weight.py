"""A weight with 8 bits and its scale, as the scripts that build and check the models hand it on."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, kw_only=True)
class QuantizedWeight:
    """`values * scale` is the real weight; `scale` broadcasts against `values`."""

    values: npt.NDArray[np.int8]
    scale: npt.NDArray[np.float32]
