"""docs/performance.md, written from the three committed results: `python -m benchmarks.performance`."""

import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import median
from typing import cast

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from benchmarks.peers import measure_peers
from benchmarks.peers.handlers import handler_tables
from benchmarks.peers.serving import server_tables
from benchmarks.peers.serving.server_observations import counted
from crossover import documents
from crossover.bench.micro import measure, micro_tables
from crossover.bench.micro.document import Document as MicroDocument
from crossover.cost.measured import ON_ONE_MACHINE
from crossover.errors import CrossoverError

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGE = DOCS / "performance.md"
RESULTS = ROOT / "benchmarks/results"
MICRO, PEERS, IMAGE = RESULTS / "micro.json.gz", RESULTS / "peers.json.gz", RESULTS / "micro-image.json.gz"

INTRODUCTION = """\
# Performance

<!-- Written by `python -m benchmarks.performance` from benchmarks/results/*.json.gz and the texts in that module. -->

How long this project's own parts take, and how they compare with other implementations of the same task, on [one
machine](#the-machine). `make performance` measures all of it again on yours and writes this page; it needs no AWS.
**No figure here is AWS's**: a deployed variant is measured with `crossover bench run`.

Ratios are valid within one run, in which fresh processes of all implementations take turns. Among handlers, a ratio is
the median of the ratios within each turn, not the ratio of two medians. The raw results, with every observation and
those of disturbed moments too, are the files in `benchmarks/results`. All but [Pictures](#pictures) is about audio: the
comparisons with other implementations are of the audio model only."""

TARGETS = "## Targets"

HANDLERS = """\
## The handler compared with other implementations

`ours` is the standard variant's handler in the bundle that is deployed. `usual` is how such a handler is commonly
written. `tflite` runs the file that the ONNX model was made from, in its own interpreter. Each has its packages in a
folder of its own, on the same Python, with S3 and DynamoDB answered on loopback. A handler that labels the clip
differently from `ours` is not measured.

TFLite computes the network in 8-bit integers, this project in float32. 8-bit values take less memory, and their
products less time on a processor with instructions for them (VNNI). Why the model stays in float32 is in
[decision 10](decisions/0010-float-activations.md). Most of the time of decoding FLAC is libFLAC's own, in every
implementation; why it stays although another decoder is faster is in
[decision 12](decisions/0012-flac-by-libflac.md)."""

SERVERS = """\
## The container compared with other servers

Every server has the same ONNX file and decodes with the same soundfile and soxr. wrk posts the speech clip as WAV over
kept-alive connections, on the same cores as the server. Each peer runs in two settings, since either may suit it
better: one worker with onnxruntime's default session, and one worker for each core with one thread each. The baseline
is the same work in bare loops without HTTP; wrk's own share of the cores is part of the distance to it. The speed of a
shared machine changes within seconds, so such loops run right before each step, and after it as soon as the server has
finished wrk's last requests. The ratios compare each server's figures relative to the baseline of its own steps: two
servers with equal figures in milliseconds may have different ratios. `ours` has more turns than each of the others,
since all are compared with it. Decisions [9](decisions/0009-lean-event-loop.md) and
[11](decisions/0011-no-web-framework.md) say where the rest of the time goes.

The rows of `ours` are those of an earlier container, from before starlette and ThreadPoolExecutor replaced the
project's own modules. Its event loop has taken 0.5 to 0.8 ms of CPU time more for each request since then, 1-2 % of a
request of this page's clip ([decision 13](decisions/0013-container-from-libraries.md)); `make performance` measures the
container as it is."""

PHASES = """\
## Phases of a call

The standard variant's handler, phase by phase, in fresh processes. The model comes from an S3 on loopback."""

SIZES = """\
## Memory sizes

Each memory size has Lambda's share of vCPUs, as a CPU quota where one can be set. GB-seconds and USD are those of the
handler's own work: S3 and DynamoDB answer on loopback, and AWS's own time is not included."""

PICTURES = """\
## Pictures

The standard variant's handler with the image model, EfficientNet-Lite0, on `coffee.jpg` of 600 x 400 pixels, measured
by `crossover bench micro --model image` in a run of its own. Within it the audio model's cold starts take turns with
the image model's. The baseline of a warm call is Pillow's usual way: the whole picture decoded, cropped, resized and
normalised.

The JPEGs of 12 megapixels are that picture enlarged, with little and with much of the noise of a camera. The handler
decodes them at a reduced scale, since the model's input is far smaller, and its time includes cropping, resizing and
normalising, which Pillow's does not. A reduced scale saves the transform of the blocks but not the reading of the
coefficients, of which detail has more: so the gain is small for a file of many bytes. A run in which the label
differs from that of the full decoding fails.

That run shared the two cores with other work, as its load average says: its durations are longer than those of the
audio model above, and are not to be compared with them; its ratios are of processes that took turns."""

MACHINE = "## The machine"


def main() -> None:
    """Write the page, or print in one sentence why not and exit with 1."""
    try:
        write()
    except CrossoverError as error:
        sys.exit(f"performance: {error}")


def write() -> None:
    """Write the page from the results.

    Raises:
        CrossoverError: a result is missing, of another kind or damaged, or the page cannot be written.
    """
    micro = cast(MicroDocument, read(MICRO, ON_ONE_MACHINE, measure.SCHEMA))
    peers = cast(measure_peers.Document, read(PEERS, measure_peers.KIND, measure_peers.SCHEMA))
    image = cast(MicroDocument, read(IMAGE, ON_ONE_MACHINE, measure.SCHEMA))
    missing = [part for part in measure_peers.PARTS if part not in peers]
    if missing:
        raise CrossoverError(f"{PEERS} has no {missing[0]}; the page needs {' and '.join(measure_peers.PARTS)}.")
    try:
        text = page(micro, peers, image)
    except (KeyError, TypeError, ValueError) as error:
        raise CrossoverError(f"{MICRO}, {PEERS} or {IMAGE} is damaged: {error!r}.") from error
    try:
        PAGE.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CrossoverError(f"{PAGE} cannot be written: {error.strerror}.") from error


def read(path: Path, kind: str, schema: int) -> Mapping[str, object]:
    """A result.

    Raises:
        CrossoverError: it cannot be read, or is of another kind or schema.
    """
    if not path.exists():
        raise CrossoverError(f"There is no {path}; `{kind} --output` writes it.")
    document = documents.read(path)
    if not isinstance(document, dict) or (document.get("schema"), document.get("kind")) != (schema, kind):
        raise CrossoverError(f"{path} is not a result of `{kind}` of schema {schema}.")
    return document


def page(micro: MicroDocument, peers: measure_peers.Document, image: MicroDocument) -> str:
    """The page, as Markdown.

    Args:
        micro: a result of `crossover bench micro`.
        peers: a result of `python -m benchmarks peers`, with both parts.
        image: a result of `crossover bench micro --model image`.
    """
    image_cold, image_warm, image_sizes, image_promised = micro_tables.tables(image)
    cold, warm, sizes, promised = micro_tables.tables(micro)
    blocks: list[str | Table] = [
        INTRODUCTION,
        TARGETS,
        _list(measure_peers.sentences(peers)),
        promised,
        HANDLERS,
        *handler_tables.tables(peers["handlers"]),
        SERVERS,
        *server_tables.tables(peers["serving"]),
        PHASES,
        cold,
        warm,
        SIZES,
        sizes,
        _list(micro_tables.sentences(micro)),
        PICTURES,
        image_promised,
        image_cold,
        image_warm,
        image_sizes,
        _list(micro_tables.sentences(image)),
        MACHINE,
        _machine_table(micro, image, peers),
    ]
    return "\n\n".join(markdown(block) if isinstance(block, Table) else block for block in blocks) + "\n"


def speed_table(micro: MicroDocument, peers: measure_peers.Document) -> str:
    """The README's table, as Markdown: a few of the page's figures. The arguments are as those of `page`."""
    handlers, serving = peers["handlers"], peers["serving"]
    table = Table("", "median", "compared with", "ratio")

    def of_handlers(name: str, part: str, subject: str, measure: str, unit: str) -> None:
        rows = {
            row["implementation"]: row
            for row in handlers["summary"]
            if (row["part"], row["subject"], row["measure"]) == (part, subject, measure)
        }
        ours, usual = rows["ours"]["median"], rows["usual"]["median"]
        ratio_to_ours = rows["usual"]["ratio_to_ours"]
        ratio = f"{1 / ratio_to_ours:.2f}" if ratio_to_ours else ""
        table.add_row(
            name, f"{ours:,.1f} {unit}", f"the usual implementation, with librosa: {usual:,.1f} {unit}", ratio
        )

    def of_serving(clients: int) -> None:
        rows = {row["server"]: row for row in serving["summary"] if row["clients"] == clients}
        speed = {
            name: row["ratio_to_ours"]["requests_per_second"] or 0.0 for name, row in rows.items() if name != "ours"
        }
        best = max(speed, key=lambda name: speed[name])
        ours, other = (f"{rows[name]['figures']['requests_per_second']:.1f} requests/s" for name in ("ours", best))
        name = f"the container, {counted(clients, 'client')}"
        table.add_row(name, ours, f"the best other server, {best}: {other}", f"{1 / speed[best]:.2f}")

    for each in micro["measurements"]:
        middle, unit = median(each["observed"]), each["unit"]
        baseline = f"{each['baseline_name']}: {median(each['baseline']):.1f} {unit}" if each["baseline"] else ""
        ratio = f"{each['result']:.2f}" if each["baseline"] else ""
        table.add_row(each["name"], f"{middle:.1f} {unit}", baseline, ratio)
    of_handlers("cold start, spawn to first answer", "handler", handlers["speech"], "cold_ms", "ms")
    stereo = handlers["clips"][0]["name"]
    of_handlers(f"decoding and resampling {stereo}", "decode", stereo, "warm_ms", "ms")
    numbers = [row["clients"] for row in serving["summary"]]
    for clients in (min(numbers), max(numbers)):
        of_serving(clients)
    return markdown(table)


def markdown(table: Table) -> str:
    """A printed table as Markdown: title, rows and caption, without the lines between sections."""
    columns = [
        [
            _text(column.header),
            "---:" if column.justify == "right" else "---",
            *(_text(cell, "<br>") for cell in column.cells),
        ]
        for column in table.columns
    ]
    rows = "\n".join(f"| {' | '.join(row)} |" for row in zip(*columns, strict=True))
    title = f"**{_text(table.title)}**" if table.title else ""
    caption = _text(table.caption) if table.caption else ""
    return "\n\n".join(block for block in (title, rows, caption) if block)


def _text(printed: RenderableType, line_break: str = " ") -> str:
    """The text that rich prints of a title or a cell, without its style."""
    plain = printed.plain if isinstance(printed, Text) else Text.from_markup(str(printed)).plain
    return line_break.join(_escaped(" ".join(line.split())) for line in plain.splitlines())


def _escaped(text: str) -> str:
    """Markdown that shows this text. Between letters _ is not markup; in a table | ends a cell."""
    return re.sub(r"[\\`*\[\]<&|~]|(?<![^\W_])_|_(?![^\W_])", r"\\\g<0>", text)


def _list(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {_escaped(sentence)}" for sentence in sentences)


def _machine_table(micro: MicroDocument, image: MicroDocument, peers: measure_peers.Document) -> Table:
    """What affects the figures of each result; of peers, each part can be measured alone."""
    table = Table("", micro["kind"], f"{image['kind']} --model image", peers["kind"])
    machines = [micro["machine"], image["machine"], peers["machine"]]
    parts = f"handlers {peers['handlers']['measured_at']}, serving {peers['serving']['measured_at']}"
    packages = [", ".join(f"{name} {version}" for name, version in each["packages"].items()) for each in machines]
    for name, values in (
        ("measured at", [micro["measured_at"], image["measured_at"], parts]),
        ("processor", [each["processor"] for each in machines]),
        ("processors", [each["processors"] for each in machines]),
        ("memory", [f"{each['memory_mb'] / 1024:.1f} GiB" for each in machines]),
        ("kernel", [each["kernel"] for each in machines]),
        ("Python of the handlers", [each["python"] for each in machines]),
        ("packages of the handlers", packages),
        ("load average before, 1 minute", [each["load_average"][0] for each in machines]),
    ):
        table.add_row(name, *(Text(str(value)) for value in values))
    return table


if __name__ == "__main__":
    main()
