"""What `python -m benchmarks peers` prints of the section `handlers`, and what was promised of it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from rich.markup import escape
from rich.table import Table

from benchmarks.peers.handlers.observation import LIMIT, OURS
from benchmarks.peers.handlers.sides import TFLITE, USUAL
from benchmarks.peers.target import Target
from crossover.terminal import printable

COLD_AT_MOST, DECODE_AT_MOST = 0.36, 0.6


class Column(NamedTuple):
    """A column of figures: its heading, and which field of which measure's summary stands in it."""

    heading: str
    measure: str
    field: str = "median"
    digits: int = 2


HANDLERS = (
    Column("cold ms", "cold_ms", digits=0),
    Column("x ours", "cold_ms", "to_ours"),
    Column("CPU s", "cold_cpu_s"),
    Column("peak MB", "peak_mb", digits=0),
    Column("warm ms", "warm_ms", digits=1),
    Column("x ours", "warm_ms", "to_ours"),
    Column("x limit", "warm_ms", "to_limit"),
    Column("CPU ms", "warm_cpu_ms", digits=1),
    Column("x ours", "warm_cpu_ms", "to_ours"),
)
DECODING = (
    Column("first ms", "first_ms", digits=1),
    Column("warm ms", "warm_ms"),
    Column("x ours", "warm_ms", "to_ours"),
    Column("x limit", "warm_ms", "to_limit"),
    Column("CPU ms", "warm_cpu_ms"),
)
MODEL = (
    Column("import ms", "import_ms", digits=0),
    Column("load ms", "load_ms", digits=1),
    Column("peak MB", "peak_mb", digits=0),
    Column("run ms", "warm_ms", digits=1),
    Column("x limit", "warm_ms", "to_limit"),
    Column("CPU ms", "warm_cpu_ms", digits=1),
    Column("x limit", "warm_cpu_ms", "to_limit"),
)


def tables(section: Mapping[str, Any]) -> list[Table]:
    """The sides; cold starts and warm calls; decoding; the model alone."""
    how_often = (
        f"Medians; {section['processes']} fresh processes a side, {section['calls']} warm calls in each, in turn. "
        "Ratios are medians of what each was of the other in the same turn."
    )
    return [
        _sides_table(section),
        _table(
            section,
            "handler",
            f"Cold start, spawn to the first answer, and warm calls: {section['speech']}",
            {},
            HANDLERS,
            f"{how_often} S3 and DynamoDB answer on loopback. limit: bare decode, resample and session.run, in ours.",
        ),
        _table(
            section,
            "decode",
            "Decoding to 16 kHz mono",
            {USUAL: "librosa.load", LIMIT: "limit"},
            DECODING,
            "first: the first call of a process that has imported its handler. limit: soundfile.read alone.",
        ),
        _table(
            section,
            "model",
            f"The model alone: {section['speech']}",
            {OURS: "ONNX", TFLITE: "TFLite"},
            MODEL,
            "ONNX is the bare session.run, the limit. TFLite computes with 8-bit activations, ONNX with float32: the "
            "same network, another computation.",
        ),
    ]


def targets(section: Mapping[str, Any]) -> list[Target]:
    """What was promised: ours as a part of the usual handler's."""
    ratios = {
        (row["part"], row["subject"], row["measure"]): row["to_ours"]
        for row in section["summary"]
        if row["side"] == USUAL
    }

    def target(name: str, part: str, subject: str, measure: str, at_most: float) -> Target:
        ratio = ratios.get((part, subject, measure))
        return Target.at_most(name, 1 / ratio if ratio else None, at_most)

    speech, stereo = section["speech"], section["clips"][0]["name"]
    return [
        target("cold start, of the usual handler's", "handler", speech, "cold_ms", COLD_AT_MOST),
        target(f"decoding {stereo}, warm, of librosa.load's", "decode", stereo, "warm_ms", DECODE_AT_MOST),
    ]


def _sides_table(section: Mapping[str, Any]) -> Table:
    table = Table(title="Handlers", title_justify="left", show_edge=False, header_style="bold")
    table.add_column("side")
    table.add_column("what it is")
    for size in ("package MB", "model MB"):
        table.add_column(size, justify="right")
    for name, side in section["sides"].items():
        failed = sum(each["side"] == name and bool(each["error"]) for each in section["observations"])
        reason = side["unavailable"] or (f"{failed} of its processes failed, see the result." if failed else "")
        sizes = [side.get(size) for size in ("package_bytes", "model_bytes")]
        table.add_row(
            name,
            side["what"] + (f"\n✗ {escape(printable(reason))}" if reason else ""),
            *("-" if size is None else f"{size / 1e6:.1f}" for size in sizes),
        )
    table.caption = "Python 3.12, bytecode included. Lambda has a boto3 of its own, which a package may leave out."
    table.caption_justify = "left"
    return table


def _table(
    section: Mapping[str, Any],
    part: str,
    title: str,
    names: Mapping[str, str],
    columns: tuple[Column, ...],
    caption: str,
) -> Table:
    """A row for each subject and side; a dash for what was not measured. A single subject is not named."""
    table = Table(title=title, title_justify="left", caption=caption, caption_justify="left")
    table.show_edge, table.header_style = False, "bold"
    rows = {(row["subject"], row["side"], row["measure"]): row for row in section["summary"] if row["part"] == part}
    sides = list(dict.fromkeys((subject, side) for subject, side, _ in rows))
    several = len({subject for subject, _ in sides}) > 1
    if several:
        table.add_column("on", overflow="fold")
    table.add_column("side", no_wrap=True)
    for column in columns:
        table.add_column(column.heading.replace(" ", "\n"), justify="right")  # narrow enough for 80 columns
    last = ""
    for subject, side in sides:
        if subject != last:
            table.add_section()
        figures = [rows.get((subject, side, column.measure), {}).get(column.field) for column in columns]
        cells = [
            "-" if figure is None else f"{figure:,.{column.digits}f}"
            for figure, column in zip(figures, columns, strict=True)
        ]
        named = ["" if subject == last else subject] * several
        table.add_row(*named, names.get(side, side), *cells)
        last = subject
    return table
