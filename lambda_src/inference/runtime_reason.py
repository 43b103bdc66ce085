"""What onnxruntime says of a failure, without the places in its own sources."""

import re

PLACES = (
    # "/onnxruntime_src/.../reshape_helper.h:91 onnxruntime::ReshapeHelper::ReshapeHelper(const TensorShape&, bool) "
    r"/onnxruntime_src/\S+:\d+ [^()]*\([^()]*(?:\([^()]*\)[^()]*)*\)(?: const)?(?: \[with [^\]]*\])? ",
    r"\b\w+\.(?:h|cc|cpp):\d+ \w+ ",  # "matmul_helper.h:59 Compute "
)


def without_places(reason: str) -> str:
    """The reason without files, lines and functions of onnxruntime."""
    return re.sub("|".join(PLACES), "", reason)
