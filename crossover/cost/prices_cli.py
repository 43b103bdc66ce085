"""`crossover prices`: the prices that the cost model uses."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, TypedDict, cast

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from crossover.cost import price_list, price_refresh
from crossover.cost.prices import SNAPSHOT, Price, PriceJson, load, read, regions_of, save
from crossover.errors import UsageError
from crossover.terminal import printable, table_console

app = typer.Typer(
    help="The prices that the cost model uses: look at them, compare them, fetch newer ones.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

FULL_WIDTH = 120  # columns; in a narrower terminal two columns share one, in two lines
SKU = ", SKU "  # in a source, between the document and the SKU
errors = Console(stderr=True, highlight=False, soft_wrap=True)


@dataclass(frozen=True, kw_only=True)
class Change:
    """A price that differs between two snapshots, or that only one of them has.

    Attributes:
        old: None where it was added.
        new: None where it was removed.
    """

    old: Price | None
    new: Price | None

    @property
    def kind(self) -> str:
        """added, removed or changed."""
        return "added" if self.old is None else "removed" if self.new is None else "changed"

    @property
    def price(self) -> Price:
        """The new price, or the old one if it was removed."""
        found = self.new or self.old
        assert found is not None
        return found

    @property
    def percent(self) -> float | None:
        """Change of the first tier's price, in percent of the old one; None without an old and a new price above 0."""
        if self.old is None or self.new is None or self.old.value == 0:
            return None
        return (self.new.value / self.old.value - 1) * 100


def changes(old: Iterable[Price], new: Iterable[Price]) -> list[Change]:
    """Compare by name and region. A new source, date or status alone is not a change."""
    before = {(price.id, price.region): price for price in old}
    after = {(price.id, price.region): price for price in new}
    pairs = [Change(old=before.get(key), new=after.get(key)) for key in sorted(before | after)]
    return [pair for pair in pairs if _costs(pair.old) != _costs(pair.new)]


def _costs(price: Price | None) -> object:
    return None if price is None else (price.tiers, price.unit)


@app.command()
def show(
    region: Annotated[
        str,
        typer.Option(help="Only this region's prices, with those of us-east-1 where it has none.", show_default=False),
    ] = "",
    prices: Annotated[
        Path, typer.Option(help="A snapshot; by default, the shipped one.", show_default=False)
    ] = SNAPSHOT,
    as_json: AsJson = False,
) -> None:
    """List every price with its source, its age, and whether it is confirmed."""
    found = list(load(region, prices).by_id.values() if region else read(prices))
    found.sort(key=lambda price: (price.id, price.region))
    if as_json:
        print(json.dumps([_price_json(price) for price in found], indent=2))
        return
    numbers = {address: number for number, address in enumerate(sorted({_address(price) for price in found}), start=1)}
    console = table_console()
    console.print(_table(found, numbers, is_narrow=console.width < FULL_WIDTH))
    print("\nSources:")
    for address, number in numbers.items():
        print(f"{number:>3} {printable(address)}")
    unconfirmed = [price for price in found if not price.is_confirmed]
    if unconfirmed:
        print("\nNot confirmed:")
    for status, prices_of in _grouped(unconfirmed, lambda price: price.status):
        ids = _grouped(prices_of, lambda price: price.id)
        where = ", ".join(f"{price_id} ({', '.join(price.region for price in same)})" for price_id, same in ids)
        print(printable(f"  {status}: {where}"))
    print(f"\n{printable(_summary(found, len(unconfirmed)))}")


@app.command()
def diff(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="[OLD] NEW", help="Two snapshots; with one, it is compared with the shipped snapshot."),
    ],
    as_json: AsJson = False,
) -> None:
    """Show which prices a newer snapshot adds, removes or changes. The exit code is 0 even if some differ."""
    if len(files) > 2:
        raise UsageError(f"Two snapshots can be compared, but there are {len(files)}; name one or two.")
    old, new = files if len(files) == 2 else (SNAPSHOT, files[0])
    found = changes(read(old), read(new))
    if as_json:
        print(json.dumps([_change_json(change) for change in found], indent=2))
        return
    if found:
        console = table_console()
        console.print(_table_of_changes(found, is_narrow=console.width < FULL_WIDTH))
    count = Counter(change.kind for change in found)
    print(f"{count['added']} added, {count['removed']} removed, {count['changed']} changed.")


@app.command()
def refresh(
    region: Annotated[
        list[str] | None,
        typer.Option(help="May be repeated; by default the old snapshot's.", show_default=False),
    ] = None,
    output: Annotated[Path, typer.Option(help="The new snapshot, replaced as a whole or not at all.")] = Path(
        "prices.json"
    ),
    prices: Annotated[
        Path | None,
        typer.Option(
            help="The snapshot to refresh; by default the output file, else the shipped one.", show_default=False
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PREFIX", help="Only prices whose names have this prefix. May be repeated.", show_default=False
        ),
    ] = None,
    keep_old: Annotated[
        bool, typer.Option("--keep-old", help="Keep the old entries of prices that cannot be refreshed, and name them.")
    ] = False,
) -> None:
    """Write a new snapshot from AWS's public price list; prices of EC2 need AWS credentials.

    If a price cannot be read, or does not match exactly one product, nothing is written and all such prices are named.
    """
    old = read(prices or (output if output.exists() else SNAPSHOT))
    if not output.parent.is_dir():
        raise UsageError(f"There is no folder {output.parent} to write {output.name} to.")
    for name in region or []:  # before AWS is asked for a list per service and region
        if not re.fullmatch(r"[a-z]{2,}(-[a-z]+)+-\d+", name):
            raise UsageError(f"The region is {name!r}; it must have the form of eu-central-1.")
    with errors.status("") as status:
        refreshed = price_refresh.refresh(
            old,
            region or regions_of(old),
            files=price_list.BulkFiles(price_list.HOST),
            api=price_list.QueryApi(),
            only=only or [],
            keep_old=keep_old,
            announce=lambda what: status.update(f"{what} ..."),
        )
    save(refreshed.prices, output)
    had_before = {(price.id, price.region) for price in old}
    for failure in refreshed.kept:
        outcome = "kept as it was" if (failure.id, failure.region) in had_before else "left out"
        print(printable(f"{failure.id} in {failure.region} is {outcome}: {failure.reason}."))
    for price_id, where in refreshed.absent:
        print(printable(f"{price_id} is not offered in {where}."))
    count = Counter(change.kind for change in changes(old, refreshed.prices))
    print(
        f"{len(refreshed.renewed)} prices refreshed: {count['changed']} changed, "
        f"{count['added']} new. {len(refreshed.kept)} could not be read."
    )
    print(f"Written to {output}; `crossover cost --prices {output}` uses it.")


def _today() -> date:
    return datetime.now(UTC).date()


class _PriceJson(PriceJson):
    is_confirmed: bool
    age_days: int | None


class _ChangeJson(TypedDict):
    id: str
    region: str
    kind: str
    percent: float | None
    old: PriceJson | None
    new: PriceJson | None


def _price_json(price: Price) -> _PriceJson:
    return cast(_PriceJson, {**asdict(price), "is_confirmed": price.is_confirmed, "age_days": price.age_days(_today())})


def _change_json(change: Change) -> _ChangeJson:
    return {
        "id": change.price.id,
        "region": change.price.region,
        "kind": change.kind,
        "percent": change.percent,
        "old": cast(PriceJson, asdict(change.old)) if change.old else None,
        "new": cast(PriceJson, asdict(change.new)) if change.new else None,
    }


def _address(price: Price) -> str:
    """The source without the SKU, so that all prices from one document have the same."""
    return price.source.partition(SKU)[0]


def _grouped(prices: Iterable[Price], key: Callable[[Price], str]) -> list[tuple[str, list[Price]]]:
    groups: dict[str, list[Price]] = {}
    for price in prices:
        groups.setdefault(key(price), []).append(price)
    return sorted(groups.items())


def _table(prices: Iterable[Price], numbers: Mapping[str, int], *, is_narrow: bool) -> Table:
    """Name, region, price, status, date, age in days unless it is narrow, the source's number in the list below."""
    table = Table(show_edge=False, header_style="bold", pad_edge=False)
    if is_narrow:
        _add_columns(
            table, "price\nregion", "USD", "status\ndate (days)", "source", wrapped=("USD",), right=("source",)
        )
    else:
        names = ("price", "region", "USD", "status", "date", "days", "source")
        _add_columns(table, *names, wrapped=("USD",), right=("days", "source"))
    for price in prices:
        age = price.age_days(_today())
        name, region, date_ = map(_text, (price.id, price.region, price.date))
        usd = _text(_usd(price, f" {price.unit.removeprefix('USD')}"))
        status = Text(price.status, style="" if price.is_confirmed else "yellow")
        days, source = Text("" if age is None else f"{age}"), Text(f"{numbers[_address(price)]}")
        if is_narrow:
            table.add_row(_lines(name, region), usd, _lines(status, date_), source)
        else:
            table.add_row(name, region, usd, status, date_, days, source)
    return table


def _table_of_changes(found: Sequence[Change], *, is_narrow: bool) -> Table:
    table = Table(show_edge=False, header_style="bold", pad_edge=False)
    amounts = ("old USD", "new USD")
    if is_narrow:
        _add_columns(table, "", "price\nregion, unit", *amounts, wrapped=("price\nregion, unit", *amounts))
        table.columns[1].width = max(len(change.price.id) for change in found)
    else:
        names = ("", "price", "region", "unit", *amounts, "percent")
        _add_columns(table, *names, wrapped=("unit", *amounts), right=("percent",))
    for change in found:
        prices = (change.old, change.new)
        units = " -> ".join(dict.fromkeys(price.unit.removeprefix("USD/") for price in prices if price))
        name, region, unit = map(_text, (change.price.id, change.price.region, units))
        usd = [_text(_usd(price) if price else "") for price in prices]
        percent = "" if change.percent is None else f"{change.percent:+.2f}"
        if is_narrow:
            kind = _lines(Text(change.kind), Text(f"{percent} %" if percent else ""))
            table.add_row(kind, _lines(name, Text.assemble(region, ", ", unit)), *usd)
        else:
            table.add_row(change.kind, name, region, unit, *usd, percent)
    return table


def _add_columns(table: Table, *names: str, wrapped: Sequence[str], right: Sequence[str] = ()) -> None:
    """Columns whose cells are never cut: those in `wrapped` ones go on in a further line."""
    for name in names:
        table.add_column(
            name, no_wrap=name not in wrapped, overflow="fold", justify="right" if name in right else "left"
        )


def _lines(first: Text, second: Text) -> Text:
    """One cell of two lines."""
    return Text.assemble(first, "\n", second)


def _text(text: str) -> Text:
    """Text of unknown origin, printed without interpreting markup; its line breaks are kept."""
    return Text("\n".join(map(printable, text.splitlines())))


def _usd(price: Price, unit: str = "") -> str:
    """One line for each tier; the first one names the unit."""
    usd = [f"{each:.12f}".rstrip("0").rstrip(".") for _, each in price.tiers]
    bounds = [unit, *(f" from {start:,.0f}" for start, _ in price.tiers[1:])]
    return "\n".join(f"{each}{bound}" for each, bound in zip(usd, bounds, strict=True))


def _summary(prices: Sequence[Price], unconfirmed: int) -> str:
    """How many prices there are, how many are not confirmed, and how old the oldest is."""
    text = f"{len(prices)} prices, {unconfirmed} of them not confirmed"
    dated = [(age, price) for price in prices if (age := price.age_days(_today())) is not None]
    if dated:
        age, oldest = max(dated, key=lambda each: each[0])
        text += f"; the oldest, {oldest.id} in {oldest.region}, is of {oldest.date}, {age} days ago"
    undated = len(prices) - len(dated)
    return text + (f"; {undated} undated." if undated else ".")
