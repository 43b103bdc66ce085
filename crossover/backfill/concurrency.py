"""How many objects a job predicts at once, which only the function's reserved concurrency bounds.

S3 Batch Operations has no setting for it, and invokes the function itself, past an upload queue.
"""

from crossover.aws import Clients
from crossover.deployed import Variant

SMALL_JOB = 500
"""Objects that one endpoint of two vCPUs predicts, at the cost model's 0.02 CPU-s, well within the 20 s that its
proxies wait for it, even if they all come at once."""


def reserved_concurrency(clients: Clients, variant: Variant) -> int | None:
    """What the function has reserved; None for nothing."""
    answer = clients("lambda").get_function_concurrency(FunctionName=variant.function)
    reserved: int | None = answer.get("ReservedConcurrentExecutions")
    return reserved


def warning(variant: Variant, reserved: int | None, objects: int | None) -> str:
    """What a job endangers, or that it cannot run; empty where it is small.

    Args:
        variant: whose function it invokes.
        reserved: concurrency of the function.
        objects: that the job predicts; None where they were not counted to the end.
    """
    if reserved == 0:
        return (
            f"{variant.function} has a reserved concurrency of 0, so nothing can invoke it; raise or remove it first."
        )
    if objects is not None and objects <= SMALL_JOB:
        return ""
    if reserved:
        throttled = "five times" if variant.upload_queue else "for six hours"
        return (
            f"The job shares the {reserved:,} reserved invocations of {variant.function} with the uploads: one that is "
            f"throttled {throttled} becomes a dead letter, which `crossover deadletters redrive` sends again after the "
            "job."
        )
    past = ", past the upload queue and its max_concurrency" if variant.upload_queue else ""
    begun = (
        f"The job invokes {variant.function} itself{past}, and nothing bounds how often at once, as the function has "
        "no reserved concurrency."
    )
    advice = (
        "Deploy with reserved_concurrency for as long as the job runs, or predict in parts of about "
        f"{SMALL_JOB} objects: by --key-prefix, or by day with --from and --to."
    )
    if variant.endpoint:
        return (
            f"{begun} An endpoint refuses what is too much: the function then waits for up to 20 s, which is billed "
            f"and not in the price, and uploads that come meanwhile may become dead letters. {advice}"
        )
    if variant.upload_queue:
        return f"{begun} What max_concurrency is to protect is not protected from it. {advice}"
    return f"{begun} It takes from the account's concurrency, which uploads and other functions need too."
