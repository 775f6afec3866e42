"""A model's card: what it was made from, how good it is and for which classes, and where not to use it.

Made from the manifest alone, so that nobody has to keep it up to date. One content, three forms: JSON, Markdown, HTML.
"""

from __future__ import annotations

from html import escape
from typing import Any

import orjson

Card = dict[str, Any]

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse}th,td{border:1px solid #8886;padding:.2rem .6rem;text-align:right}"
    "th:first-child,td:first-child{text-align:left}.wide{overflow-x:auto}"
)


def of(content: dict[str, Any]) -> Card:
    """The card of a manifest's content."""
    metrics, recipe = content["metrics"], content["recipe"]
    (given,) = content["inputs"]
    return {
        "name": content["name"],
        "version": content["version"],
        "summary": recipe["summary"],
        "digest": f"sha256:{content['files']['model.onnx']['sha256']}",
        "input": {key: given[key] for key in ("name", "datatype", "shape", "bounds")},
        "outputs": content["outputs"],
        "data": content["data"],
        "metrics": {
            "accuracy": metrics["accuracy"],
            "by_class": metrics["by_class"],
            "confusion": metrics["confusion"],
        },
        "notes": {key: value for key, value in metrics.items() if key not in ("accuracy", "by_class", "confusion")},
        "abstain_below": content["reference"]["confidence"]["abstain_below"],
        "limits": recipe["limits"],
        "recipe": {key: recipe[key] for key in ("name", "seed", "parameters", "digest")},
        "made_with": content["made_with"],
    }


def render(card: Card, accept: str) -> tuple[str, bytes]:
    """The media type and bytes that an Accept header asks for; JSON, unless it names one of the others."""
    if "text/markdown" in accept:
        return "text/markdown; charset=utf-8", markdown(card).encode()
    if "text/html" in accept:
        return "text/html; charset=utf-8", html(card).encode()
    return "application/json", orjson.dumps(card)


def markdown(card: Card) -> str:
    """For a terminal, a repository or a review."""
    parts = [f"# {_title(card)}", card["summary"]]
    for title, lines, table in _sections(card):
        parts.append(f"## {title}")
        if lines:
            parts.append("\n".join(f"- {line}" for line in lines))
        if table:
            rule = ["---"] * len(table[0])
            parts.append("\n".join(f"| {' | '.join(row)} |" for row in (table[0], rule, *table[1:])))
    return "\n\n".join(parts) + "\n"


def html(card: Card) -> str:
    """For a browser; it needs nothing else."""
    parts = [f"<h1>{escape(_title(card))}</h1><p>{escape(card['summary'])}</p>"]
    for title, lines, table in _sections(card):
        parts.append(f"<h2>{escape(title)}</h2>")
        if lines:
            parts.append("<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>")
        if table:
            head = "".join(f"<th>{escape(cell)}</th>" for cell in table[0])
            body = "".join("<tr>" + "".join(f"<td>{escape(c)}</td>" for c in row) + "</tr>" for row in table[1:])
            parts.append(f'<div class="wide"><table><tr>{head}</tr>{body}</table></div>')
    meta = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    head = f"{meta}<title>{escape(_title(card))}</title><style>{_STYLE}</style>"
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>'


def _title(card: Card) -> str:
    return f"{card['name']} {card['version']}"


def _sections(card: Card) -> list[tuple[str, list[str], list[list[str]]]]:
    """Title, lines and table of each section."""
    data, metrics, given = card["data"], card["metrics"], card["input"]
    by_class, confusion = metrics["by_class"], metrics["confusion"]
    accuracy = [f"Of {data['held_out_rows']} held-out rows, {metrics['accuracy']:.1%} are right."]
    accuracy += [f"{name.replace('_', ' ')}: {value:.1%}" for name, value in card["notes"].items()]
    classes = [["class", "rows", "recall", "precision"]]
    classes += [
        [label, str(each["rows"]), _percent(each["recall"]), _percent(each["precision"])]
        for label, each in by_class.items()
    ]
    mixed = [["is \\ said", *by_class]]
    mixed += [[label, *map(str, row)] for label, row in zip(by_class, confusion, strict=True)]
    low, high = given["bounds"]
    return [
        ("Limits", card["limits"], []),
        ("Accuracy", accuracy, classes),
        ("Confusion", ["A row is what it is, a column what the model says."], mixed),
        (
            "Data",
            [
                f"{data['source']}: {data['rows']} rows seen, {data['held_out_rows']} held out.",
                f"sha256:{data['sha256']}",
            ],
            [],
        ),
        (
            "Use",
            [
                f"Input {given['name']}: {given['datatype']} {given['shape']}, numbers from {low:g} to {high:g}.",
                f"A confidence below {card['abstain_below']:g} is counted as an abstention.",
                f"What answers: {card['digest']}",
            ],
            [],
        ),
    ]


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"
