"""HTTPRetry → RetryPolicy, and Istio's policy where nothing is said."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from localmesh.translate import durations

CONDITIONS = frozenset(
    {
        *("5xx", "gateway-error", "reset", "reset-before-request", "connect-failure", "retriable-4xx"),
        *("refused-stream", "retriable-status-codes", "retriable-headers", "envoy-ratelimited"),
        *("http3-post-connect-failure", "cancelled", "deadline-exceeded", "internal", "resource-exhausted"),
        "unavailable",
    }
)
"""What retryOn may name, besides status codes."""
_DEFAULT_ON = "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes"
_BY_CODES = "retriable-status-codes"
_OTHER_HOST = {
    "name": "envoy.retry_host_predicates.previous_hosts",
    "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
    },
}
_OTHER_PRIORITY = {
    "name": "envoy.retry_priorities.previous_priorities",
    "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig",
        "update_frequency": 2,
    },
}
# Go's net/http knows no 306 as a status to match by, and Python's http knows the same codes otherwise.
_CODES = frozenset(int(status) for status in HTTPStatus)


def retry_policy(retries: Mapping[str, Any] | None, *, hashed: bool = False) -> dict[str, Any] | None:
    """The policy of one route, None when retries are off. `hashed`: by consistent hash, a retry stays on its host."""
    policy: dict[str, Any] = {
        "num_retries": 2,
        "retry_on": _DEFAULT_ON,
        "host_selection_retry_max_attempts": "5",
        **({} if hashed else {"retry_host_predicate": [_OTHER_HOST]}),
    }
    if retries is None:
        return policy
    if retries.get("attempts", 0) <= 0:
        return None
    policy["num_retries"] = retries["attempts"]
    if retries.get("retryOn"):
        policy |= _conditions(retries["retryOn"])
    if retries.get("perTryTimeout") is not None:
        policy["per_try_timeout"] = durations.envoy(retries["perTryTimeout"])
    if retries.get("retryIgnorePreviousHosts") is not None:
        policy.pop("retry_host_predicate", None)
        if retries["retryIgnorePreviousHosts"]:
            policy["retry_host_predicate"] = [_OTHER_HOST]
    if retries.get("retryRemoteLocalities"):
        policy["retry_priority"] = _OTHER_PRIORITY
    if retries.get("backoff") is not None:
        policy["retry_back_off"] = {"base_interval": durations.envoy(retries["backoff"])}
    return policy


def unknown_conditions(retry_on: str) -> list[str]:
    """The words of a retryOn that mean nothing; like istiod it takes no spaces."""
    return [word for word in retry_on.split(",") if retry_on and not _is_code(word) and word not in CONDITIONS]


def _is_code(word: str) -> bool:
    return word.isascii() and word.isdigit() and int(word) in _CODES


def _conditions(retry_on: str) -> dict[str, Any]:
    """Names stay in `retry_on`; status codes become `retriable_status_codes`, which need a name of their own."""
    words = [word.strip() for word in retry_on.split(",") if word.strip()]
    codes = [int(word) for word in words if _is_code(word)]
    names = ",".join(word for word in words if not _is_code(word))
    if not codes:
        return {"retry_on": names}
    if _BY_CODES not in names:
        names += f",{_BY_CODES}"
    return {"retry_on": names, "retriable_status_codes": codes}
