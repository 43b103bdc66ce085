"""The REPORT line that ends the log of an invocation, as Lambda writes it."""

import math
from collections.abc import Mapping

BILLED = ("Duration", "Init Duration", "Billed Restore Duration")


def report_line(request_id: str, memory_mb: int, times: Mapping[str, float], peak_mb: int) -> str:
    """The REPORT line; the billed duration is the sum of what the line shows, rounded up to the next ms.

    https://docs.aws.amazon.com/lambda/latest/dg/snapstart-monitoring.html and, on INIT being part of what is billed,
    https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase

    Args:
        memory_mb: of the function.
        times: durations, ms, by their names in the line: Duration, and those of INIT or restore.
        peak_mb: peak memory of the environment.
    """
    shown = {name: round(time, 2) for name, time in times.items()}
    billed = sum(shown.get(name, 0.0) for name in BILLED)
    parts = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {shown['Duration']:.2f} ms",
        f"Billed Duration: {math.ceil(billed)} ms",
        f"Memory Size: {memory_mb} MB",
        f"Max Memory Used: {peak_mb} MB",
    ]
    parts += [f"{name}: {shown[name]:.2f} ms" for name in ("Init Duration", "Restore Duration") if name in shown]
    if "Billed Restore Duration" in shown:
        parts.append(f"Billed Restore Duration: {math.ceil(shown['Billed Restore Duration'])} ms")
    return "\t".join(parts) + "\t"
