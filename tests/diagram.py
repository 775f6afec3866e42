"""Draws tests/topology.py as an SVG: `python tests/diagram.py docs/topology.svg`."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.sax.saxutils import escape

from topology import EDGES, INGRESS, SERVICES

WIDTH, HEIGHT, BOX_W, BOX_H = 960, 400, 170, 76
PLACES = {"browser": (20, 162), INGRESS: (205, 162), "frontend": (430, 20), "gateway": (430, 162),
          "payment": (770, 162), "inference": (770, 304)}  # fmt: skip
INK, SOFT, HTTP, GRPC = "#1c2430", "#5d6878", "#2563eb", "#b45309"


def box(name: str, title: str, lines: list[str], fill: str) -> str:
    x, y = PLACES[name]
    width = 120 if name == "browser" else BOX_W
    text = "".join(
        f'<text x="{x + width / 2}" y="{y + 46 + 17 * number}" class="small" text-anchor="middle">{escape(line)}</text>'
        for number, line in enumerate(lines)
    )
    return (
        f'<rect x="{x}" y="{y}" width="{width}" height="{BOX_H}" rx="10" fill="{fill}" stroke="{INK}"/>'
        f'<text x="{x + width / 2}" y="{y + 27}" class="name">{escape(title)}</text>{text}'
    )


def ends(caller: str, upstream: str) -> tuple[float, float, float, float]:
    (x1, y1), (x2, y2) = PLACES[caller], PLACES[upstream]
    width = 120 if caller == "browser" else BOX_W
    if x1 == x2:
        return x1 + BOX_W / 2, y1 + BOX_H, x2 + BOX_W / 2, y2
    drop = (y2 > y1) - (y2 < y1)
    if x2 - x1 > 500:  # past the column between: from below, and in below the others
        return x1 + BOX_W / 2, y1 + BOX_H, x2, y2 + BOX_H / 2 + 14
    return x1 + width, y1 + BOX_H / 2 + 14 * drop, x2, y2 + BOX_H / 2 - 10 * drop


def arrow(caller: str, upstream: str, port: str, why: str) -> str:
    x1, y1, x2, y2 = ends(caller, upstream)
    colour = GRPC if port == "grpc" else HTTP
    bend, anchor = (x1 + x2) / 2, "middle"
    path, lx, ly = f"M{x1},{y1} C{bend},{y1} {bend},{y2} {x2 - 8},{y2}", bend, (y1 + y2) / 2 - 8
    if x1 == x2:
        path, lx, ly, anchor = f"M{x1},{y1} L{x2},{y2 - 8}", x1 + 10, (y1 + y2) / 2 + 4, "start"
    elif x2 - x1 > 400:
        path, lx, ly = f"M{x1},{y1} C{x1},{y2} {x1 + 60},{y2} {x2 - 8},{y2}", bend, y2 - 8
    return (
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2" marker-end="url(#{port})"/>'
        f'<text x="{lx}" y="{ly}" class="edge" text-anchor="{anchor}" fill="{colour}">{escape(why)}</text>'
    )


def head(name: str, colour: str) -> str:
    return (
        f'<marker id="{name}" viewBox="0 0 10 10" refX="2" refY="5" markerWidth="6" markerHeight="6" orient="auto">'
        f'<path d="M0,0 L10,5 L0,10 z" fill="{colour}"/></marker>'
    )


def svg() -> str:
    parts = [arrow("browser", INGRESS, "http", "")]
    parts += [arrow(edge.caller, edge.upstream, edge.port, edge.why) for edge in EDGES]
    parts += [
        box("browser", "visitor", ["a drawn digit"], "#ffffff"),
        box(INGRESS, "ingress", ["Envoy, Gateway"], "#e8eefc"),
    ]
    for service in SERVICES:
        lines = [" · ".join(service.versions), f"keeps {service.keeps}"]
        parts.append(box(service.name, service.name, lines, "#fdf3e3" if "grpc" in service.ports else "#eef7ee"))
    legend = (
        f'<text x="20" y="{HEIGHT - 38}" class="edge" fill="{HTTP}">HTTP</text>'
        f'<text x="64" y="{HEIGHT - 38}" class="edge" fill="{GRPC}">gRPC</text>'
        f'<text x="20" y="{HEIGHT - 18}" class="small">Every arrow passes Envoy: splits, retries, faults.</text>'
    )
    style = (
        f"text{{font-family:system-ui,sans-serif}}.name{{font-size:17px;font-weight:600;text-anchor:middle;fill:{INK}}}"
        f".small{{font-size:12px;fill:{SOFT}}}.edge{{font-size:12px;font-weight:600;"
        "paint-order:stroke;stroke:#fff;stroke-width:5px}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">'
        "<title>Who calls whom in Inkmesh</title>"
        f"<style>{style}</style><defs>{head('http', HTTP)}{head('grpc', GRPC)}</defs>"
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>{legend}{"".join(parts)}</svg>\n'
    )


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(svg())
