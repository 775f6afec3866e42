"""The algorithm, by cases from Kubernetes' documentation: what is observed, and how many replicas there are to be."""

import pytest

from localmesh.autoscaling.behavior import History, Mark
from localmesh.autoscaling.pods import Pod, Usage
from localmesh.autoscaling.recommend import recommend
from localmesh.manifests.model import Autoscaler, CpuTarget, ScalingPolicy, ScalingRules

NOW = 10_000.0
UP = ScalingRules((ScalingPolicy("Pods", 4, 15), ScalingPolicy("Percent", 100, 15)), window=0)
DOWN = ScalingRules((ScalingPolicy("Percent", 100, 15),))


def pods(*used, request=100, old=True):
    """Replicas by what they use (milli-CPU): `None` was not measured, a negative number means not ready."""
    start = NOW - (1000 if old else 100)
    return [
        Pod(f"web-{index}", request, start, not (one is not None and one < 0), start + 1,
            None if one is None else Usage(abs(one), NOW, 15))
        for index, one in enumerate(used)
    ]  # fmt: skip


def scaler(target=50, least=1, most=10, up=None, down=None, more=()):
    metrics = (CpuTarget(target) if isinstance(target, int) else target, *more)
    return Autoscaler("web", "demo", "web", least, most, metrics, up, down)


def asked(autoscaler, observed, history=History(), replicas=None):  # noqa: B008 (frozen)
    return recommend(autoscaler, len(observed) if replicas is None else replicas, observed, history, NOW)


# "desiredReplicas = ceil[currentReplicas * ( currentMetricValue / desiredMetricValue )]"
RATIO = {
    "200m wanted 100m: the replicas double": (CpuTarget(None, 100), pods(200, 200), 4),
    "50m wanted 100m: half of them": (CpuTarget(None, 100), pods(50, 50, 50, 50), 2),
    "percent of the request": (50, pods(100, 100), 4),
    "rounded up": (50, pods(60, 60, 60), 4),
    "within the tolerance of 10 %, above": (50, pods(55, 55), 2),
    "within the tolerance of 10 %, below": (50, pods(45, 45), 2),
    "just beyond it": (50, pods(56, 56), 3),
    "a mean, not each": (50, pods(100, 0), 2),
    "utilisation is cut to whole percent": (50, pods(55, 56), 2),
    "more than the request": (50, pods(400), 4),
    "idle goes to the least": (50, pods(0, 0, 0), 1),
    "to the most at last": (50, pods(*[300] * 5), 10),
}


@pytest.mark.parametrize(("target", "observed", "wanted"), RATIO.values(), ids=RATIO)
def test_the_ratio_and_its_tolerance(target, observed, wanted):
    """Usage over target times replicas, rounded up, unless it is within a tenth of the target."""
    history = History((Mark(NOW - 400, len(observed)),))
    assert asked(scaler(target), observed, history).replicas == wanted


# "on scale-down, assume that those pods were consuming 100% of the desired value … on scale-up, 0%"
CAREFUL = {
    "missing on the way up is idle: fewer are added": (50, pods(150, 150, None), 3, 6),
    "missing on the way up turns the direction: nothing": (50, pods(60, None), 2, 2),
    "missing on the way down is busy: nothing": (50, pods(10, 10, None), 3, 3),
    "missing on the way down, by the value": (CpuTarget(None, 100), pods(10, 10, 10, None), 4, 2),
    "not ready on the way up is idle": (50, pods(150, 150, -150, old=False), 3, 6),
    "not ready on the way down is left out": (50, pods(10, 10, -10, old=False), 3, 1),
    "nothing measured: nothing": (50, pods(None, None), 2, 2),
    "no request for percent: nothing": (50, pods(90, 90, request=None), 2, 2),
    "no request is needed for a value": (CpuTarget(None, 100), pods(200, 200, request=None), 2, 4),
    "a sick replica that was ready counts": (50, [*pods(100), Pod("sick", 100, 0, False, NOW - 5, Usage(100, NOW, 15))],
                                             2, 4),
}  # fmt: skip


@pytest.mark.parametrize(("target", "observed", "replicas", "wanted"), CAREFUL.values(), ids=CAREFUL)
def test_replicas_without_a_measure_stand_against_the_change(target, observed, replicas, wanted):
    """Missing metrics and replicas that are not ready dampen a change, and never turn it round."""
    history = History((Mark(NOW - 400, replicas),))
    assert asked(scaler(target), observed, history, replicas).replicas == wanted


def test_a_replica_that_just_started_counts_from_its_first_whole_window():
    """What its start cost is not load: usage counts when all of it was measured after it became ready."""
    history = History((Mark(NOW - 400, 2),))

    def booting(ready_for):
        return Pod("new", 100, NOW - 20, True, NOW - ready_for, Usage(900, NOW, 15))

    assert asked(scaler(50), [*pods(50), booting(5)], history).replicas == 2
    assert asked(scaler(50), [*pods(50), booting(15)], history).replicas > 2


def test_the_bounds_come_before_the_metrics():
    """Outside of them it goes back at once; 0 replicas, set by hand, turn it off."""
    assert asked(scaler(least=3), pods(None, None)).replicas == 3
    assert asked(scaler(most=4), pods(*[500] * 6)).replicas == 4
    off = asked(scaler(), [], replicas=0)
    assert (off.replicas, off.active, off.reason) == (0, False, "ScalingDisabled")


def test_of_several_metrics_the_largest_counts():
    """And one that says nothing forbids to scale down, not up."""
    history = History((Mark(NOW - 400, 2),))
    value, percent = CpuTarget(None, 50), 80
    assert asked(scaler(percent, more=[value]), pods(100, 100), history).replicas == 4
    blind = pods(100, 100, request=None)
    assert asked(scaler(percent, more=[value]), blind, history).replicas == 4
    idle = asked(scaler(percent, more=[value]), pods(1, 1, request=None), history)
    assert (idle.replicas, idle.active, idle.reason) == (2, False, "FailedGetResourceMetric")
    assert "request" in idle.message


# (name): rules up, rules down, history, usage of each, replicas now → replicas then
SPEED = {
    "no behavior: at most twice as many": (None, None, (), 1000, 3, 6),
    "no behavior: or four": (None, None, (), 1000, 1, 4),
    "no behavior: down waits five minutes": (None, None, [Mark(NOW - 299, 5)], 0, 5, 5),
    "no behavior: and then goes at once": (None, None, [Mark(NOW - 301, 5)], 0, 5, 1),
    "default policies: four, or twice": (UP, DOWN, (), 1000, 1, 5),
    "default policies, the larger": (UP, DOWN, (), 1000, 5, 10),
    "default down: all at once after the window": (UP, DOWN, [Mark(NOW - 301, 8)], 0, 8, 1),
    "default down: the highest of five minutes": (UP, DOWN, [Mark(NOW - 400, 8), Mark(NOW - 100, 6)], 0, 8, 6),
    "Percent 10 down, rounded": (UP, ScalingRules((ScalingPolicy("Percent", 10, 60),), window=0), [Mark(NOW - 9, 9)], 0,
                                 9, 8),
    "Pods 4, Percent 10: most change": (
        UP, ScalingRules((ScalingPolicy("Pods", 4, 60), ScalingPolicy("Percent", 10, 60)), window=0),
        [Mark(NOW - 9, 9)], 0, 9, 5),
    "selectPolicy Min: least change": (
        UP, ScalingRules((ScalingPolicy("Pods", 4, 60), ScalingPolicy("Percent", 10, 60)), "Min", 0),
        [Mark(NOW - 9, 9)], 0, 9, 8),
    "selectPolicy Disabled down": (UP, ScalingRules(DOWN.policies, "Disabled", 0), [Mark(NOW - 9, 9)], 0, 9, 9),
    "selectPolicy Disabled up": (ScalingRules(UP.policies, "Disabled", 0), DOWN, (), 1000, 2, 2),
    "Pods 1 a minute up": (ScalingRules((ScalingPolicy("Pods", 1, 60),), window=0), DOWN, (), 1000, 2, 3),
    "Percent rounds up on the way up": (ScalingRules((ScalingPolicy("Percent", 10, 60),), window=0), DOWN, (), 1000,
                                        2, 3),
    "a window up: the lowest of a minute": (ScalingRules(UP.policies, window=60), DOWN,
                                            [Mark(NOW - 30, 3), Mark(NOW - 15, 4)], 1000, 2, 3),
    "a window up holds a spike back": (ScalingRules(UP.policies, window=60), DOWN, [Mark(NOW - 30, 2)], 1000, 2, 2),
}  # fmt: skip


@pytest.mark.parametrize(("up", "down", "marks", "used", "replicas", "then"), SPEED.values(), ids=SPEED)
def test_how_fast_it_may_go(up, down, marks, used, replicas, then):
    """Windows and policies, as `behavior` says."""
    history = History(tuple(marks) or (Mark(NOW - 400, replicas),))
    assert asked(scaler(up=up, down=down), pods(*[used] * replicas), history).replicas == then


def test_a_policys_period_counts_what_was_done_in_it():
    """Two replicas a minute are two, however often it looks."""
    slow = ScalingRules((ScalingPolicy("Pods", 2, 60),), window=0)
    autoscaler, history, replicas, seen = scaler(up=slow, down=DOWN, most=20), History(), 2, []
    for second in range(0, 121, 15):
        observed = [
            Pod(str(n), 100, -1000, True, -999, Usage(1000, NOW + second, 15)) for n in range(replicas)
        ]  # fmt: skip
        decision = recommend(autoscaler, replicas, observed, history, NOW + second)
        history, replicas = decision.history, decision.replicas
        seen.append(replicas)
    assert seen == [4, 4, 4, 4, 6, 6, 6, 6, 8]


def test_a_trace_from_little_to_much_and_back():
    """Up at the next look, down five minutes after the last look that asked for as many."""
    autoscaler, history, replicas, seen = scaler(most=6), History(), 2, []
    load = [20] * 3 + [300] * 8 + [20] * 30
    for look, total in enumerate(load):
        now = NOW + 15 * look
        observed = [Pod(str(n), 100, -1000, True, -999, Usage(total // replicas, now, 15)) for n in range(replicas)]
        decision = recommend(autoscaler, replicas, observed, history, now)
        history, replicas = decision.history, decision.replicas
        seen.append(replicas)
    assert seen[:3] == [2, 2, 2]
    assert seen[3:11] == [4] + [6] * 7  # at most twice as many at a time
    assert seen[11:31].count(6) >= 19
    assert seen[-1] == 1
