"""The gRPC trap's report: who answered how much, in each of three ways to reach the same replicas."""

from __future__ import annotations

import html
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inkmesh.load.charts import COLOURS, GREY, STYLE, svg
from inkmesh.load.page import STYLE as PAGE_STYLE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Shares = Mapping[str, int]
"""Replica → requests that it answered."""
IDLE = 0.01
"""Less than that share of the requests is as good as none."""
WORDS = {
    "without mesh": "A gRPC channel is one connection for as long as it lasts. A Service balances connections, so what "
    "was added after the channel was opened gets nothing from it.",
    "mesh": "The same channel leads to Envoy, which sends each request on to a replica of its choice.",
    "client-side round robin": "The channel knows every replica and takes them in turn. Somebody has to tell it when "
    "there are others: here the caller was told; by a headless Service's DNS it would look again only when it loses a "
    "connection.",
}


def finding(way: str, shares: Shares) -> str:
    """What the bars show, in one line."""
    parts = fractions(shares)
    busy = [part for part in parts.values() if part >= IDLE]
    name = way[0].upper() + way[1:]
    if not busy:
        return f"{name}: no request was answered"
    if len(busy) == 1:
        return f"{name}: one of {len(parts)} replicas took every request; {len(parts) - 1} stayed idle"
    who = f"all {len(parts)}" if len(busy) == len(parts) else f"{len(busy)} of {len(parts)}"
    least, most = f"{min(busy):.0%}", f"{max(busy):.0%}"
    return f"{name}: {who} replicas took {least if least == most else f'{least} to {most}'} of the requests each"


def fractions(shares: Shares) -> dict[str, float]:
    """Replica → its share of all requests."""
    total = sum(shares.values())
    return {name: count / total if total else 0.0 for name, count in shares.items()}


def write(found: Mapping[str, Shares], folder: Path) -> tuple[Path, Path]:
    """`report.html`, which needs nothing else, and `report.png` in `folder`."""
    drawn = figure(found)
    picture, report = folder / "report.png", folder / "report.html"
    drawn.savefig(picture, format="png", dpi=110)
    report.write_text(_page(found, svg(drawn)), encoding="utf-8")
    return report, picture


def figure(found: Mapping[str, Shares]) -> Figure:
    """A row of bars for each way, a bar for each replica."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        drawn = Figure(figsize=(8.5, 1.9 * len(found)), layout="constrained")
        axes_of: Any = drawn.subplots(len(found), 1, sharex=True, squeeze=False)[:, 0]
        for (way, shares), axes in zip(found.items(), axes_of, strict=True):
            parts = fractions(shares)
            bars = axes.barh(list(parts), [100 * part for part in parts.values()], color=COLOURS[0])
            axes.bar_label(bars, [f"{part:.0%}" for part in parts.values()], padding=3)
            axes.axvline(100 / max(1, len(parts)), color=GREY, linestyle="--", linewidth=1)
            axes.set_title(finding(way, shares))
            axes.grid(visible=False, axis="y")
            axes.invert_yaxis()
        axes_of[-1].set_xlim(0, 108)
        axes_of[-1].set_xlabel("% of the requests once all replicas were ready; dashed: an even share")
    return drawn


def _page(found: Mapping[str, Shares], drawing: str) -> str:
    rows = "".join(
        f"<tr><td>{html.escape(finding(way, shares))}<td>{html.escape(WORDS.get(way, ''))}</tr>"
        for way, shares in found.items()
    )
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The gRPC trap</title>
<style>{PAGE_STYLE}</style>
<h1>The gRPC trap: which replicas work after inference was scaled from one to three?</h1>
<p class="quiet">One caller, one channel, opened while there was one replica; it was held while two more were added.</p>
<figure style="margin:0">{drawing}</figure>
<h2>Why</h2>
<table><tr><th>What was found<th>Why</tr>{rows}</table>
</html>
"""
