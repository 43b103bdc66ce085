"""What happens before the first event: the clients are created, the model is downloaded and loaded.

Most imports are inside the functions: they run after the garbage collector is turned off, and the proxy's bundle does
not contain all of these modules.
"""

import gc
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .environment import Environment

if TYPE_CHECKING:
    from .endpoint_predictor import EndpointPredictor
    from .local_predictor import LocalPredictor
    from .processor import Processor

DENIED_SECONDS = 30
"""How long reading the model is tried while it is denied: a deployment starts functions seconds after it has written
their permissions, which IAM takes seconds to spread. Longer than the 10 s that Lambda gives INIT before an invocation,
which runs INIT again with the function's time-out; SnapStart's may take 130 s.
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html"""


def start_local(environ: Mapping[str, str]) -> "Processor[LocalPredictor]":
    """A processor with the model in this process.

    The model is downloaded in the background while numpy and onnxruntime are imported, because only the download waits
    for the network. Importing and loading in the background as well takes longer, as Python runs one thread at a time:
    542 against 442 ms, medians of 20 cold starts each, with an S3 that answers after 40 ms.

    Raises:
        RuntimeError: a variable is missing; it is named.
        ValueError: a limit is not a number above 0.
        ModelError: the model's contract is incomplete or wrong, or it is not the one of MODEL_SHA256.
    """
    environment = Environment.read(environ, "MODEL_S3_URI")
    gc.disable()  # what is allocated here is never freed: collecting it takes 9 % of a cold start
    from .clients import create_client

    s3 = create_client("s3")
    with ThreadPoolExecutor(max_workers=1) as background:
        source = background.submit(_model_source, environment.model_s3_uri, s3)
        from .inputs import KINDS
        from .local_predictor import LocalPredictor
        from .model import Model, ModelError

        if kind := KINDS.get(environ.get("INPUT_KIND", "")):
            kind.prepare()
        store = _store(environment)
        model = Model.load(source.result())
    if (expected := environ.get("MODEL_SHA256", model.sha256)) != model.sha256:
        raise ModelError(
            f"The model {environment.model_s3_uri} has the SHA-256 {model.sha256}, but the deployed one has {expected}."
        )
    model.contract.input.prepare()  # where the variable does not tell
    limits = model.contract.input.limits.from_environment(environ)
    predictor = LocalPredictor(s3=s3, model=model, limits=limits, results_bucket=environment.results_bucket)
    return _processor(environment, predictor, store)


def start_proxy(environ: Mapping[str, str]) -> "Processor[EndpointPredictor]":
    """A processor that invokes the model in a SageMaker endpoint; imports no numpy.

    Raises:
        RuntimeError: a variable is missing; it is named.
    """
    environment = Environment.read(environ, "ENDPOINT_NAME")
    gc.disable()
    from .clients import create_client
    from .endpoint_predictor import EndpointPredictor

    predictor = EndpointPredictor(runtime=create_client("sagemaker-runtime"), endpoint_name=environment.endpoint_name)
    return _processor(environment, predictor, _store(environment))


def _processor(environment: Environment, predictor: Any, store: Any) -> "Processor[Any]":
    from .processor import Processor

    gc.enable()
    gc.freeze()
    return Processor(environment=environment, predictor=predictor, store=store)


def _store(environment: Environment) -> Any:
    from .clients import create_client
    from .store import PredictionStore

    return PredictionStore(dynamodb=create_client("dynamodb"), table=environment.predictions_table)


def _model_source(uri: str, s3: Any) -> bytes | Path:
    if not uri.startswith("s3://"):
        return Path(uri)
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    body: bytes = _get_when_allowed(s3, bucket, key)["Body"].read()
    return body


def _get_when_allowed(s3: Any, bucket: str, key: str) -> Any:
    """GetObject, again and again for DENIED_SECONDS while it is denied."""
    from botocore.exceptions import ClientError

    deadline = time.monotonic() + DENIED_SECONDS
    while True:
        try:
            return s3.get_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] != "AccessDenied" or time.monotonic() > deadline:
                raise
        time.sleep(1)
