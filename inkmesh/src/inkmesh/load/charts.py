"""The charts, one under the other on one time axis. Matplotlib is imported when they are drawn: that takes a second."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from inkmesh.load import drift, findings
from inkmesh.load.series import Line, Series

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#b8a000", "#332288")
"""Okabe and Ito's: apart for everyone, also in grey."""
GREY = "#666666"
STYLE: dict[Any, Any] = {
    "font.size": 9, "axes.titlesize": 10, "axes.titleweight": "bold", "axes.titlelocation": "left",
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.color": "#e5e5e5",
    "axes.axisbelow": True, "legend.frameon": False, "legend.fontsize": 8, "svg.fonttype": "none",
    "font.family": ["DejaVu Sans", "sans-serif"], "svg.hashsalt": "inkmesh",
}  # fmt: skip


@dataclass(frozen=True)
class Size:
    """How wide a drawing is, in inches, and how its titles are broken."""

    width: float
    height: float
    """Of one chart."""
    title: int
    """Characters in a line of a title."""
    beside: bool
    """Whether there is room for legends beside the charts."""


WIDE = Size(11.0, 1.95, 120, beside=True)
NARROW = Size(4.8, 2.35, 52, beside=False)


LABEL = 20
"""The longest words of a legend with room for two more beside them, under a narrow chart."""
LOW = 0.3
"""The height of a chart that has nothing to show: its title says so."""


@dataclass(frozen=True)
class Panel:
    """One chart: what it found, its axis, and what draws it."""

    title: str
    unit: str
    draw: Callable[[Axes], None]
    height: float = 1.0
    """As a share of the others'."""


def panels(series: Series, p95_ms: float | None) -> Iterator[Panel]:
    """Every chart that has something to show."""
    arrivals = series.recording.plan["arrivals"] == "open"
    yield Panel(findings.load(series, p95_ms), "a second" if arrivals else "users;\nrequests/s",
                lambda axes: _load(axes, series, "arrivals/s wanted" if arrivals else "users"))  # fmt: skip
    yield Panel(findings.latency(series, p95_ms), "milliseconds", lambda axes: _latency(axes, series, p95_ms))
    errors = series.counted("errors")
    yield Panel(findings.errors(series), "failures/s", lambda axes: _stack(axes, errors), 1.0 if errors else LOW)
    if any(line.known() for line in series.pressure()):
        yield Panel(findings.pressure(series), "% of its target", lambda axes: _pressure(axes, series))
        yield Panel(findings.replicas(series), "replicas", lambda axes: _replicas(axes, series))
    for name in series.scaled()[:3]:
        lines = series.served(name)
        yield Panel(findings.spread(name, lines), "requests/s", lambda axes, lines=lines: _stack(axes, lines))  # type: ignore[misc]
    versions = sorted(series.counted("versions"), key=lambda line: line.name)
    yield Panel(findings.versions(versions), "% of readings", lambda axes: _shares(axes, versions))
    if series.recording.plan.get("drift"):
        yield Panel(drift.finding(series), "PSI", lambda axes: _drift(axes, series))
    quiet = not any(line.highest() for line, _ in _happened(series))
    yield Panel(findings.events(series), "count", lambda axes: _events(axes, series), LOW if quiet else 1.0)
    yield Panel(findings.generator(series), "cores", lambda axes: _generator(axes, series))


def figure(series: Series, p95_ms: float | None, size: Size) -> Figure:
    """All charts in one figure."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    found = list(panels(series, p95_ms))
    with mpl.rc_context(STYLE):
        heights = [panel.height for panel in found]
        drawn = Figure(figsize=(size.width, size.height * sum(heights)), layout="constrained")
        axes_of = drawn.subplots(len(found), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
        for panel, axes in zip(found, axes_of, strict=True):
            panel.draw(axes)
            axes.set_title("\n".join(textwrap.wrap(panel.title, size.title)))
            axes.set_ylabel(panel.unit)
            axes.set_ylim(0, max(axes.get_ylim()[1], 1e-3))
            if panel.height == 1.0:
                _legend(axes, size, last=axes is axes_of[-1])
            for mark in series.marks():
                axes.axvline(mark.x, color=GREY, linestyle=":", linewidth=1)
        at_top = ("data", "axes fraction")
        for mark in series.marks():
            axes_of[0].annotate(mark.text, (mark.x, 1), xycoords=at_top, color=GREY, rotation=90, va="top", ha="right")
        axes_of[-1].set_xlabel("seconds since the run began")
        axes_of[-1].set_xlim(left=0)
        drawn.align_ylabels()
    return drawn


def svg(drawn: Figure) -> str:
    """The figure as an `<svg>` element that scales with its place."""
    import matplotlib as mpl

    out = io.StringIO()
    with mpl.rc_context(STYLE):
        drawn.savefig(out, format="svg", metadata={"Date": None})
    text = out.getvalue()
    return text[text.index("<svg") :]


def _legend(axes: Axes, size: Size, *, last: bool) -> None:
    handles, labels = axes.get_legend_handles_labels()
    if not handles:
        return
    if size.beside:
        axes.legend(handles[:9], labels[:9], loc="upper left", bbox_to_anchor=(1.0, 1.05))
    else:
        below = -0.38 if last else -0.12  # the last chart has the axis' own words under it
        axes.legend(
            handles[:9], labels[:9], loc="upper left", bbox_to_anchor=(-0.02, below),
            ncols=3 if max(map(len, labels)) <= LABEL else 1, columnspacing=1.0,
            handlelength=1.2,
        )  # fmt: skip


def _line(axes: Axes, line: Line, colour: str, label: str = "", **more: Any) -> None:  # noqa: ANN401 (Matplotlib's)
    values = [float("nan") if y is None else y for y in line.y]
    axes.plot(line.x, values, color=colour, label=label or line.name, linewidth=1.6, **more)


def _load(axes: Axes, series: Series, asked: str) -> None:
    _line(axes, series.users(), GREY, asked, linestyle="--", drawstyle="steps-post")
    _line(axes, series.rate(), COLOURS[0], "requests/s")


def _latency(axes: Axes, series: Series, p95_ms: float | None) -> None:
    for share, colour in ((0.99, COLOURS[4]), (0.95, COLOURS[1]), (0.5, COLOURS[0])):
        _line(axes, series.latency(share), colour)
    if p95_ms is not None:
        axes.axhline(p95_ms, color=GREY, linestyle="--", linewidth=1, label="p95's objective")


def _stack(axes: Axes, lines: list[Line]) -> None:
    """One above the other; what nothing is known of counts as none."""
    if not lines:
        axes.set_yticks([0])
        return
    values = [[y or 0.0 for y in line.y] for line in lines]
    colours = [COLOURS[index % len(COLOURS)] for index in range(len(lines))]
    axes.stackplot(lines[0].x, values, labels=[line.name for line in lines], colors=colours, step="post", linewidth=0)


def _shares(axes: Axes, lines: list[Line]) -> None:
    totals = [sum(y or 0.0 for y in second) for second in zip(*(line.y for line in lines), strict=True)]
    shares = [
        Line(line.name, line.x, [100 * (y or 0) / all_ if all_ else 0 for y, all_ in zip(line.y, totals, strict=True)])
        for line in lines
    ]
    _stack(axes, shares)


def _pressure(axes: Axes, series: Series) -> None:
    """What was scaled or had reason to be; all, where nothing was."""
    lines, scaled = series.pressure(), series.scaled()
    for line in [one for one in lines if one.workload in scaled or one.highest() > 100] or lines:
        style = "-" if line.name == line.workload else ":"
        _line(axes, line, _colour_of(series, line.workload), drawstyle="steps-post", linestyle=style)
    axes.axhline(100, color=GREY, linestyle="--", linewidth=1, label="target")


def _colour_of(series: Series, workload: str) -> str:
    """The same in every chart."""
    names = series.workloads()
    return COLOURS[names.index(workload) % len(COLOURS)] if workload in names else GREY


def _replicas(axes: Axes, series: Series) -> None:
    from matplotlib.ticker import MaxNLocator

    names = series.scaled() or series.workloads()[:3]
    for name in names:
        colour = _colour_of(series, name)
        _line(axes, series.of_workload(name, "desired"), colour, f"{name} wanted", linestyle="--",
              drawstyle="steps-post")  # fmt: skip
        _line(axes, series.of_workload(name, "ready"), colour, f"{name} ready", drawstyle="steps-post")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))


def _drift(axes: Axes, series: Series) -> None:
    for index, line in enumerate(drift.lines(series)):
        _line(axes, line, COLOURS[index % len(COLOURS)])
    axes.axhline(drift.CHANGED, color=GREY, linestyle="--", linewidth=1, label="changed")


def _happened(series: Series) -> list[tuple[Line, str]]:
    names = {"ejected": "ejected now", "ejections": "ejections", "retries": "retries", "refused": "full pool"}
    return [(series.envoy(name), words) for name, words in names.items()] + [(series.restarts(), "restarts")]


def _events(axes: Axes, series: Series) -> None:
    from matplotlib.ticker import MaxNLocator

    lines = _happened(series)
    for index, (line, words) in enumerate(lines):
        _line(axes, line, COLOURS[index], words, drawstyle="steps-post")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    if not any(line.highest() for line, _ in lines):
        axes.set_yticks([0])


def _generator(axes: Axes, series: Series) -> None:
    _line(axes, series.cpu(), COLOURS[2], "the product's CPU")
    _line(axes, series.cpu(["envoy"]), COLOURS[4], "Envoy's part of it")
    _line(axes, series.own("cpu"), COLOURS[1], "the generator's CPU")
    lag = series.own("lag")
    _line(axes, Line("lag", lag.x, lag.y), COLOURS[3], "its lag, seconds", linestyle=":")
