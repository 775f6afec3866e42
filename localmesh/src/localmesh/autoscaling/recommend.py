"""How many replicas there should be: one pure function, from a HorizontalPodAutoscaler and what was observed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from localmesh.autoscaling.behavior import (
    DOWN_WINDOW_SECONDS,
    UP_FACTOR,
    UP_LEAST,
    History,
    Mark,
    down_limit,
    stabilised,
    stabilised_down,
    up_limit,
)
from localmesh.autoscaling.pods import NoMetric, Pod, Proposal, Tolerance, propose
from localmesh.manifests.model import Autoscaler, CpuTarget, ScalingRules

_KEEP_SECONDS = 3600.0
"""The longest window that Kubernetes takes."""


@dataclass(frozen=True)
class Decision:
    """What to do, and why, in Kubernetes' words where it has one. `metrics` are in the order of the manifest."""

    replicas: int
    reason: str
    message: str
    metrics: tuple[Proposal | None, ...]
    """What each metric asked for; None where it said nothing."""
    history: History
    active: bool = True
    """Whether the metrics could be followed."""


def recommend(autoscaler: Autoscaler, replicas: int, pods: Sequence[Pod], history: History, now: float) -> Decision:
    """`replicas` are wanted now, `pods` are there; times are seconds of one clock, `history` is the last decision's."""
    if not history.recommended:
        history = replace(history, recommended=(Mark(now, replicas),))
    proposals, reason, errors = _proposals(autoscaler, replicas, pods, now)
    keep = Decision(replicas, "", "", proposals, history)
    if replicas == 0 and autoscaler.min_replicas != 0:
        text = "scaled to 0 replicas by hand: autoscaling is off until there is one again"
        return replace(keep, reason="ScalingDisabled", message=text, active=False)
    if replicas > autoscaler.max_replicas:
        return _changed(keep, replicas, autoscaler.max_replicas, "TooManyReplicas", "above maxReplicas", now)
    if replicas < autoscaler.min_replicas:
        return _changed(keep, replicas, autoscaler.min_replicas, "TooFewReplicas", "below minReplicas", now)
    wanted = max((one.replicas for one in proposals if one is not None), default=0)
    if errors and (len(errors) == len(proposals) or wanted < replicas):
        return replace(keep, reason=reason, message=errors[0], active=False)
    steady, allowed, reason, text = _normalised(autoscaler, replicas, wanted, history, now)
    history = replace(history, recommended=(*history.recommended, Mark(now, wanted))).keeping(now, _KEEP_SECONDS)
    if allowed == steady != wanted:
        reason = "ScaleUpStabilized" if wanted > steady else "ScaleDownStabilized"
        text = f"the metrics ask for {wanted}; recent recommendations did not"
    return _changed(replace(keep, history=history), replicas, allowed, reason, text, now)


def _proposals(
    autoscaler: Autoscaler, replicas: int, pods: Sequence[Pod], now: float
) -> tuple[tuple[Proposal | None, ...], str, list[str]]:
    """What each metric asks for; the first failure's reason, and all failures' messages."""
    up, down = autoscaler.scale_up, autoscaler.scale_down
    tolerance = Tolerance(up.tolerance if up else 0.1, down.tolerance if down else 0.1)
    found: list[Proposal | None] = []
    reason, errors = "", list[str]()
    for target in autoscaler.metrics:
        try:
            found.append(propose(target, pods, replicas, now, tolerance))
        except NoMetric as error:
            found.append(None)
            reason = reason or ("FailedGetResourceMetric" if isinstance(target, CpuTarget) else "FailedGetPodsMetric")
            errors.append(str(error))
    return tuple(found), reason, errors


def _normalised(
    autoscaler: Autoscaler, replicas: int, wanted: int, history: History, now: float
) -> tuple[int, int, str, str]:
    """What is left of `wanted` when the windows were asked, and then the limits; and why."""
    up, down = autoscaler.scale_up, autoscaler.scale_down
    if up is None or down is None:
        steady = stabilised_down(history.recommended, wanted, now)
        most, least = max(UP_FACTOR * replicas, UP_LEAST), autoscaler.min_replicas
    else:
        steady = stabilised(history.recommended, wanted, replicas, now, _window(up, 0.0), _window(down))
        most, least = up_limit(up, history, replicas, now), down_limit(down, history, replicas, now)
    if steady > min(most, autoscaler.max_replicas):
        if most < autoscaler.max_replicas:
            return steady, most, "ScaleUpLimit", f"{steady} wanted; the policies allow {most} now"
        return steady, autoscaler.max_replicas, "TooManyReplicas", f"{steady} wanted; maxReplicas is the limit"
    if steady < max(least, autoscaler.min_replicas):
        if least > autoscaler.min_replicas:
            return steady, least, "ScaleDownLimit", f"{steady} wanted; the policies allow {least} now"
        return steady, autoscaler.min_replicas, "TooFewReplicas", f"{steady} wanted; minReplicas is the limit"
    return steady, steady, "DesiredWithinRange", "the desired count is within the acceptable range"


def _window(rules: ScalingRules, default: float = DOWN_WINDOW_SECONDS) -> float:
    return default if rules.window is None else rules.window


def _changed(decision: Decision, before: int, after: int, reason: str, message: str, now: float) -> Decision:
    """With the change in the history."""
    history = decision.history
    if after > before:
        history = replace(history, added=(*history.added, Mark(now, after - before)))
    elif after < before:
        history = replace(history, removed=(*history.removed, Mark(now, before - after)))
    return replace(decision, replicas=after, reason=reason, message=message, history=history)
