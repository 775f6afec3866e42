"""The report: one HTML file that needs nothing else, and a PNG of the same charts."""

from __future__ import annotations

import html
from datetime import UTC, datetime
from pathlib import Path

from inkmesh.load.charts import NARROW, WIDE, figure, svg
from inkmesh.load.figures import figures
from inkmesh.load.objectives import Verdict
from inkmesh.load.series import Series

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; margin: 0 auto; max-width: 75rem;
  padding: 1rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.1rem; margin: 1.5rem 0 .5rem; }
p { margin: .25rem 0; } .quiet { color: #595959; }
table { border-collapse: collapse; width: 100%; } caption { text-align: left; }
th, td { text-align: left; padding: .3rem .75rem .3rem 0; border-top: 1px solid #ddd; vertical-align: top; }
.holds { color: #00603f; font-weight: 600; } .fails { color: #a33c00; font-weight: 600; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .5rem 1rem; margin: 1rem 0; }
.figures div { border-top: 3px solid #0072b2; padding-top: .25rem; } .figures b { display: block; font-size: 1.25rem; }
svg { width: 100%; height: auto; display: block; } .narrow { display: none; }
@media (max-width: 48rem) { .wide { display: none; } .narrow { display: block; } }
@media print { .narrow { display: none; } .wide { display: block; } }
"""


def write(series: Series, verdicts: list[Verdict], p95_ms: float | None, folder: Path) -> tuple[Path, Path]:
    """`report.html` and `report.png` in `folder`."""
    wide, narrow = figure(series, p95_ms, WIDE), figure(series, p95_ms, NARROW)
    picture = folder / "report.png"
    wide.savefig(picture, format="png", dpi=110)
    report = folder / "report.html"
    report.write_text(_page(series, verdicts, svg(wide), svg(narrow)), encoding="utf-8")
    return report, picture


def _page(series: Series, verdicts: list[Verdict], wide: str, narrow: str) -> str:
    recording = series.recording
    when = datetime.fromtimestamp(recording.began, UTC).strftime("%d %B %Y, %H:%M UTC")
    failed = sum(not one.holds for one in verdicts)
    verdict = "every objective holds" if not failed else f"{failed} of {len(verdicts)} objectives do not hold"
    title = html.escape(f"Load: {recording.name}")
    tiles = "".join(f"<div><b>{html.escape(one.value)}</b>{html.escape(one.name)}</div>" for one in figures(series))
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{STYLE}</style>
<h1>{title}: {verdict}</h1>
<p class="quiet">{when}; {_words(series)}</p>
<h2>Objectives</h2>
<table><tr><th>Objective<th>Holds<th>What was found</tr>{"".join(map(_row, verdicts))}</table>
<div class="figures">{tiles}</div>
<h2>What happened</h2>
<p class="quiet">One time axis for all; dotted lines mark changes of the scenario. Percentiles are of the last three
seconds; {_counting(series)}.</p>
<figure class="wide" style="margin:0">{wide}</figure>
<figure class="narrow" style="margin:0">{_apart(narrow)}</figure>
</html>
"""


def _row(verdict: Verdict) -> str:
    holds = '<td class="holds">yes' if verdict.holds else '<td class="fails">no'
    return f"<tr><td>{html.escape(verdict.name)}{holds}<td>{html.escape(verdict.found)}</tr>"


def _words(series: Series) -> str:
    plan = series.recording.plan
    rest = f", then {plan['rest']:g} s of little load" if plan["rest"] else ""
    kind = "open arrivals" if plan["arrivals"] == "open" else "closed loop"
    return f"{kind}, {plan['seconds']:g} s{rest}"


def _counting(series: Series) -> str:
    if series.recording.plan["arrivals"] == "open":
        return "times count from when a request was due, so a slow answer cannot hide the ones that wait behind it"
    return "a visitor waits for an answer before it asks again, so a slow product also gets fewer requests"


def _apart(narrow: str) -> str:
    """Ids of the second drawing must not be those of the first."""
    return narrow.replace('id="', 'id="n-').replace("url(#", "url(#n-").replace('href="#', 'href="#n-')
