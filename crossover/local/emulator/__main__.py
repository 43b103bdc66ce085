"""The emulator's process: ministack, with everything in place that this project needs beyond it."""

import argparse
import sys
import tempfile
import threading
from pathlib import Path

from ministack import app

from crossover.local.emulator.cloudformation import (
    end_processes_of_what_is_deleted,
    fail_like_aws,
    keep_bucket_tags,
    keep_reserved_concurrency,
)
from crossover.local.emulator.events import Events, invoke_from_s3
from crossover.local.emulator.front import stand_in_front
from crossover.local.emulator.functions import run_python_in_awslambdaric
from crossover.local.emulator.guard import end_with_the_parent, guard_the_group
from crossover.local.emulator.records import keep_alarms_of_metric_math, keep_records
from crossover.local.emulator.sagemaker import SageMaker


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assembly", type=Path, required=True, help="the cloud assembly that is deployed")
    parser.add_argument("--logs", type=Path, required=True, help="folder of the containers' logs")
    parser.add_argument("--container-python", required=True, help="the interpreter that stands for the image's")
    options = parser.parse_args()
    guard_the_group()
    threading.Thread(target=end_with_the_parent, daemon=True).start()
    run_python_in_awslambdaric(Path(tempfile.gettempdir(), "bootstrap"))
    invoke_from_s3()
    events = Events()
    events.install()
    fail_like_aws()
    end_processes_of_what_is_deleted()
    keep_bucket_tags()
    keep_reserved_concurrency()
    keep_alarms_of_metric_math()
    keep_records()
    sagemaker = SageMaker(assembly=options.assembly, logs=options.logs, python=options.container_python)
    sagemaker.install()
    stand_in_front(sagemaker, events)
    sys.argv = sys.argv[:1]  # ministack reads its own arguments from here
    app.main()


if __name__ == "__main__":
    main()
