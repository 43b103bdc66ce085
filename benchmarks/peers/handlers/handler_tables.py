"""What `python -m benchmarks peers` prints of the handlers, and whether they reach their targets."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from rich.markup import escape
from rich.table import Table

from benchmarks.peers.handlers.handler_observations import BASELINE, OURS, Row, Section
from benchmarks.peers.handlers.implementations import TFLITE, USUAL
from benchmarks.peers.target import Target
from crossover.terminal import printable

MAX_COLD_RATIO, MAX_DECODE_RATIO = 0.36, 0.6


class Column(NamedTuple):
    """A column of figures: its heading, and which field of which measure it shows."""

    heading: str
    measure: str
    field: Literal["median", "ratio_to_ours", "ratio_to_baseline"] = "median"
    digits: int = 2


HANDLERS = (
    Column("cold ms", "cold_ms", digits=0),
    Column("x ours", "cold_ms", "ratio_to_ours"),
    Column("CPU s", "cold_cpu_s"),
    Column("peak MB", "peak_mb", digits=0),
    Column("warm ms", "warm_ms", digits=1),
    Column("x ours", "warm_ms", "ratio_to_ours"),
    Column("x baseline", "warm_ms", "ratio_to_baseline"),
    Column("CPU ms", "warm_cpu_ms", digits=1),
    Column("x ours", "warm_cpu_ms", "ratio_to_ours"),
)
DECODING = (
    Column("first ms", "first_ms", digits=1),
    Column("warm ms", "warm_ms"),
    Column("x ours", "warm_ms", "ratio_to_ours"),
    Column("x baseline", "warm_ms", "ratio_to_baseline"),
    Column("CPU ms", "warm_cpu_ms"),
)
MODEL = (
    Column("import ms", "import_ms", digits=0),
    Column("load ms", "load_ms", digits=1),
    Column("peak MB", "peak_mb", digits=0),
    Column("run ms", "warm_ms", digits=1),
    Column("x baseline", "warm_ms", "ratio_to_baseline"),
    Column("CPU ms", "warm_cpu_ms", digits=1),
    Column("x baseline", "warm_cpu_ms", "ratio_to_baseline"),
)


def tables(section: Section) -> list[Table]:
    """The implementations; cold starts and warm calls; decoding; the model alone."""
    how_often = (
        f"Medians; {section['processes']} fresh processes of each, {section['calls']} warm calls in each process, in "
        "turns. Ratios are medians of the ratios within the same turn."
    )
    return [
        _implementations_table(section),
        _table(
            section,
            "handler",
            f"Cold start, spawn to the first answer, and warm calls: {section['speech']}",
            {},
            HANDLERS,
            f"{how_often} S3 and DynamoDB answer on loopback. Baseline: bare decode, resample and session.run, in our "
            "process.",
        ),
        _table(
            section,
            "decode",
            "Decoding to 16 kHz mono",
            {USUAL: "librosa.load", BASELINE: "baseline"},
            DECODING,
            "First: the first call of a process that has imported its handler. Baseline: soundfile.read alone.",
        ),
        _table(
            section,
            "model",
            f"The model alone: {section['speech']}",
            {OURS: "ONNX", TFLITE: "TFLite"},
            MODEL,
            "ONNX is the bare session.run, and the baseline. TFLite computes with 8-bit activations, ONNX with "
            "float32: the same network, another computation.",
        ),
    ]


def targets(section: Section) -> list[Target]:
    """The targets: our time as a part of the usual handler's."""
    ratios = {
        (row["part"], row["subject"], row["measure"]): row["ratio_to_ours"]
        for row in section["summary"]
        if row["implementation"] == USUAL
    }

    def target(name: str, part: str, subject: str, measure: str, at_most: float) -> Target:
        ratio = ratios.get((part, subject, measure))
        return Target.at_most(name, 1 / ratio if ratio else None, at_most)

    speech, stereo = section["speech"], section["clips"][0]["name"]
    return [
        target("cold start, of the usual handler's", "handler", speech, "cold_ms", MAX_COLD_RATIO),
        target(f"decoding {stereo}, warm, of librosa.load's", "decode", stereo, "warm_ms", MAX_DECODE_RATIO),
    ]


def _implementations_table(section: Section) -> Table:
    table = Table(title="Handlers", title_justify="left", show_edge=False, header_style="bold")
    table.add_column("handler")
    table.add_column("what it is")
    for size in ("package MB", "model MB"):
        table.add_column(size, justify="right")
    for name, about in section["implementations"].items():
        failed = sum(each["implementation"] == name and bool(each["error"]) for each in section["observations"])
        reason = about["unavailable"] or (f"{failed} of its processes failed, see the result." if failed else "")
        sizes = [about.get("package_bytes"), about.get("model_bytes")]
        table.add_row(
            name,
            about["description"] + (f"\n✗ {escape(printable(reason))}" if reason else ""),
            *("-" if size is None else f"{size / 1e6:.1f}" for size in sizes),
        )
    table.caption = "Python 3.12, bytecode included. Lambda has a boto3 of its own, which a package may leave out."
    table.caption_justify = "left"
    return table


def _table(
    section: Section,
    part: str,
    title: str,
    names: Mapping[str, str],
    columns: tuple[Column, ...],
    caption: str,
) -> Table:
    """A row for each subject and handler, with a dash for what was not measured. A single subject is not named."""
    table = Table(title=title, title_justify="left", caption=caption, caption_justify="left")
    table.show_edge, table.header_style = False, "bold"
    rows = {
        (row["subject"], row["implementation"], row["measure"]): row
        for row in section["summary"]
        if row["part"] == part
    }
    pairs = list(dict.fromkeys((subject, name) for subject, name, _ in rows))
    has_subjects = len({subject for subject, _ in pairs}) > 1
    if has_subjects:
        table.add_column("on", overflow="fold")
    table.add_column("handler", no_wrap=True)
    for column in columns:
        table.add_column(column.heading.replace(" ", "\n"), justify="right")  # narrow enough for 80 columns
    last = ""
    for subject, name in pairs:
        if subject != last:
            table.add_section()
        heads = ["" if subject == last else subject] if has_subjects else []
        cells = [_cell(rows.get((subject, name, column.measure)), column) for column in columns]
        table.add_row(*heads, names.get(name, name), *cells)
        last = subject
    return table


def _cell(row: Row | None, column: Column) -> str:
    figure = row[column.field] if row else None
    return "-" if figure is None else f"{figure:,.{column.digits}f}"
