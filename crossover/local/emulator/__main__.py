"""The emulator's process: ministack, with everything that this project adds to it.

It ends with the process that started it, unless told to stay, and ends everything that it started.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from ministack import app

from crossover.local.emulator import cloudformation, event_source_mappings, file_systems, permissions
from crossover.local.emulator.application_scaling import ApplicationScaling
from crossover.local.emulator.batch_operations import BatchOperations
from crossover.local.emulator.codedeploy import CodeDeploy
from crossover.local.emulator.events import Events, invoke_from_eventbridge, invoke_from_s3
from crossover.local.emulator.front import install_routes
from crossover.local.emulator.functions import run_python_in_awslambdaric
from crossover.local.emulator.image_functions import ImageFunctions
from crossover.local.emulator.provisioned_concurrency import ProvisionedConcurrency
from crossover.local.emulator.registry import refuse_missing_images
from crossover.local.emulator.sagemaker import SageMaker

# Ends the emulator's process group once the emulator has ended, for any reason, and then what runs in the container
# engine: no function or container outlives it.
GUARD = """
import os, subprocess, sys
sys.stdin.read()
try:
    os.killpg(int(sys.argv[1]), 9)
finally:
    if sys.argv[2:]:
        subprocess.run([*sys.argv[2:], "clean-up"])
"""


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assembly", type=Path, required=True, help="the cloud assembly with the images' sources")
    parser.add_argument("--logs", type=Path, required=True, help="folder of the containers' logs")
    parser.add_argument("--container-python", required=True, help="the interpreter that takes the place of the image's")
    parser.add_argument("--workspace", type=Path, required=True, help="its folder")
    parser.add_argument("--engine", type=Path, help="the script that calls the container engine; processes without it")
    options = parser.parse_args()
    start_guard(options.engine)
    threading.Thread(target=end_with_parent, daemon=True).start()
    run_python_in_awslambdaric(Path(tempfile.gettempdir(), "bootstrap"))
    invoke_from_s3()
    invoke_from_eventbridge()
    events = Events()
    events.install()
    cloudformation.install()
    file_systems.install()
    refuse_missing_images()
    permissions.install()
    event_source_mappings.install()
    sagemaker = SageMaker(
        workspace=options.workspace,
        engine=options.engine,
        assembly=options.assembly,
        logs=options.logs,
        python=options.container_python,
    )
    sagemaker.install()
    images = ImageFunctions(
        workspace=options.workspace,
        engine=options.engine,
        assembly=options.assembly,
        python=options.container_python,
    )
    images.install()
    codedeploy = CodeDeploy()
    codedeploy.install()
    concurrency = ProvisionedConcurrency()
    concurrency.install()
    scaling = ApplicationScaling(concurrency)
    scaling.install()
    install_routes(sagemaker, codedeploy, BatchOperations(), scaling, events)
    sys.argv = sys.argv[:1]  # ministack reads its own arguments from here
    app.main()


def start_guard(engine: Path | None) -> None:
    """Start the guard, which reads from a pipe that only this process keeps open."""
    if os.getpgrp() != os.getpid():
        raise RuntimeError("The emulator must lead its own process group, because the guard ends the whole group.")
    read_end, _ = os.pipe()
    command = [sys.executable, "-I", "-c", GUARD, str(os.getpid()), *([str(engine)] if engine else [])]
    subprocess.Popen(command, stdin=read_end, start_new_session=True)
    os.close(read_end)


def end_with_parent() -> None:
    """End when standard input, whose other end the parent process holds, closes without the byte that lets it stay."""
    if not sys.stdin.read(1):
        os._exit(0)  # the guard ends the process group


if __name__ == "__main__":
    main()
