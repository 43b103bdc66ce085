"""What is deployed already: stacks in a state that cannot be updated, and protection that the deployment would drop."""

from collections.abc import Iterator, Mapping

from crossover.deployed import read_protection
from crossover.doctor.context import Context
from crossover.doctor.plan import Stack
from crossover.doctor.result import Check, Outcome, fails, ok, unknown, warning

ACTIONS = ("cloudformation:DescribeStacks",)
# Values that protect nothing, so that a change from them loses nothing.
WITHOUT_PROTECTION = ("false", "destroy", "aws", "public", "none")
BY_DAYS = "_days"
# What may exist already: of the settings, what it is, the output with its name, and what ends when another is used.
STORES = {
    "input_bucket": ("bucket", "InputBucketName", "what is uploaded there is no longer predicted"),
    "predictions_table": ("table", "PredictionsTableName", "no more predictions are written there"),
}


def check_states(context: Context) -> Iterator[Outcome]:
    """CloudFormation updates only a stack that is complete."""
    deployed = [stack for stack in context.plan.stacks if stack.name in context.deployed]
    problems = [problem for stack in deployed if (problem := _problem(context, stack))]
    yield from problems
    if not problems:
        names = ", ".join(stack.name for stack in deployed)
        yield ok(f"deployed, and can be updated: {names}" if names else "none is deployed yet")


def _problem(context: Context, stack: Stack) -> Outcome | None:
    name, state = stack.name, context.deployed[stack.name]["StackStatus"]
    if state in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED"):
        if context.deployed[name].get("EnableTerminationProtection"):
            return fails(
                f"{name} is {state}, and protected from termination, so `cdk deploy` cannot delete what is left of it",
                "Remove the protection: `aws cloudformation update-termination-protection "
                f"--no-enable-termination-protection --stack-name {name}`.",
            )
        return warning(
            f"{name} is {state}: it was never created completely, and `cdk deploy` deletes what is left of it first",
            f"Look for the reason: `aws cloudformation describe-stack-events --stack-name {name}`.",
        )
    if state == "DELETE_FAILED":
        return fails(f"{name} is {state}, and cannot be updated", f"Delete it first: `npx cdk destroy {stack.id}`.")
    if state.endswith("FAILED"):
        return fails(f"{name} is {state}, and cannot be updated", f"Roll it back: `npx cdk rollback {stack.id}`.")
    if state.endswith("_IN_PROGRESS") and state != "REVIEW_IN_PROGRESS":
        return fails(f"{name} is {state}", "Wait until CloudFormation has finished.")
    return None


def check_protection(context: Context) -> Iterator[Outcome]:
    """Settings that protect the deployed data, and that the deployment would weaken."""
    is_kept = []
    for stack in context.plan.stacks:
        outputs = context.deployed_outputs(stack.name)
        if not stack.has_settings or "Predictor" not in outputs:
            continue  # what is new holds no data
        if "Protection" not in outputs:
            yield unknown(f"{stack.name} is of an earlier release, which did not publish its settings")
            continue
        now, then = read_protection(outputs["Protection"]), read_protection(stack.outputs["Protection"])
        weaker = [name for name in now if _is_weaker(name, now[name], then.get(name, "none"))]
        lost = [_loss(stack.name, name, now, then.get(name, "none"), outputs) for name in weaker]
        lost += _lost_key(stack, outputs)
        yield from lost
        if not lost:
            is_kept.append(stack.name)
    if is_kept:
        yield ok(f"as deployed, or more: {', '.join(is_kept)}")


def _is_weaker(name: str, now: str, then: str) -> bool:
    """Fewer days lose data, more keep it longer than was promised: either is worth a question."""
    return now != then and (name.endswith(BY_DAYS) or now not in WITHOUT_PROTECTION)


def _loss(stack: str, name: str, now: Mapping[str, str], later: str, outputs: Mapping[str, str]) -> Outcome:
    """What a weaker setting costs, and how to keep what is deployed."""
    if name in STORES and (now[name], later) == ("own", "existing"):
        what, _, _ = STORES[name]
        if now.get("removal_policy") == "retain":
            return warning(
                f"{stack} has its own {what}, and would get an existing one: its own stays, but outside the stack",
                f'Unless you mean it, leave "{name}" at "none".',
            )
        return warning(
            f"{stack} has its own {what}, and would get an existing one: its own is deleted with all that it holds",
            f'Unless you mean it, leave "{name}" at "none"; else deploy with "removal_policy": "retain" first, or copy '
            "what it holds.",
        )
    if name in STORES and (now[name], later) == ("existing", "own"):
        what, output, end = STORES[name]
        return warning(
            f"{stack} uses the existing {what} {outputs[output]}, and would get its own: {end}",
            f'Unless you mean it, write "{name}": "{outputs[output]}" into cdk.json.',
        )
    return warning(
        f"{stack} has {name}={now[name]}, and would get {name}={later}",
        f'Unless you mean it, write "{name}" into cdk.json as it is deployed.',
    )


def _lost_key(stack: Stack, outputs: Mapping[str, str]) -> list[Outcome]:
    """The deployed key, where no role could decrypt with it any more.

    A key of the stack's own is a reference in the template, and stays the one that is deployed.
    """
    deployed = outputs.get("KeyArn")
    planned = stack.template["Outputs"].get("KeyArn", {}).get("Value", "")
    if not deployed or isinstance(planned, dict) or deployed in (planned, *stack.decryption_keys):
        return []
    return [
        warning(
            f"{stack.name} encrypts with {deployed}, which it could no longer use: files under that key would become "
            "unreadable",
            f'Unless you mean it, add the key to those in cdk.json: `"decryption_key_arns": "{deployed}"`.',
        )
    ]


def check_left_out(context: Context) -> Iterator[Outcome]:
    """Variants that are deployed, and no longer part of the app."""
    if not context.plan.is_everything:
        return
    planned = {stack.name for stack in context.plan.stacks}
    for name in sorted(context.deployed):
        predictor = context.deployed_outputs(name).get("Predictor")
        prefix, _, stack_id = name.rpartition("-")
        if predictor and name not in planned and prefix == context.prefix:
            yield warning(
                f"{name} is deployed, but {predictor} is no longer in `variants`: it stays, and is billed",
                f"To delete it with its data: `npx cdk destroy {stack_id} -c variants={predictor}`.",
            )


CHECKS = (
    Check("stacks", ACTIONS, check_states),
    Check("protection", ACTIONS, check_protection),
    Check("left out", ACTIONS, check_left_out),
)
