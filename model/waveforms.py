"""YAMNet's scores for a waveform, without the choice of the best labels."""

import numpy as np
import numpy.typing as npt

from inference.model import Model


def scores(model: Model, samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """float32 [samples], mono, 16 kHz -> float32 [521]."""
    (result,) = model.run([{"waveform": samples}])
    return np.asarray(result["scores"])
