"""A new snapshot from AWS's price list: each price must match exactly one product there, or nothing is written."""

import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from crossover.cost.price_list import PriceList, PriceListError, Product
from crossover.cost.price_sources import SOURCES, PriceSource
from crossover.cost.prices import Price, first_day
from crossover.errors import CrossoverError, UsageError
from crossover.terminal import printable

DIGITS = 12  # of a price; the list has ten decimal places, and a division adds rounding errors
SHOWN_PRODUCTS = 5


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A price that could not be refreshed."""

    id: str
    region: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Refreshed:
    """The result of a refresh.

    Attributes:
        prices: the new snapshot, including old entries that were not requested.
        renewed: the prices that were read from AWS's list.
        kept: prices that could not be refreshed; their old entries stay, where there are any.
        absent: (id, region) of instance types that the region does not offer.
    """

    prices: tuple[Price, ...]
    renewed: tuple[Price, ...]
    kept: tuple[Failure, ...]
    absent: tuple[tuple[str, str], ...]


def refresh(
    old: Iterable[Price],
    regions: Sequence[str],
    *,
    files: PriceList,
    api: PriceList,
    only: Sequence[str] = (),
    keep_old: bool = False,
    announce: Callable[[str], None] = lambda _: None,
) -> Refreshed:
    """Read the prices of these regions from AWS.

    Args:
        old: the snapshot to renew.
        regions: such as eu-west-1.
        files: the source of most offers.
        api: the source of offers whose files are huge.
        only: prefixes of the names of the prices to refresh; all by default.
        keep_old: keep the old entries of prices that cannot be refreshed.
        announce: called with what is read next.

    Raises:
        UsageError: no price's name has such a prefix.
        CrossoverError: a price could not be refreshed; with keep_old, only if none could. The message names each.
    """
    sources = [source for source in SOURCES if not only or source.id.startswith(tuple(only))]
    if not sources:
        known = ", ".join(sorted({source.id.split(".")[0] for source in SOURCES}))
        raise UsageError(f"No price's name begins with {' or '.join(map(repr, only))}; they begin with {known}.")
    entries = {(price.id, price.region): price for price in old}
    renewed: list[Price] = []
    failures: list[Failure] = []
    absent: list[tuple[str, str]] = []
    for region, source in itertools.product(regions, sources):
        announce(f"{source.offer} in {region}")
        try:
            price = _price(source, region, api if source.is_queried else files)
            if price is None and (source.id, region) in entries:
                raise PriceListError("AWS's price list has it no longer, or under another usage type")
        except PriceListError as error:
            failures.append(Failure(id=source.id, region=region, reason=str(error)))
            continue
        if price is None:
            absent.append((source.id, region))
        else:
            renewed.append(price)
    if failures and not (keep_old and renewed):
        raise CrossoverError(f"The prices were not refreshed, and nothing was written:\n{_by_reason(failures)}")
    entries |= {(price.id, price.region): price for price in renewed}
    return Refreshed(prices=tuple(entries.values()), renewed=tuple(renewed), kept=tuple(failures), absent=tuple(absent))


def _price(source: PriceSource, region: str, price_list: PriceList) -> Price | None:
    """The current price; None where the region does not offer such an instance.

    Raises:
        PriceListError: there is not exactly one such product, or its price cannot be right.
    """
    product = only_product(source, region, price_list.products(source, region))
    if product is None:
        return None
    try:
        tiers = tiers_of(product, source)
        first_day(product.date)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PriceListError(f"{product.source} is not in the format of AWS's price list: {error!r}") from error
    return Price(
        id=source.id,
        region=region,
        tiers=tiers,
        unit=source.unit,
        source=product.source,
        date=product.date,
        status="confirmed",
        usage_type=source.usage_type,
    )


def only_product(source: PriceSource, region: str, products: Iterable[Product]) -> Product | None:
    """The one product that the source describes; None where it is optional and nothing has its usage type.

    Raises:
        PriceListError: none matches, or several do.
    """
    named = [
        product
        for product in products
        if source.has_usage_type(product.attributes.get("usagetype", ""))
        and product.attributes.get("regionCode", region)
        == region  # leaves out the free tiers, which belong to no single region
    ]
    found = [
        product
        for product in named
        if all(product.attributes.get(name) == value for name, value in source.attributes.items())
    ]
    if len(found) == 1:
        return found[0]
    if not named and source.is_optional:
        return None
    wanted = "".join(f", {name} {value!r}" for name, value in source.attributes.items())
    message = f"{len(found)} products instead of one have the usage type {source.usage_type!r}{wanted}"
    shown = found or named
    if shown:
        message += f"; {'they are' if found else 'of that usage type are'} "
        message += "; ".join(_described(product, source) for product in shown[:SHOWN_PRODUCTS])
        message += " and more" if len(shown) > SHOWN_PRODUCTS else ""
    raise PriceListError(message)


def tiers_of(product: Product, source: PriceSource) -> tuple[tuple[float, float], ...]:
    """(from which quantity a month, USD a unit), counted from where the free tier ends.

    Raises:
        PriceListError: the product has no on-demand price in USD for the source's unit.
        KeyError, TypeError, ValueError, AttributeError: it is not in the price list's format.
    """
    if len(product.terms) != 1:
        raise PriceListError(f"{product.source} has {len(product.terms)} prices on demand instead of one")
    dimensions = sorted(product.terms[0]["priceDimensions"].values(), key=lambda each: float(each["beginRange"]))
    allowed = {unit.casefold() for unit in source.counted_in}
    for dimension in dimensions:
        if dimension["unit"].casefold() not in allowed:
            units = " or ".join(source.counted_in)
            raise PriceListError(f"{product.source} is priced by the {dimension['unit']!r} instead of {units}")
        if "USD" not in dimension["pricePerUnit"]:
            raise PriceListError(f"{product.source} has no price in USD")
    ends = [float(dimension["endRange"]) for dimension in dimensions]  # the last one is Inf
    starts = [float(dimension["beginRange"]) for dimension in dimensions]
    if ends != [*starts[1:], math.inf]:
        raise PriceListError(f"{product.source} has ranges with gaps: from {starts} to {ends}")
    usd = [_usd(dimension) / source.divisor for dimension in dimensions]
    paid = list(itertools.dropwhile(lambda tier: tier[1] == 0, zip(starts, usd, strict=True)))
    if not paid:
        raise PriceListError(f"{product.source} costs nothing")
    return tuple((start - paid[0][0], float(f"{price:.{DIGITS}g}")) for start, price in paid)


def _usd(dimension: Any) -> float:
    usd = float(dimension["pricePerUnit"]["USD"])
    if not (math.isfinite(usd) and usd >= 0):
        raise ValueError(f"{usd} is not a price")
    return usd


def _described(product: Product, source: PriceSource) -> str:
    names = ("usagetype", *dict.fromkeys(("productFamily", "operation", "group", *source.attributes)))
    attributes = [f"{name} {product.attributes[name]!r}" for name in names if product.attributes.get(name)]
    return f"{product.sku} ({', '.join(attributes)})"


def _by_reason(failures: Iterable[Failure]) -> str:
    """A line for each reason, with the prices that it affects."""
    prices: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for failure in failures:
        prices[failure.reason][failure.id].append(failure.region)
    return "\n".join(f"- {_names(names)}: {printable(reason)}." for reason, names in prices.items())


def _names(regions_by_id: dict[str, list[str]]) -> str:
    return ", ".join(f"{price_id} ({', '.join(regions)})" for price_id, regions in regions_by_id.items())
