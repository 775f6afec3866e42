"""`inkmesh load trap`: what is told of shares."""

import re

from inkmesh.load.trap import finding, write

ALONE = {"a-0": 500, "a-1": 0, "a-2": 1}
SHARED = {"a-0": 100, "a-1": 110, "a-2": 90}


def test_a_finding_says_who_works():
    """Idle replicas are counted; shares are told from the least to the most."""
    assert finding("without mesh", ALONE) == "Without mesh: one of 3 replicas took every request; 2 stayed idle"
    assert finding("mesh", SHARED) == "Mesh: all 3 replicas took 30% to 37% of the requests each"
    assert finding("mesh", {"a-0": 5, "a-1": 5, "a-2": 0}).endswith("2 of 3 replicas took 50% of the requests each")
    assert "no request" in finding("mesh", {"a-0": 0})


def test_the_report_needs_nothing_else(tmp_path):
    """One HTML file with the bars inside, and a PNG."""
    report, picture = write({"without mesh": ALONE, "mesh": SHARED}, tmp_path)
    text = report.read_text()
    assert "2 stayed idle" in re.search(r"<svg.*</svg>", text, re.DOTALL)[0]
    assert re.findall(r'(?:src|href)="(?!#)', re.sub(r"xmlns\S*", "", text)) == []
    assert picture.stat().st_size > 10_000
