"""`inkmesh load` on a running copy: what a person gets, files and exit codes."""

import json

import pytest

from product import eventually, inkmesh, running

OBJECTIVES = """
[[objective]]
name = "no request fails"
check = "errors"
at_most = 0

[[objective]]
name = "0 lost or doubled credits"
check = "books"
"""
IMPOSSIBLE = """
[[objective]]
name = "p95 of nothing at all"
check = "p95"
p95_ms = 0.001
"""


@pytest.fixture(scope="module")
def product(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCALMESH_HPA_SYNC_SECONDS", "2")
        with running(tmp_path_factory.mktemp("home")) as found:
            yield found


def load(product, folder, objectives, *words):
    file = folder / "objectives.toml"
    file.write_text(objectives)
    output = folder / "run"
    done = product.command("load", *words, "--objectives", str(file), "--output", str(output), check=False)
    return done, output


def test_a_run_ends_with_a_report_and_its_verdicts(product, tmp_path):
    """Open arrivals: as many as asked for; credits all accounted for; one HTML file, one PNG, and exit code 0."""
    done, output = load(product, tmp_path, OBJECTIVES, "soak", "--rate", "8", "--duration", "6")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "holds  0 lost or doubled credits: 0 of 8 visitors' books differ; payment audit: sound" in done.stdout
    assert sorted(file.name for file in output.iterdir()) == ["locust.log", "report.html", "report.png", "run.json"]
    found = json.loads((output / "run.json").read_text())
    requests = sum(sum(second["requests"].values()) for second in found["seconds"])
    assert requests >= 6 * 8
    assert {version for second in found["seconds"] for version in second["versions"]} == {"v1"}
    assert {sample["workloads"]["gateway"]["ready"] for sample in found["samples"]} == {1}
    assert any(sample["served"]["gateway-0"]["count"] for sample in found["samples"])
    compared = product.command("load", "compare", str(output), str(output)).stdout
    assert "the same, within 5 %" in compared


def test_an_objective_that_fails_is_the_exit_code(product, tmp_path):
    """Closed loop; the report is written all the same."""
    done, output = load(product, tmp_path, IMPOSSIBLE, "soak", "--users", "3", "--duration", "5")
    assert done.returncode == 1
    assert "FAILS  p95 of nothing at all" in done.stdout
    assert (output / "report.html").exists()


def test_what_cannot_be_run_is_told_before_it_starts(product, tmp_path):
    """Two kinds of load, objectives that cannot be read, nothing that runs: a line each, and what to do."""
    done, output = load(product, tmp_path, IMPOSSIBLE, "soak", "--users", "3", "--rate", "3")
    assert done.returncode == 1
    assert "--users and --rate" in done.stderr
    done, output = load(product, tmp_path, "[[[", "soak")
    assert done.returncode == 1
    assert "objectives.toml" in done.stderr
    assert not output.exists()
    nowhere = inkmesh(tmp_path / "nowhere", "load", "soak", "--duration", "5")
    assert nowhere.returncode == 1
    assert "does not run" in nowhere.stderr


def test_doctor_hpa_walks_each_chain(product):
    """Every autoscaler of the overlay is sound once it was looked at twice."""
    # The first measure needs two looks.
    eventually(lambda: product.command("doctor", "hpa", check=False).returncode == 0, 60, 1.0)
    said = product.command("doctor", "hpa").stdout
    assert "gateway: metric cpu" in said
    assert "inference-v1: replicas: 2 ready of 2 wanted" in said
