"""The picture of the pipeline, docs/images/pipeline.svg. `make pictures` writes it, and a test that it is current.

The variants come from the registry. It has its own background, so it reads on a light and on a dark page.
"""

from pathlib import Path
from xml.sax.saxutils import escape

from crossover.cost.variants import VARIANTS, by_default

PICTURE = Path(__file__).resolve().parents[1] / "docs/images/pipeline.svg"

WIDTH, MARGIN = 960, 24
MIDDLE = 178  # of the row upload, bucket, compute, table
ROW = 46  # height of a variant
INK, GREY, PAPER, FRAME = "#1f2933", "#52606d", "#ffffff", "#cbd2d9"
S3, COMPUTE, DYNAMODB, SQS = "#3f8624", "#c2410c", "#2457c5", "#b0084d"
FONTS = "system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif"


def svg() -> str:
    """The picture, as text."""
    rows = [(VARIANTS[name].title, VARIANTS[name].summary) for name in by_default()]
    box_height = 44 + ROW * len(rows) + 8
    box_top = MIDDLE - box_height / 2
    bottom = box_top + box_height
    queue_top = bottom + 44
    height = queue_top + 64 + MARGIN
    parts = [
        _text(MARGIN + 12, 44, "One pipeline, exchangeable compute", size=19, weight=700),
        _card(36, MIDDLE - 38, 104, 76, GREY, "upload", "a file"),
        _arrow(140, MIDDLE, 192, MIDDLE),
        _card(196, MIDDLE - 38, 132, 76, S3, "S3", "input bucket"),
        _arrow(328, MIDDLE, 398, MIDDLE, "event"),
        _box(402, box_top, 322, box_height, COMPUTE, "compute: one of"),
    ]
    for number, (title, how) in enumerate(rows):
        top = box_top + 44 + ROW * number
        parts += [
            f'<rect x="414" y="{top:g}" width="298" height="{ROW - 8}" rx="6" fill="#fff7f2" stroke="#f3c6ad"/>',
            _text(424, top + (16 if how else 24), title, size=13, weight=600),
            _text(424, top + 31, how, size=11.5, colour=GREY) if how else "",
        ]
    parts += [
        _arrow(724, MIDDLE, 788, MIDDLE, "item"),
        _card(792, MIDDLE - 38, 132, 76, DYNAMODB, "DynamoDB", "predictions"),
        _arrow(563, bottom, 563, queue_top - 4, dashed=True),
        _text(575, bottom + 27, "after its retries", size=12, colour=GREY),
        _card(475, queue_top, 176, 60, SQS, "SQS", "dead-letter queue"),
        _arrow(430, queue_top + 30, 430, bottom + 4, dashed=True, start=(475, queue_top + 30)),
        _text(420, queue_top + 20, "redrive", size=12, colour=GREY, anchor="end"),
        _card(792, queue_top, 132, 60, GREY, "model.onnx", "one file for all"),
        _arrow(696, queue_top + 30, 696, bottom + 4, dashed=True, start=(792, queue_top + 30)),
    ]
    body = "\n".join(part for part in parts if part)
    titles = escape(", ".join(title for title, _ in rows))
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}"
 role="img" aria-labelledby="title description" font-family="{FONTS}">
<title id="title">The pipeline: S3, compute, DynamoDB and a dead-letter queue</title>
<desc id="description">An upload to the S3 bucket sends an event to the compute, which is one of {titles}.
It writes an item to DynamoDB. An event that fails for good goes to the dead-letter queue, and can be redriven.</desc>
<defs>
<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">
<path d="M0 0 8 4 0 8z" fill="{GREY}"/>
</marker>
</defs>
<rect x="1" y="1" width="{WIDTH - 2}" height="{height - 2:g}" rx="14" fill="{PAPER}" stroke="{FRAME}"/>
{body}
</svg>
"""


def _text(
    x: float, y: float, text: str, *, size: float, weight: int = 400, colour: str = INK, anchor: str = "start"
) -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" font-weight="{weight}" fill="{colour}" '
        f'text-anchor="{anchor}">{escape(text)}</text>'
    )


def _box(x: float, y: float, width: float, height: float, colour: str, title: str) -> str:
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="10" fill="{PAPER}" stroke="{colour}" '
        f'stroke-width="2"/>' + _text(x + 14, y + 28, title, size=15, weight=700, colour=colour)
    )


def _card(x: float, y: float, width: float, height: float, colour: str, title: str, subtitle: str) -> str:
    middle = x + width / 2
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="10" fill="{PAPER}" stroke="{colour}" '
        f'stroke-width="2"/>'
        + _text(middle, y + height / 2 - 2, title, size=16, weight=700, colour=colour, anchor="middle")
        + _text(middle, y + height / 2 + 17, subtitle, size=12.5, colour=GREY, anchor="middle")
    )


def _arrow(
    x1: float,
    y1: float,
    x2: float,
    y2: float,
    label: str = "",
    *,
    dashed: bool = False,
    start: tuple[float, float] | None = None,
) -> str:
    path = f"M{start[0]:g} {start[1]:g} L{x1:g} {y1:g}" if start else f"M{x1:g} {y1:g}"
    dash = ' stroke-dasharray="5 4"' if dashed else ""
    line = (
        f'<path d="{path} L{x2:g} {y2:g}" fill="none" stroke="{GREY}" stroke-width="1.8"{dash} marker-end="url(#tip)"/>'
    )
    return line + (_text((x1 + x2) / 2, y1 - 9, label, size=12, colour=GREY, anchor="middle") if label else "")


def main() -> None:
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_text(svg())


if __name__ == "__main__":
    main()
