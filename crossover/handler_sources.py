"""What runs in Lambda, for what prepares it: lambda_src/inference, imported from the sources under another name.

Under its own name it would be among the modules of the app that uses the constructs, and could be taken for one of the
app's own.
"""

import importlib
import importlib.util
import sys
from types import ModuleType

from crossover.paths import sources

_NAME = "crossover._inference"


def inference(module: str) -> ModuleType:
    """A module of lambda_src/inference, such as `model` or `inputs`; the decoders are not imported."""
    if _NAME not in sys.modules:
        path = sources() / "lambda_src/inference/__init__.py"
        spec = importlib.util.spec_from_file_location(_NAME, path, submodule_search_locations=[str(path.parent)])
        assert spec and spec.loader
        package = importlib.util.module_from_spec(spec)
        sys.modules[_NAME] = package
        spec.loader.exec_module(package)
    return importlib.import_module(f"{_NAME}.{module}")
