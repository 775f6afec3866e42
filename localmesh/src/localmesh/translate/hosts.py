"""Host names: short ones, wildcards, and the names by which a caller may call a service."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from ipaddress import ip_address
from typing import TypeVar

DOMAIN = "cluster.local"
V = TypeVar("V")


@lru_cache(4096)  # routes name few hosts many times
def qualified(host: str, namespace: str) -> str:
    """`inference` → `inference.NAMESPACE.svc.cluster.local`; a name with a dot, `*` and an address stay."""
    if not host or host == "*" or "." in host or _is_address(host):
        return host
    return f"{host}.{namespace}.svc.{DOMAIN}"


def is_wildcard(host: str) -> bool:
    """Whether it begins with `*`."""
    return host.startswith("*")


def matches(one: str, other: str) -> bool:
    """Whether some name could be meant by both."""
    if is_wildcard(one) and is_wildcard(other):
        short, long = sorted((one[1:], other[1:]), key=len)
        return long.endswith(short)
    if is_wildcard(one):
        return other.endswith(one[1:])
    if is_wildcard(other):
        return one.endswith(other[1:])
    return one == other


def subset_of(one: str, other: str) -> bool:
    """Whether every name meant by `one` is meant by `other`."""
    if is_wildcard(other):
        return (not is_wildcard(one) or len(one) >= len(other)) and one.removeprefix("*").endswith(other[1:])
    return one == other


def intersection(ours: Sequence[str], theirs: Sequence[str]) -> list[str]:
    """The more specific name of each pair where one contains the other."""
    found: dict[str, None] = {}
    for mine in ours:
        for other in theirs:
            if subset_of(mine, other):
                found[mine] = None
            elif subset_of(other, mine):
                found[other] = None
    return list(found)


def specificity(host: str) -> tuple[bool, int, str]:
    """A key to sort with: plain names before wildcards, long before short, then by name."""
    return is_wildcard(host), -len(host), host


def most_specific(host: str, rules: Mapping[str, V]) -> V | None:
    """The rule of `host` itself, else of the longest wildcard that contains it."""
    if host in rules:
        return rules[host]
    wildcards = [name for name in rules if is_wildcard(name) and host.endswith(name[1:])]
    return rules[min(wildcards, key=specificity)] if wildcards else None


def called_as(host: str, caller_namespace: str) -> list[str]:
    """All names of the service `host` for a caller in that namespace, the full one first."""
    names = [host]
    if _is_address(host):
        return names
    names.append(f"{host}.")
    short, found, _ = host.partition(f".svc.{DOMAIN}")
    if not found or "." not in short:
        return names
    name, _, namespace = short.partition(".")
    if namespace == caller_namespace:
        return [*names, name, f"{short}.svc", short]
    return [*names, short, f"{short}.svc"]


def in_brackets(host: str) -> str:
    """As a Host header has it: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def with_port(host: str, port: int) -> str:
    """How a virtual host is named."""
    return f"{in_brackets(host)}:{port}"


def without_namespace(server_hosts: Iterable[str], namespace: str) -> list[str]:
    """A Gateway server's hosts that VirtualServices of `namespace` may use, their `NAMESPACE/` taken off."""
    found = []
    for host in server_hosts:
        owner, slash, name = host.partition("/")
        if not slash:
            found.append(host)
        elif owner in (namespace, "*"):
            found.append(name)
    return found


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
