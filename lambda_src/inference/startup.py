"""What happens before the first event: the clients are created, the model is downloaded and loaded.

Most imports are inside the functions: they run after the garbage collector is turned off, and the proxy's bundle does
not contain all of these modules.
"""

import gc
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inference.environment import Environment

if TYPE_CHECKING:
    from inference.endpoint_predictor import EndpointPredictor
    from inference.local_predictor import LocalPredictor
    from inference.processor import Processor


def start_local(environ: Mapping[str, str]) -> "Processor[LocalPredictor]":
    """A processor with the model in this process.

    The model is downloaded in the background while numpy and onnxruntime are imported, because only the download waits
    for the network. Importing and loading in the background as well takes longer, as Python runs one thread at a time:
    542 against 442 ms, medians of 20 cold starts each, with an S3 that answers after 40 ms.

    Raises:
        RuntimeError: a variable is missing; it is named.
        ModelError: the model's contract is incomplete or wrong.
    """
    environment = Environment.read(environ, "MODEL_S3_URI")
    gc.disable()  # what is allocated here is never freed: collecting it takes 9 % of a cold start
    from inference.clients import create_client

    s3 = create_client("s3")
    with ThreadPoolExecutor(max_workers=1) as background:
        source = background.submit(_model_source, environment.model_s3_uri, s3)
        from inference.local_predictor import LocalPredictor
        from inference.model import Model

        store = _store(environment)
        model = Model.load(source.result())
    return _processor(environment, LocalPredictor(s3=s3, model=model, limits=environment.limits), store)


def start_proxy(environ: Mapping[str, str]) -> "Processor[EndpointPredictor]":
    """A processor that invokes the model in a SageMaker endpoint; imports no numpy.

    Raises:
        RuntimeError: a variable is missing; it is named.
    """
    environment = Environment.read(environ, "ENDPOINT_NAME")
    gc.disable()
    from inference.clients import create_client
    from inference.endpoint_predictor import EndpointPredictor

    predictor = EndpointPredictor(runtime=create_client("sagemaker-runtime"), endpoint_name=environment.endpoint_name)
    return _processor(environment, predictor, _store(environment))


def _processor(environment: Environment, predictor: Any, store: Any) -> "Processor[Any]":
    from inference.processor import Processor

    gc.enable()
    gc.freeze()
    return Processor(environment=environment, predictor=predictor, store=store)


def _store(environment: Environment) -> Any:
    from inference.clients import create_client
    from inference.store import PredictionStore

    return PredictionStore(dynamodb=create_client("dynamodb"), table=environment.predictions_table)


def _model_source(uri: str, s3: Any) -> bytes | Path:
    if not uri.startswith("s3://"):
        return Path(uri)
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    body: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return body
