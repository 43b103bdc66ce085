"""The dated prices that the model uses: a snapshot that travels with the package, read without any AWS call."""

import contextlib
import datetime
import json
import math
import os
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any, NotRequired, TypedDict, cast

import numpy as np

from crossover.cost.numbers import Amount, clip_above
from crossover.errors import CrossoverError, UsageError, reason_of

SNAPSHOT = Path(__file__).with_name("prices.json")
SCHEMA = 1
CURRENCY = "USD"
ANYWHERE = "*"  # the region of a price that is the same in all of them
STAND_IN = "us-east-1"  # where a price comes from that a region lacks
STATUSES = ("confirmed", "derived", "unconfirmed", "substituted", "given")
UNDATED = "undated"


@dataclass(frozen=True, kw_only=True)
class Price:
    """What a unit of something costs, in USD.

    Attributes:
        id: such as lambda.request.
        region: where it holds; * for everywhere.
        tiers: (from which quantity a month, USD a unit), the first from 0, ascending.
        unit: of the price, such as USD/request.
        source: who says so.
        date: when the source had it, as YYYY, YYYY-MM or YYYY-MM-DD; else undated.
        status: confirmed by a price list or a bill; derived from another price; unconfirmed; substituted by another
            region's; given by the user.
        usage_type: AWS's name of it, without the region's prefix, where there is one.
        note: anything else worth knowing.
    """

    id: str
    region: str
    tiers: tuple[tuple[float, float], ...]
    unit: str
    source: str
    date: str
    status: str
    usage_type: str = ""
    note: str = ""

    @property
    def value(self) -> float:
        """USD a unit in the first tier."""
        return self.tiers[0][1]

    @property
    def is_confirmed(self) -> bool:
        """Whether it needs no check."""
        return self.status in ("confirmed", "given")

    def of(self, quantity: Amount) -> Amount:
        """USD for this many units a month, through the tiers."""
        if len(self.tiers) == 1:
            return np.maximum(quantity, 0.0) * self.value
        bounds = [start for start, _ in self.tiers] + [float("inf")]
        total: Amount = quantity * 0.0
        for (start, usd), end in zip(self.tiers, bounds[1:], strict=True):
            total = total + clip_above(quantity, start, end) * usd
        return total

    def age_days(self, today: datetime.date) -> int | None:
        """Days since the source had it, at most: a month or year counts from its first day. None where undated."""
        day = first_day(self.date)
        return None if day is None else max(0, (today - day).days)


class PriceJson(TypedDict):
    """An entry of a snapshot: a Price without what is empty."""

    id: str
    region: str
    tiers: tuple[tuple[float, float], ...]
    unit: str
    source: str
    date: str
    status: str
    usage_type: NotRequired[str]
    note: NotRequired[str]


@dataclass(frozen=True, kw_only=True)
class Prices:
    """The prices of one region."""

    region: str
    by_id: dict[str, Price]

    def __getitem__(self, price_id: str) -> Price:
        """The price of that name.

        Raises:
            UsageError: the snapshot has none, in this region nor in us-east-1.
        """
        price = self.by_id.get(price_id)
        if price is None:
            raise UsageError(f"The snapshot holds no price {price_id!r} for {self.region}.")
        return price

    def with_prefix(self, prefix: str) -> list[str]:
        """What follows this prefix in the names of the prices, sorted."""
        return sorted(price_id.removeprefix(prefix) for price_id in self.by_id if price_id.startswith(prefix))


def load(region: str, path: Path = SNAPSHOT) -> Prices:
    """The prices of a region; those that it lacks are us-east-1's, marked as substituted.

    Raises:
        UsageError: the file cannot be read, or holds nothing for this region.
    """
    entries = read(path)
    key = (region, id(entries))  # `read` gives the same tuple as long as the file does not change
    if key not in _loaded:
        _loaded[key] = _of_region(region, entries)
    return _loaded[key]


_loaded: dict[tuple[str, int], Prices] = {}


def _of_region(region: str, entries: tuple[Price, ...]) -> Prices:
    regions = regions_of(entries)
    if region not in regions:
        raise UsageError(
            f"There are no prices for region {region!r}; the snapshot has {', '.join(regions)}, and "
            f"`crossover prices refresh --region {region}` fetches a region's."
        )
    stand_ins = [price for price in entries if price.region == STAND_IN and not _is_instance(price.id)]
    by_id = {price.id: replace(price, status="substituted") for price in stand_ins}
    for place in (ANYWHERE, region):  # the region's own price goes before one for everywhere
        by_id |= {price.id: price for price in entries if price.region == place}
    return Prices(region=region, by_id=by_id)


def _is_instance(price_id: str) -> bool:
    """Whether this is the price of an instance type, which a region may not offer."""
    return price_id.startswith(("ec2.", "sagemaker.host.ml.")) and not price_id.startswith("ec2.credit.")


def dates_of(prices: Iterable[Price]) -> str:
    """The dates of these prices, in words."""
    dated = sorted(price.date for price in prices if price.date != UNDATED)
    if not dated:
        return "undated prices"
    return f"prices of {dated[0]}" if dated[0] == dated[-1] else f"prices of {dated[0]} to {dated[-1]}"


def regions_of(prices: Iterable[Price]) -> list[str]:
    """The regions that have prices of their own, sorted."""
    return sorted({price.region for price in prices} - {ANYWHERE})


def read(path: Path = SNAPSHOT) -> tuple[Price, ...]:
    """All prices of a snapshot, of all regions.

    Raises:
        UsageError: the file cannot be read, or an entry is not a price.
    """
    try:
        return _read(path, path.stat().st_mtime_ns)
    except (OSError, ValueError) as error:
        raise UsageError(f"The prices in {path} cannot be read: {reason_of(error)}.") from error


@cache
def _read(path: Path, _changed: int) -> tuple[Price, ...]:
    """Read once as long as the file does not change, since the model asks often."""
    document = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(document, dict) or document.get("schema") != SCHEMA or document.get("currency") != CURRENCY:
        raise UsageError(f"{path} is not a price snapshot of schema {SCHEMA} in {CURRENCY}.")
    entries = document.get("entries")
    if not isinstance(entries, list) or not entries:
        raise UsageError(f"{path} holds no entries.")
    prices = tuple(_price(entry, number, path) for number, entry in enumerate(entries, start=1))
    _refuse_duplicates(prices, path)
    return prices


def save(prices: Iterable[Price], path: Path) -> None:
    """Write a snapshot, an entry a line; the file changes as a whole or not at all.

    Raises:
        CrossoverError: it cannot be written.
    """
    lines = [f"    {json.dumps(_entry(price))}" for price in sorted(prices, key=lambda price: (price.id, price.region))]
    head = f'{{\n  "schema": {SCHEMA},\n  "currency": "{CURRENCY}",\n  "entries": [\n'
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        new.write_text(head + ",\n".join(lines) + "\n  ]\n}\n", encoding="utf-8")
        new.replace(path)
    except OSError as error:
        raise CrossoverError(f"The prices cannot be written to {path}: {error.strerror}.") from error
    finally:
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)


def first_day(text: str) -> datetime.date | None:
    """Of a price's date: the day itself, or the first one of the month or year; None for undated.

    Raises:
        ValueError: it is not a date.
    """
    if text == UNDATED:
        return None
    if not re.fullmatch(r"\d{4}(-\d\d){0,2}", text, re.ASCII):
        raise ValueError(f"{text!r} is not a date")
    return datetime.date.fromisoformat(text + "-01" * ((len("YYYY-MM-DD") - len(text)) // len("-01")))


def _entry(price: Price) -> PriceJson:
    return cast(PriceJson, {name: value for name, value in asdict(price).items() if value != ""})


def _price(entry: Any, number: int, path: Path) -> Price:
    try:
        tiers = tuple((_number(start), _number(usd)) for start, usd in entry["tiers"])
        price = Price(**{**entry, "tiers": tiers})
    except (TypeError, KeyError, ValueError) as error:
        raise UsageError(f"Entry {number} of {path} is not a price: {error!r}.") from error
    texts = {field.name: getattr(price, field.name) for field in fields(price) if field.name != "tiers"}
    for name, text in texts.items():
        if not isinstance(text, str) or not (text or name in ("usage_type", "note")):
            raise UsageError(f"The {name} of entry {number} of {path} is {text!r}; it must be a text.")
    what = f"of {price.id} for {price.region} in {path} is"
    starts = [start for start, _ in tiers]
    if not tiers or starts[0] != 0 or starts != sorted(set(starts)) or any(usd < 0 for _, usd in tiers):
        must = "it must begin at 0, ascend and cost no less than 0"
        raise UsageError(f"The list of tiers {what} {entry['tiers']!r}; {must}.")
    if price.status not in STATUSES:
        raise UsageError(f"The status {what} {price.status!r}; it must be one of {', '.join(STATUSES)}.")
    try:
        first_day(price.date)
    except ValueError as error:
        allowed = f"YYYY, YYYY-MM, YYYY-MM-DD or {UNDATED}"
        raise UsageError(f"The date {what} {price.date!r}; it must be {allowed}.") from error
    return price


def _number(value: Any) -> float:
    """A finite number; not a string, a boolean or NaN."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is not a number")
    return float(value)


def _refuse_duplicates(prices: Iterable[Price], path: Path) -> None:
    seen: set[tuple[str, str]] = set()
    for price in prices:
        if (price.id, price.region) in seen:
            raise UsageError(f"{path} holds the price {price.id} for {price.region} twice.")
        seen.add((price.id, price.region))
