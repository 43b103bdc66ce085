"""The options that make a scenario, for every command that takes one; most are the scenario's own fields."""

from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from crossover.cost import measured, traffic
from crossover.cost.kinds import DEFAULT_KIND, KINDS
from crossover.cost.numbers import Amount
from crossover.cost.prices import SNAPSHOT, Prices, load
from crossover.cost.scenario import MB_PER_VCPU, MINUTES_PER_MONTH, CallPrice, Rent, Scenario, check_bounds
from crossover.cost.traffic import Traffic
from crossover.cost.variants import VARIANTS, by_default
from crossover.errors import UsageError
from crossover.inputs import split_names, variant_names

# Another name of an option, shorter or as AWS spells it.
OTHER_NAMES = {"memory_mb": "--memory", "utilisation": "--utilization"}
# Fields whose options are not made from their metadata, but declared in `ScenarioOptions`.
DECLARED_SEPARATELY = ("requests", "rent", "call_price")
MAX_SCENARIOS = 1_000_000
RPM_BOUNDS = (1e-4, 1e7)


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What the options say.

    Attributes:
        scenario: one number in each field; or arrays, where a sweep was asked for.
        given: names of the fields that do not have their default.
        prices: of the region.
        candidates: names of the variants that the cheapest is chosen from.
        others: names of the variants that are listed for comparison.
        traffic: how the requests come.
        swept: names of the fields that have more than one value.
        derived: names of the fields that follow from given ones.
        is_rehearsal: whether what was measured was measured on the local AWS.
        is_one_machine: whether it was measured on one machine, without any AWS.
        measured: names of the fields that a benchmark's result gives.
        measured_with: which variant measured them, where the result says so.
        kind: of the model's input, whose measurements are the defaults; one of KINDS.
        has_model: whether there is a model of the kind that was asked for, so that they are its own.
    """

    scenario: Scenario
    given: frozenset[str]
    prices: Prices
    candidates: tuple[str, ...]
    others: tuple[str, ...]
    traffic: Traffic
    swept: tuple[str, ...] = ()
    derived: tuple[str, ...] = ()
    is_rehearsal: bool = False
    is_one_machine: bool = False
    measured: frozenset[str] = frozenset()
    measured_with: Mapping[str, str] = field(default_factory=dict)
    kind: str = DEFAULT_KIND
    has_model: bool = True


def _declarations(each: Field[Any]) -> list[str]:
    long = f"--{each.name.replace('_', '-')}"
    if isinstance(each.default, bool):
        return [f"{long}/{long.replace('--', '--no-', 1)}"]
    return [OTHER_NAMES[each.name], long] if each.name in OTHER_NAMES else [long]


def _help(each: Field[Any]) -> str:
    text = each.metadata["meaning"]
    unit = f" ({each.metadata['unit']})" if each.metadata["unit"] else ""
    if each.default is None or isinstance(each.default, bool):
        default = ""
    else:
        default = f" [{each.default:g}]" if isinstance(each.default, float) else f" [{each.default}]"
    return f"{text[0].upper()}{text[1:]}{unit}.{default}"


def _panel(each: Field[Any]) -> str:
    return f"Inputs: {each.metadata['origin']} by default"


def _option(meaning: str, *declarations: str) -> Any:
    return typer.Option(*declarations, help=meaning, show_default=False)


def _number(meaning: str) -> Any:
    return typer.Option(help=meaning, show_default=False, metavar="<number>")


def _field(name: str) -> Any:
    """The option of a field of the scenario, from the meaning, unit and default in the field's metadata."""
    each = Scenario.__dataclass_fields__[name]
    metavar = None if each.metadata["bounds"] is None else "<number>"
    return typer.Option(
        *_declarations(each), help=_help(each), show_default=False, rich_help_panel=_panel(each), metavar=metavar
    )


@dataclass(kw_only=True)
class ScenarioOptions:
    """All options of a scenario, once: a command that takes them is a dataclass with these fields and its own.

    Typer reads the fields of such a class as it reads a function's parameters, and makes an instance, whose
    `__post_init__` runs the command. Numbers are texts, since a sweep takes ranges and lists of them as well.
    """

    rpm: Annotated[str | None, _number("Requests a minute, on average; 10 by default.")] = None
    requests: Annotated[str | None, _number("Requests a month of 730 h, instead of --rpm.")] = None
    region: Annotated[str, _option("Region whose prices are used.")] = "us-east-1"
    variants: Annotated[
        str,
        _option(f"Candidates: some of {', '.join(VARIANTS)}; or all. By default standard, snapstart and sagemaker."),
    ] = ""
    arrivals: Annotated[str, _option(f"How requests come: {traffic.KINDS}.")] = "poisson"
    results: Annotated[Path | None, _option("A benchmark's result, whose measurements are used.", "--from")] = None
    kind: Annotated[
        str,
        _option(
            f"The model whose measurements are the defaults: {' or '.join(KINDS)}; by default that of --from, else "
            f"{DEFAULT_KIND}."
        ),
    ] = ""
    rent: Annotated[str | None, _option("Compare with a flat monthly rent: AMOUNT[:CURRENCY[:VCPUS]].")] = None
    call_price: Annotated[str | None, _option("Compare with a price per call: AMOUNT[:CURRENCY].")] = None
    exchange: Annotated[
        list[str] | None, _option("Exchange rate of a currency to USD, such as EUR=1.15; repeatable.")
    ] = None
    prices: Annotated[Path, _option("The price snapshot to use.")] = SNAPSHOT

    peak_factor: Annotated[str | None, _field("peak_factor")] = None
    file_mb: Annotated[str | None, _field("file_mb")] = None
    result_kb: Annotated[str | None, _field("result_kb")] = None
    storage_days: Annotated[str | None, _field("storage_days")] = None
    item_kb: Annotated[str | None, _field("item_kb")] = None
    log_kb: Annotated[str | None, _field("log_kb")] = None
    cpu_seconds: Annotated[str | None, _field("cpu_seconds")] = None
    wait_seconds: Annotated[str | None, _field("wait_seconds")] = None
    warm_seconds: Annotated[str | None, _field("warm_seconds")] = None
    init_seconds: Annotated[str | None, _field("init_seconds")] = None
    billing_ms: Annotated[str | None, _field("billing_ms")] = None
    architecture: Annotated[str | None, _field("architecture")] = None
    memory_mb: Annotated[str | None, _field("memory_mb")] = None
    cold_share: Annotated[str | None, _field("cold_share")] = None
    idle_seconds: Annotated[str | None, _field("idle_seconds")] = None
    lifetime_hours: Annotated[str | None, _field("lifetime_hours")] = None
    least_recently_used: Annotated[bool | None, _field("least_recently_used")] = None
    snapstart_warm_seconds: Annotated[str | None, _field("snapstart_warm_seconds")] = None
    restore_seconds: Annotated[str | None, _field("restore_seconds")] = None
    snapstart_versions: Annotated[str | None, _field("snapstart_versions")] = None
    provisioned: Annotated[str | None, _field("provisioned")] = None
    provisioned_overflow: Annotated[str | None, _field("provisioned_overflow")] = None
    provisioned_hours: Annotated[str | None, _field("provisioned_hours")] = None
    provisioned_share: Annotated[str | None, _field("provisioned_share")] = None
    provisioned_warm_seconds: Annotated[str | None, _field("provisioned_warm_seconds")] = None
    efs_gb: Annotated[str | None, _field("efs_gb")] = None
    efs_warm_seconds: Annotated[str | None, _field("efs_warm_seconds")] = None
    efs_init_seconds: Annotated[str | None, _field("efs_init_seconds")] = None
    model_mb: Annotated[str | None, _field("model_mb")] = None
    nat_gateways: Annotated[str | None, _field("nat_gateways")] = None
    vpc_endpoints: Annotated[str | None, _field("vpc_endpoints")] = None
    ingest: Annotated[str | None, _field("ingest")] = None
    image_gb: Annotated[str | None, _field("image_gb")] = None
    image_snap_start: Annotated[bool | None, _field("image_snap_start")] = None
    container_warm_seconds: Annotated[str | None, _field("container_warm_seconds")] = None
    container_init_seconds: Annotated[str | None, _field("container_init_seconds")] = None
    connection_seconds: Annotated[str | None, _field("connection_seconds")] = None
    instance_type: Annotated[str | None, _field("instance_type")] = None
    instances: Annotated[str | None, _field("instances")] = None
    min_instances: Annotated[str | None, _field("min_instances")] = None
    utilisation: Annotated[str | None, _field("utilisation")] = None
    waiting: Annotated[str | None, _field("waiting")] = None
    autoscaling: Annotated[bool | None, _field("autoscaling")] = None
    single_instance: Annotated[bool | None, _field("single_instance")] = None
    volume_gb: Annotated[str | None, _field("volume_gb")] = None
    proxy_seconds: Annotated[str | None, _field("proxy_seconds")] = None
    proxy_overhead: Annotated[str | None, _field("proxy_overhead")] = None
    proxy_init_seconds: Annotated[str | None, _field("proxy_init_seconds")] = None
    proxy_memory_mb: Annotated[str | None, _field("proxy_memory_mb")] = None
    send_files: Annotated[bool | None, _field("send_files")] = None
    message_kb: Annotated[str | None, _field("message_kb")] = None
    answer_kb: Annotated[str | None, _field("answer_kb")] = None
    serverless_memory_mb: Annotated[str | None, _field("serverless_memory_mb")] = None
    serverless_seconds: Annotated[str | None, _field("serverless_seconds")] = None
    disk_gb: Annotated[str | None, _field("disk_gb")] = None
    lambda_discount: Annotated[str | None, _field("lambda_discount")] = None
    sagemaker_discount: Annotated[str | None, _field("sagemaker_discount")] = None
    ec2_discount: Annotated[str | None, _field("ec2_discount")] = None
    free_tier: Annotated[bool | None, _field("free_tier")] = None
    shared_lines: Annotated[bool | None, _field("shared_lines")] = None
    model_on_efs: Annotated[bool | None, _field("model_on_efs")] = None

    def inputs(self, *, sweeps: bool = False) -> Inputs:
        """What the options say.

        Args:
            sweeps: a number may be a range, LOW:HIGH:COUNT, or several with commas between them.

        Raises:
            UsageError: they contradict each other, or a value is out of bounds.
        """
        return _inputs(self, numbers_of if sweeps else _one_number)


def _inputs(options: ScenarioOptions, numbers: Callable[[str, str], list[float]]) -> Inputs:
    """What the options say; `numbers` are those in a text, by the option's name and the text."""
    prices = load(options.region, options.prices)
    result = measured.read(options.results) if options.results else measured.Measured(values={}, is_rehearsal=False)
    kind, has_model = _kind(options.kind, result.input_kind)
    values: dict[str, Any] = dict(result.values)
    for each in fields(Scenario):
        value = None if each.name in DECLARED_SEPARATELY else getattr(options, each.name)
        if value is not None:
            values[each.name] = value if each.metadata["bounds"] is None else numbers(each.name, value)
    exchange = _exchange(options.exchange or [])
    if options.rent:
        values["rent"] = _rent(options.rent, exchange)
    if options.call_price:
        values["call_price"] = _call_price(options.call_price, exchange)
    if options.rpm is not None and options.requests is not None:
        raise UsageError("Both --rpm and --requests are given; give one of them.")
    if options.requests is not None:
        values["requests"] = numbers("requests", options.requests)
    if options.rpm is not None:
        rpm = numbers("rpm", options.rpm)
        check_bounds("rpm", rpm, RPM_BOUNDS)
        values["requests"] = [each * MINUTES_PER_MONTH for each in rpm]
    given = frozenset(values)
    from_result = frozenset(name for name in result.values if getattr(options, name, None) is None)
    values, swept = _swept(values)
    scenario = Scenario(**{**KINDS[kind].values, **values})
    derived = ("cpu_seconds",) if "warm_seconds" in given and "cpu_seconds" not in given else ()
    if derived:
        scenario = replace(scenario, cpu_seconds=_cpu_seconds_of(scenario))
    scenario, how = _with_traffic(scenario, options.arrivals, given)
    offered = [name for name, variant in VARIANTS.items() if variant.is_priced(scenario)]
    wanted = ",".join(split_names(options.variants) or by_default())
    names = offered if wanted == "all" else variant_names(wanted, allowed=VARIANTS)
    for name in names:
        if name not in offered:
            raise UsageError(f"No price is given for {name}; add --{name} AMOUNT.")
    return Inputs(
        scenario=scenario,
        given=given,
        prices=prices,
        candidates=tuple(names),
        others=tuple(name for name in offered if name not in names),
        traffic=how,
        swept=swept,
        derived=derived,
        is_rehearsal=result.is_rehearsal,
        is_one_machine=result.is_one_machine,
        measured=from_result,
        measured_with={name: variant for name, variant in result.variants.items() if name in from_result},
        kind=kind,
        has_model=has_model,
    )


def _kind(asked: str, measured_kind: str) -> tuple[str, bool]:
    """The kind whose model's measurements are the defaults, and whether it is the one that was measured."""
    if asked and asked not in KINDS:
        raise UsageError(f"There is no measured model of the kind {asked!r}; there are {', '.join(KINDS)}.")
    if asked and measured_kind not in ("", asked):
        raise UsageError(f"The result of --from is of the kind {measured_kind}; leave out --kind {asked}.")
    kind = asked or measured_kind or DEFAULT_KIND
    return (kind, True) if kind in KINDS else (DEFAULT_KIND, False)


MIN_CPU_SECONDS = 0.001  # of a request that mostly waits


def _cpu_seconds_of(scenario: Scenario) -> Amount:
    """CPU-seconds in the warm invocation that is given: what is not waiting, on its share of one vCPU."""
    share = np.minimum(1.0, np.asarray(scenario.memory_mb) / MB_PER_VCPU)
    work = (np.asarray(scenario.warm()) - scenario.wait_seconds) * share
    return np.maximum(work, MIN_CPU_SECONDS) if np.ndim(work) else max(float(work), MIN_CPU_SECONDS)


def _with_traffic(scenario: Scenario, text: str, given: frozenset[str]) -> tuple[Scenario, Traffic]:
    """The scenario with the volume and the cold share of the traffic, unless they are given."""
    if text == "poisson":
        return scenario, Traffic(text=text)
    if scenario.cases > 1:
        raise UsageError(f"The arrivals are {text!r}; a sweep takes only poisson, or a --cold-share.")
    how = traffic.parse(text, scenario)
    if how.requests is not None and "requests" not in given:
        scenario = replace(scenario, requests=how.requests)
    if how.share is not None and "cold_share" not in given:
        scenario = replace(scenario, cold_share=how.share.low if scenario.least_recently_used else how.share.high)
    return scenario, how


def _swept(values: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Lists as arrays: every combination of their values, the last one varying fastest."""
    lists = {name: value for name, value in values.items() if isinstance(value, list)}
    swept = tuple(name for name, numbers in lists.items() if len(numbers) > 1)
    combinations = int(np.prod([len(numbers) for numbers in lists.values()]))
    if combinations > MAX_SCENARIOS:
        raise UsageError(f"These are {combinations:,} scenarios; there may be {MAX_SCENARIOS:,}.")
    grid = np.meshgrid(*[lists[name] for name in swept], indexing="ij")
    arrays = {name: axis.ravel() for name, axis in zip(swept, grid, strict=True)}
    singles = {name: numbers[0] for name, numbers in lists.items() if len(numbers) == 1}
    return {**values, **singles, **arrays}, swept


def _one_number(name: str, text: str) -> list[float]:
    try:
        return [float(text)]
    except ValueError:
        raise UsageError(f"The value of {name} is {text!r}; it must be a number.") from None


def numbers_of(name: str, text: str) -> list[float]:
    """The numbers in a text: one, several with commas between them, or LOW:HIGH:COUNT, evenly on a logarithmic scale.

    A range that begins at 0 is evenly spaced.

    Raises:
        UsageError: it is none of them.
    """
    wrong = UsageError(
        f"The value of {name} is {text!r}; it must be a number, numbers with commas, or LOW:HIGH:COUNT, where LOW is at"
        f" least 0 and below HIGH, and COUNT is from 2 to {MAX_SCENARIOS:,}."
    )
    try:
        if ":" not in text:
            return [float(part) for part in text.split(",")]
        low, high, count = text.split(":")
        start, end, points = float(low), float(high), int(count)
    except ValueError:
        raise wrong from None
    if not (0 <= start < end < np.inf and 2 <= points <= MAX_SCENARIOS):
        raise wrong
    spaced = np.linspace if start == 0 else np.geomspace
    numbers: list[float] = spaced(start, end, points).tolist()
    return [start, *numbers[1:-1], end]


def _exchange(texts: list[str]) -> dict[str, float]:
    rates = {"USD": 1.0}
    for text in texts:
        currency, _, rate = text.partition("=")
        rates[_currency(currency)] = _positive(rate, "exchange rate", text)
    return rates


def _parts(what: str, text: str, form: str) -> list[str]:
    """The parts of a text of this form; those that are left out are empty."""
    parts, most = text.split(":"), form.count(":") + 1
    if len(parts) > most:
        raise UsageError(f"The {what} is {text!r}; it must be {form}.")
    return parts + [""] * (most - len(parts))


def _rent(text: str, exchange: dict[str, float]) -> Rent:
    amount, currency, vcpus = _parts("rent", text, "AMOUNT[:CURRENCY[:VCPUS]]")
    name, usd = _usd_rate(currency, exchange)
    return Rent(
        amount=_positive(amount, "rent", text),
        currency=name,
        usd=usd,
        vcpus=_positive(vcpus, "number of vCPUs", text) if vcpus else None,
    )


def _call_price(text: str, exchange: dict[str, float]) -> CallPrice:
    amount, currency = _parts("price of a call", text, "AMOUNT[:CURRENCY]")
    name, usd = _usd_rate(currency, exchange)
    return CallPrice(amount=_positive(amount, "price of a call", text), currency=name, usd=usd)


def _usd_rate(currency: str, exchange: dict[str, float]) -> tuple[str, float]:
    name = _currency(currency or "USD")
    if name not in exchange:
        raise UsageError(f"The exchange rate of {name} is not given; add --exchange {name}=1.15, in USD.")
    return name, exchange[name]


def _currency(text: str) -> str:
    if not (len(text) == 3 and text.isalpha()):
        raise UsageError(f"The currency is {text!r}; it must have three letters, such as EUR.")
    return text.upper()


def _positive(text: str, what: str, where: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not 0 < number < 1e12:
        raise UsageError(f"The {what} in {where!r} is {text!r}; it must be a number above 0.")
    return number
