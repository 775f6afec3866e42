"""From a recording to lines, verdicts, a report and a comparison."""

import re
import struct
import xml.etree.ElementTree as ET

import pytest

from inkmesh.load import compare, findings, page
from inkmesh.load.bottleneck import own_part
from inkmesh.load.knee import knee
from inkmesh.load.objectives import judge, p95_objective
from inkmesh.load.recording import Recording, read
from inkmesh.load.scaling import rises
from inkmesh.load.series import Series, quantile
from localmesh.errors import LocalmeshError
from product import ROOT

BEGAN = 1_000_000.0
OBJECTIVES = ROOT / "loadtest" / "objectives.toml"


def recording(*, ready_at=14, falls=True, slow=False, errors=0, cpu=0.2, books=None):
    """40 seconds: gateway goes from 1 to 3 at 10 s, with all ready at `ready_at`, and back at 35 s."""
    found = Recording({"shape": "steps", "arrivals": "open", "peak": 50, "seconds": 30, "rest": 10, "steps": 2}, BEGAN)
    for second in range(40):
        times = {"20": 45, "900" if slow else "80": 5}
        found.seconds.append(
            {"t": BEGAN + second, "users": 50, "requests": {"POST /api/v1/predictions": 50}, "times": times,
             "errors": {"503": errors} if errors else {}, "versions": {"v1": 45, "v2": 5},
             "replicas": {"gateway-0": 50}, "lag": 0.001, "cpu": cpu}
        )  # fmt: skip
        wanted = 3 if 10 <= second < (35 if falls else 99) else 1
        ready = wanted if second >= ready_at or wanted == 1 else 1
        found.samples.append(
            {"t": BEGAN + second, "scenario": "canary-10" if second >= 20 else None,
             "workloads": {"gateway": {"desired": wanted, "ready": ready, "restarts": int(second > 30)}},
             "served": {f"gateway-{n}": {"workload": "gateway", "count": 20 * second} for n in range(ready)},
             "autoscalers": [{"workload": "gateway", "current": 200 if 8 <= second < 30 else 40, "target": 80,
                              "unit": "percent of request", "min": 1, "max": 4}],
             "envoy": {"ejected": 0, "ejections": 1, "retries": second, "refused": 0, "restarts": 0},
             "cpu": {"gateway-0": 0.5, "envoy": 0.1}}
        )  # fmt: skip
    found.books = books or {"right": 50, "wrong": 0, "unknown": 0}
    found.audit = {"code": 0, "said": "sound"}
    return found


def verdicts(found):
    return {one.name.split(":")[0]: one for one in judge(Series(found), OBJECTIVES)}


def test_a_sound_run_holds_every_objective():
    """The file that is shipped is what a good run passes."""
    found = verdicts(recording())
    assert [name for name, one in found.items() if not one.holds] == []
    assert "gateway 1 → 3, ready in 4 s" in found["scaled up"].found


BROKEN = {
    "scaled up": {"ready_at": 99},
    "p95 back under its objective within 30 s of the last scale-up": {"slow": True},
    "scaled down again": {"falls": False},
    "at most 1 % of requests fail": {"errors": 3},
    "0 lost or doubled credits": {"books": {"right": 49, "wrong": 1, "unknown": 0}},
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_does_not_hold_is_found(name):
    """Each objective fails on the run that breaks it, and says what was found."""
    one = verdicts(recording(**BROKEN[name]))[name]
    assert not one.holds
    assert one.found


def test_a_run_that_never_scaled_says_how_busy_it_was():
    """An objective of scaling fails where there was nothing to scale for."""
    found = recording()
    for sample in found.samples:
        sample["workloads"]["gateway"] |= {"desired": 1, "ready": 1}
    assert "250 % of its target" in verdicts(found)["scaled up"].found


def test_an_objective_that_cannot_be_judged_is_named(tmp_path):
    """An unknown check or a missing number is an error with the file's name, before anything runs."""
    for text, word in (
        ('[[objective]]\nname = "a"\ncheck = "luck"', "luck"),
        ('[[objective]]\nname = "a"\ncheck = "p95"', "p95_ms"),
        ("objective = 3", "objective"),
        ("[[[", "own.toml"),
    ):
        file = tmp_path / "own.toml"
        file.write_text(text)
        with pytest.raises(LocalmeshError, match=word):
            p95_objective(file)


def test_a_quantile_is_of_requests_not_of_kinds():
    """Counts weigh."""
    assert quantile({"10": 98, "500": 2}, 0.95) == 10
    assert quantile({"10": 90, "500": 10}, 0.95) == 500
    assert quantile({}, 0.95) is None


def test_lines_are_a_second_each():
    """Rates are differences; marks are where the scenario changed; requests of replicas are their own counters'."""
    series = Series(recording())
    assert series.rate().y == [50.0] * 40
    assert [(mark.x, mark.text) for mark in series.marks()] == [(20, "canary-10")]
    assert {y for _, y in series.served("gateway")[0].known()} == {20.0}
    assert series.envoy("ejections").highest() == 0
    assert (series.restarts().last(), rises(series)[0].most) == (1, 3)


def breaking(late_from):
    """40 seconds of ever more arrivals; from one second on everything takes too long."""
    found = recording()
    found.plan["shape"] = "breakpoint"
    for second, one in enumerate(found.seconds):
        one["users"] = one["requests"]["POST /api/v1/predictions"] = 10 * second
        one["times"] = {"900" if second >= late_from else "20": 10 * second}
    return Series(found)


def test_the_knee_is_where_answers_stop_to_come_in_time():
    """Before the p95 stays above its objective; a moment of it is no knee."""
    assert 280 <= knee(breaking(30), 500).load <= 310
    assert "The knee is at about" in findings.load(breaking(30), 500)
    assert not knee(breaking(38), 500).passed
    assert "not reached: up to 390 arrivals" in findings.load(breaking(38), 500)


def test_the_knee_is_also_where_answers_are_refused():
    """A product that sheds what it cannot do in time stays quick; that is no reason to call it in time."""
    found = recording()
    found.plan["shape"] = "breakpoint"
    for second, one in enumerate(found.seconds):
        one["users"] = one["requests"]["POST /api/v1/predictions"] = 10 * second
        one["errors"] = {"503": 3 * second} if second >= 30 else {}
    assert 280 <= knee(Series(found), 500).load <= 310
    assert knee(Series(found), 500).passed


def overloaded(good, refused, told=True):
    """10 s of 50 good answers a second, 20 s of three times as many arrivals."""
    found = recording()
    found.plan["shape"] = "overload"
    for one in found.seconds[10:30]:
        one["users"] = 150
        one["requests"] = {"POST /api/v1/predictions": good + refused}
        one["errors"] = {"429": refused}
        one["refused"] = {"12": refused} if told else {}
    return found


def test_overload_leaves_most_of_the_work_and_tells_the_rest_to_come_again():
    """As a share of what was done before; refusals have a time of their own, and must say when to come again."""
    sound = verdicts(overloaded(45, 105))
    assert all(one.holds for one in sound.values())
    assert "90% of the 50 before" in findings.load(Series(overloaded(45, 105)), 500)
    assert "95 % within 12 ms" in findings.errors(Series(overloaded(45, 105)))
    collapsed = verdicts(overloaded(20, 130))
    assert [name for name, one in collapsed.items() if not one.holds] == [
        "with three times as much to do, at least 80 % of the good answers are left"
    ]
    silent = verdicts(overloaded(45, 105, told=False))
    assert not silent["the rest is refused at once, with Retry-After"].holds


def test_a_busy_load_generator_is_told():
    """Who has no time left measures itself."""
    assert not own_part(Series(recording())).limited
    assert "was the bottleneck" in findings.generator(Series(recording(cpu=0.99)))
    late = recording()
    for second in late.seconds:
        second["lag"] = 0.4
    assert "too little time for the load generator" in findings.generator(Series(late))


def test_requests_that_are_sent_late_or_not_at_all_are_the_generators_own_wait():
    """The report says how late 95 % were sent, how many were not, and that it was the bottleneck."""
    found = recording()
    for second in found.seconds:
        second["late"] = {"2": 48, "90": 2}
    assert "was not the bottleneck" in findings.generator(Series(found))
    assert "95 % sent within 2 ms of when they were due" in findings.generator(Series(found))
    found.seconds[20]["late"] = {"900": 500}
    assert own_part(Series(found)).limited
    dropped = recording()
    dropped.seconds[20]["errors"] = {"not sent": 40}
    assert own_part(Series(dropped)).limited
    assert "40 requests not sent" in findings.generator(Series(dropped))


def test_the_report_needs_nothing_else(tmp_path):
    """One HTML file, with its charts as SVG inside for two widths, and a PNG; nothing is fetched."""
    found = recording()
    report, picture = page.write(Series(found), judge(Series(found), OBJECTIVES), 500, tmp_path)
    text = report.read_text()
    drawings = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert len(drawings) == 2
    ids = [set(re.findall(r'\bid="([^"]+)"', drawing)) for drawing in drawings]
    assert not ids[0] & ids[1]
    for drawing in drawings:
        ET.fromstring(drawing)
        assert "gateway 1 → 3, ready in 4 s" in drawing
        assert "milliseconds" in drawing
    fetched = re.findall(r'(?:src|href)="(?!#)([^"]*)"|url\((?!#)([^)]*)\)|@import', re.sub(r"xmlns\S*", "", text))
    assert fetched == []
    assert "every objective holds" in text
    width, height = struct.unpack(">II", picture.read_bytes()[16:24])
    assert width > 1000
    assert height > 1000


def test_a_hostile_name_is_only_text(tmp_path):
    """What a scenario or an error is called cannot become markup."""
    found = recording(errors=1)
    found.plan["shape"] = "<script>alert(1)</script>"
    found.samples[-1]["scenario"] = "<b>bold</b>"
    report, _ = page.write(Series(found), [], None, tmp_path)
    assert "<script>alert" not in report.read_text()
    assert "<b>bold" not in report.read_text()


def test_what_envoy_forgets_stays_counted():
    """Ejections are gone from its statistics when the policy that ejects is; a pod takes its part along."""
    found = recording()
    for second, sample in enumerate(found.samples):
        sample["envoy"]["ejections"] = 8 if 10 <= second < 20 else 2 if second >= 30 else 0
    assert Series(found).envoy("ejections").last() == 10


def test_each_metric_of_an_autoscaler_is_a_line():
    """CPU is the workload's own name; the finding says which metric was far from its target."""
    found = recording()
    for sample in found.samples:
        (cpu,) = sample["autoscalers"]
        sample["autoscalers"].append(cpu | {"metric": "requests_in_flight", "current": 12, "target": 4})
    series = Series(found)
    assert [line.name for line in series.pressure()] == ["gateway", "gateway: requests in flight"]
    assert findings.pressure(series) == "gateway's requests in flight went up to 3.0 times its target"


def test_two_runs_are_set_side_by_side(tmp_path):
    """Ratios say better or worse; unlike settings are told."""
    for name, one in (("a", recording()), ("b", recording(slow=True))):
        (tmp_path / name).mkdir()
        one.save(tmp_path / name)
    a, b = read(tmp_path / "a"), read(tmp_path / "b")
    assert a == recording()
    rows = {row.name: row for row in compare.rows(a, b)}
    assert rows["p95, ms"].change.endswith("worse")
    assert rows["p50, ms"].change == "the same, within 5 %"
    b.plan["peak"] = 60
    assert list(compare.differences(a, b)) == ["peak: 50 and 60"]


def test_what_is_no_run_is_refused(tmp_path):
    """Nothing there, nothing that can be read, another version: an error that names the file."""
    for text in (None, "{", "[]", '{"format": 0}', '{"format": 1, "surprise": 2}'):
        if text is not None:
            (tmp_path / "run.json").write_text(text)
        with pytest.raises(LocalmeshError, match=r"run\.json"):
            read(tmp_path)


def test_a_run_without_answers_can_be_drawn(tmp_path):
    """Nothing listens, say: the report shows that."""
    found = Recording({"shape": "soak", "arrivals": "closed", "peak": 5, "seconds": 5, "rest": 0, "steps": 4}, BEGAN)
    report, _ = page.write(Series(found), judge(Series(found), OBJECTIVES), 500, tmp_path)
    assert "No request was answered" in report.read_text()


def test_fewer_replicas_than_at_the_beginning_are_scaled_down_too():
    """A copy that still had more of them from an earlier run."""
    found = recording()
    for sample in found.samples[:10]:
        sample["workloads"]["gateway"] |= {"desired": 2, "ready": 2}
    assert verdicts(found)["scaled down again"].holds
