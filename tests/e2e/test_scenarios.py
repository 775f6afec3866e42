"""Each scenario: on, and its symptom is seen in the traffic and in Envoy's counters; off, and it is gone."""

import asyncio
import math

import pytest

from arrivals import Client, Request
from product import ROOT, eventually
from topology import FRAUD, READING
from traffic import Visitors, statuses, versions


@pytest.fixture(scope="module")
def visitors(product):
    return Visitors.arrive(product)


@pytest.fixture
def guest(product):
    """One with credits for a whole test, outside of the journal."""
    return Visitors.arrive(product, 1).guests[0]


@pytest.mark.laptop
def test_each_scenario_says_what_to_look_at(product):
    """`scenario list` names all, and each has a README."""
    listed = product.command("scenario", "list").stdout
    for folder in sorted((ROOT / "istio" / "scenarios").iterdir()):
        assert folder.name in listed
        assert "look at" in (folder / "README.md").read_text()


def test_without_a_scenario_v1_answers_all(product, visitors):
    """The base sends nobody elsewhere."""
    assert set(versions(visitors.read(product.rate, 1))) == {"v1"}


@pytest.mark.parametrize(("name", "share"), [("canary-10", 0.10), ("canary-50", 0.50)])
def test_canary(product, visitors, name, share):
    """The split under load is what the weights say; nothing is lost when it comes and goes."""
    splits(product, visitors, name, share, 800)


def splits(product, visitors, name, share, count):
    """A canary of `count` readings."""
    before = product.calls(READING, "upstream_rq_total", "v2")
    with visitors.reading(product.rate / 2, 4 + count / product.rate) as finish:
        with product.scenario(name):
            answers = visitors.read(product.rate, count / product.rate)
        during_and_after = finish()
    assert set(statuses(answers + during_and_after)) == {201}
    split = versions(answers)
    assert abs(split["v2"] / sum(split.values()) - share) < 3.4 * math.sqrt(
        0.25 / count
    )  # standard deviations at a half
    assert product.calls(READING, "upstream_rq_total", "v2") > before
    assert set(versions(visitors.read(product.rate, 1))) == {"v1"}


def test_ab_cohort(product, guest):
    """The cohort beta, by header or by cookie, gets v2 every time; everyone else v1."""

    def version(**headers):
        return guest.read(**headers).json()["model"]["version"]

    with product.scenario("ab-cohort"):
        assert {version(**{"x-cohort": "beta"}) for _ in range(10)} == {"v2"}
        assert {version(cookie="theme=dark; cohort=beta") for _ in range(10)} == {"v2"}
        assert {version() for _ in range(10)} == {"v1"}
        assert version(cookie="cohort=betamax") == "v1"
        assert version(**{"x-cohort": "alpha"}) == "v1"
    assert version(**{"x-cohort": "beta"}) == "v1"


def test_mirror(product):
    """v1 answers all, v2 reads a copy of each, and each is paid once."""
    guest = product.guest()
    (v2,) = product.replicas("inference-v2")

    def copies():
        return product.metric(v2, "inkmesh_predictions_total", model="digits")

    with product.scenario("mirror"):
        before = copies()
        assert {guest.read().json()["model"]["version"] for _ in range(10)} == {"v1"}
        eventually(lambda: copies() == before + 10)
        assert guest.account()["balance"] == 10
    guest.read()
    assert copies() == before + 10


@pytest.mark.workshop
def test_breaker_ejects_a_sick_replica_and_takes_it_back(product, guest):
    """Three errors, then the sibling serves all; healed, it serves again."""
    one, other = product.replicas("inference-v1")

    def served_by(count=20):
        answers = [guest.read() for _ in range(count)]
        return [answer.status_code for answer in answers], {
            answer.json()["path"][2]["replica"] for answer in answers if answer.status_code == 201
        }

    def ejected():
        return product.calls(READING, "outlier_detection.ejections_active", "v1")

    with product.scenario("breaker"):
        assert len(served_by()[1]) == 2
        with product.sick(one):
            failed = 0
            while not ejected():
                failed += guest.read().status_code == 503
                assert failed <= 3
            assert failed == 3
            results, replicas = served_by()
            assert set(results) == {201}
            assert len(replicas) == 1
        eventually(lambda: not ejected(), 15)
        results, replicas = served_by()
        assert set(results) == {201}
        assert len(replicas) == 2
    assert ejected() == 0
    assert other["ready"]


def flood(product, count=40):
    """`count` calls of the fraud model at once."""

    async def run():
        async with Client(product.host, product.port) as client:
            request = Request("GET", "/predict?feature_1=0&feature_2=1&feature_3=2")
            return await asyncio.gather(*(client.send(request) for _ in range(count)))

    return asyncio.run(run())


def test_breaker_refuses_what_does_not_fit_at_once(product):
    """A full pool: some 200, the rest 503 at once, marked as overload; nobody is ejected."""
    with product.scenario("breaker"):
        before = product.calls(FRAUD, "upstream_rq_pending_overflow")
        answers = flood(product)
        refused = [answer for answer in answers if answer.status == 503]
        assert set(statuses(answers)) == {200, 503}
        assert {answer.headers.get("x-envoy-overloaded") for answer in refused} == {"true"}
        assert product.calls(FRAUD, "upstream_rq_pending_overflow") - before == len(refused)
        assert product.calls(FRAUD, "outlier_detection.ejections_active") == 0
    assert set(statuses(flood(product))) == {200}


def test_fault_delay(product):
    """About half of the readings end at the gateway's deadline, and cost nothing."""
    guest = product.guest()
    with product.scenario("fault-delay"):
        before = product.injected("delays")
        answers = [guest.read() for _ in range(8)]
        slow = [answer for answer in answers if answer.status_code == 504]
        assert {answer.status_code for answer in answers} <= {201, 504}
        assert {answer.json()["type"] for answer in slow} <= {"/problems/deadline-exceeded"}
        assert product.injected("delays") - before == len(slow)
        assert guest.account() | {"account_id": 0} == {"account_id": 0, "balance": 20 - 8 + len(slow), "held": 0}
    before = product.injected("delays")
    assert {guest.read().status_code for _ in range(5)} == {201}
    assert product.injected("delays") == before


def test_fault_abort(product, visitors):
    """About half of the readings are refused by the mesh, and cost nothing."""
    with product.scenario("fault-abort"):
        before = product.injected("aborts")
        answers = visitors.read(product.rate, 400 / product.rate)
        found = statuses(answers)
        assert set(found) == {201, 503}
        assert abs(found[503] / len(answers) - 0.5) < 0.12
        assert product.injected("aborts") - before == found[503]
    assert set(statuses(visitors.read(product.rate, 1))) == {201}


@pytest.mark.workshop
def test_retries(product, guest):
    """With one replica sick, readings fail without the scenario; with it none does, and the path shows the attempt."""
    with product.sick(product.replicas("inference-v1")[0]):
        assert 503 in {guest.read().status_code for _ in range(30)}
        with product.scenario("retries"):
            before = product.calls(READING, "upstream_rq_retry_success", "v1")
            answers = [guest.read() for _ in range(30)]
            assert {answer.status_code for answer in answers} == {201}
            attempts = [answer.json()["path"][2]["attempt"] for answer in answers]
            assert 1 in attempts
            assert max(attempts) > 1
            gained = product.calls(READING, "upstream_rq_retry_success", "v1") - before
            assert gained == sum(attempt > 1 for attempt in attempts)
        assert 503 in {guest.read().status_code for _ in range(30)}


def test_the_books_balance_after_all_of_it(visitors):
    """No scenario lost or doubled a credit."""
    visitors.books_balance()
