"""Chart geometry: days along the width in percent, heights in pixels, so that text is never stretched.

Charts are plain SVG rendered by the server: they need no script, can be printed, and have a few kilobytes.
"""

import math
from collections.abc import Iterator, Sequence
from datetime import date, datetime

from msgspec import Struct

from api.dashboard.figures import Figure
from api.dashboard.formatting import Value, shown

TOP, HEIGHT = 10, 180
MOST_LABELS = 6
STEPS = (1, 2, 2.5, 5, 10)
TICKS = 4


class Tick(Struct, frozen=True):
    """A line of the grid: its height in pixels from the top, and its label."""

    y: float
    label: str


class Label(Struct, frozen=True):
    """A label below the days, its middle in percent of the width; on narrow screens, `spare` labels are hidden."""

    x: float
    label: str
    last: bool
    spare: bool


class Line(Struct, frozen=True):
    """One series: its runs without a gap, as SVG paths over a square of 100, and its single and last points."""

    title: str
    style: int
    runs: tuple[str, ...]
    dots: tuple[tuple[float, float], ...]
    last: str


class Bar(Struct, frozen=True):
    """One day's bar."""

    x: float
    width: float
    y: float
    height: float


class Band(Struct, frozen=True):
    """Days that are incomplete (`gap` False) or unknown (`gap` True)."""

    x: float
    width: float
    gap: bool


class Chart(Struct, frozen=True, kw_only=True):
    """A chart over days."""

    ticks: tuple[Tick, ...]
    labels: tuple[Label, ...]
    axis_width: int
    lines: tuple[Line, ...] = ()
    bars: tuple[Bar, ...] = ()
    bands: tuple[Band, ...] = ()


def draw(figure: Figure) -> Chart:
    """Return the chart of a figure whose rows are days: its `drawn` columns as lines, or the first one as bars."""
    places = [place for place, column in enumerate(figure.columns) if column.drawn]
    columns = [[_number(row.cells[place]) for row in figure.rows] for place in places]
    kind = figure.columns[places[0]].kind
    top = scale(max((value for column in columns for value in column if value is not None), default=0), kind == "count")
    ticks = tuple(Tick(_y(top * part / TICKS, top), _tick(top * part / TICKS, kind)) for part in range(TICKS + 1))
    days = [row.cells[0] for row in figure.rows if isinstance(row.cells[0], date)]
    lined = figure.shape == "lines"
    return Chart(
        ticks=ticks,
        labels=tuple(_labels(days)),
        axis_width=8 * max(len(tick.label) for tick in ticks) + 10,
        lines=tuple(
            _line(figure.columns[place].title, style, values, top, kind)
            for style, (place, values) in enumerate(zip(places, columns, strict=True))
        )
        if lined
        else (),
        bars=() if lined else tuple(_bars(columns[0], top)),
        bands=tuple(_bands(figure)),
    )


def scale(highest: float, whole: bool) -> float:
    """Return the top of the axis: the smallest round number not below `highest` that gives round ticks. An empty chart
    gets a readable size."""
    least = max(highest, TICKS if whole or not highest else 1e-9) / TICKS
    power = 10.0 ** math.floor(math.log10(least))
    steps = [step * power for step in STEPS if not whole or (step * power).is_integer()]
    return TICKS * next((step for step in steps if step >= least * (1 - 1e-12)), 10 * power)


def x_of(place: int, count: int) -> float:
    """Return the middle of a day, in percent of the width."""
    return round(100 * (place + 0.5) / count, 3)


def _y(value: float, top: float) -> float:
    return round(TOP + HEIGHT * (1 - value / top), 2)


def _number(value: Value) -> float | None:
    return None if value is None or isinstance(value, str | date) else float(value)


def _tick(value: float, kind: str) -> str:
    return f"{value:g} %" if kind == "percent" else f"{value:,.12g}"


def _whole(value: float) -> float | int:
    return int(value) if value.is_integer() else value


def _labels(days: Sequence[date]) -> Iterator[Label]:
    step = max(1, math.ceil(len(days) / MOST_LABELS))
    for number, place in enumerate(range(len(days) - 1, -1, -step)):
        yield Label(x_of(place, len(days)), _label(days[place]), number == 0, number % 2 == 1)


def _label(at: date) -> str:
    return f"{at:%H:%M}" if isinstance(at, datetime) else f"{at.day} {at:%b}"


def _line(title: str, style: int, values: Sequence[float | None], top: float, kind: str) -> Line:
    runs, dots = [], []
    for run in _runs(values):
        points = [(x_of(place, len(values)), round(100 * (1 - value / top), 2)) for place, value in run]
        runs.append("M" + "L".join(f"{x:g},{y:g}" for x, y in points))
        if len(points) == 1 or run[-1][0] == len(values) - 1:
            dots.append((points[-1][0], _y(run[-1][1], top)))
    known = [value for value in values if value is not None]
    last = shown(_whole(known[-1]), "percent" if kind == "percent" else "count") if known else ""
    return Line(title, style, tuple(runs), tuple(dots), last)


def _runs(values: Sequence[float | None]) -> Iterator[list[tuple[int, float]]]:
    """Yield the stretches without a gap: unknown values are not drawn."""
    run: list[tuple[int, float]] = []
    for place, value in enumerate(values):
        if value is not None:
            run.append((place, value))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _bars(values: Sequence[float | None], top: float) -> Iterator[Bar]:
    width = 100 / len(values) if values else 0
    for place, value in enumerate(values):
        if value:
            y = _y(value, top)
            yield Bar(round((place + 0.15) * width, 3), round(0.7 * width, 3), y, round(TOP + HEIGHT - y, 2))


def _bands(figure: Figure) -> Iterator[Band]:
    width = 100 / len(figure.rows) if figure.rows else 0
    for place, row in enumerate(figure.rows):
        if not row.complete:
            yield Band(round(place * width, 3), round(width, 3), not row.known)
