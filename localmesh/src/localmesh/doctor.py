"""`doctor`: what a start needs, looked at one by one."""

from __future__ import annotations

import asyncio
import os
import platform
import sys
from contextlib import suppress
from pathlib import Path

from localmesh.addresses import LOOPBACK, Addresses, can_bind, holder
from localmesh.dataplane import version
from localmesh.errors import LocalmeshError
from localmesh.orphans import leftovers
from localmesh.product import Finding
from localmesh.session import Session

_OLDEST_PYTHON = (3, 11)
_WATCHES = 40
"""About what one copy's Envoy takes, and some to spare."""


def examine(session: Session, port: int, overlay: str | None = None) -> list[Finding]:
    """All findings, in the order in which a start with that overlay would meet them."""
    running = session.state.running() is not None
    findings = [_python(), _envoy(), _manifests(session, overlay), _state(session)]
    if not running:
        findings += [_port(session, port), _addresses(session), _stale(session), *_file_watches()]
    else:
        findings.append(_running(session))
    return [*findings, *session.product.findings(session.state)]


def _python() -> Finding:
    ok = sys.version_info >= _OLDEST_PYTHON
    return Finding("Python", ok, f"{platform.python_version()} at {sys.executable}", "Install Python 3.11 or later.")


def _envoy() -> Finding:
    try:
        return Finding("Envoy", ok=True, found=asyncio.run(version()))
    except LocalmeshError as error:
        return Finding("Envoy", False, error.what, error.next_step)


def _manifests(session: Session, overlay: str | None) -> Finding:
    subject, catalog = session.overlay(overlay), session.catalog(overlay)
    try:
        plan = catalog.plan(None)
    except LocalmeshError as error:
        return Finding(subject, False, error.what, error.next_step)
    count = len(plan.manifests.deployments)
    return Finding(subject, True, f"{count} workloads, {len(catalog.scenarios())} scenarios")


def _state(session: Session) -> Finding:
    path = session.state.path
    try:
        session.state.create()
    except OSError as error:
        return Finding("state folder", False, f"{path}: {error.strerror}", f"Set {session.product.env_prefix}_HOME.")
    ok = os.access(path, os.W_OK)
    return Finding("state folder", ok, str(path), "" if ok else "Make it writable for you.")


def _port(session: Session, port: int) -> Finding:
    if can_bind(LOOPBACK, port):
        return Finding(f"port {port}", True, "free")
    return Finding(
        f"port {port}",
        False,
        f"in use by {holder(port) or 'another process'}",
        f"Use --port, or {session.product.env_prefix}_PORT.",
    )


def _addresses(session: Session) -> Finding:
    addresses = Addresses.claim(str(session.state.path))
    block = addresses.block
    addresses.close()
    if block is None:
        return Finding("addresses", True, "127.0.0.1 only: replicas get free ports instead of addresses of their own")
    return Finding("addresses", True, f"127.{block}.0.0/16 is free: each replica gets an address of its own")


def _stale(session: Session) -> Finding:
    found = leftovers(session.state)
    names = ", ".join(f"{name} (pid {pid})" for pid, name in found)
    return Finding("left-over processes", not found, names or "none", "The next `up` ends them.")


def _file_watches() -> list[Finding]:
    """Linux: Envoy takes an inotify instance a cluster and route table, and dies when there is none left."""
    limit = Path("/proc/sys/fs/inotify/max_user_instances")
    if not limit.exists():
        return []
    most, used = int(limit.read_text()), 0
    for folder in Path("/proc").glob("[0-9]*/fd"):
        with suppress(OSError):
            if folder.stat().st_uid == os.getuid():
                used += sum(str(file.readlink()) == "anon_inode:inotify" for file in folder.iterdir())
    return [
        Finding(
            "file watches",
            most - used >= _WATCHES,
            f"{most - used} of {most} inotify instances are free",
            f"`sudo sysctl fs.inotify.max_user_instances={4 * most}`, or stop some programs.",
        )
    ]


def _running(session: Session) -> Finding:
    try:
        status = session.ask("status", timeout=5)
    except LocalmeshError as error:
        return Finding("running copy", False, error.what, error.next_step)
    late = [one["name"] for one in status["workloads"] if sum(r["ready"] for r in one["replicas"]) < one["desired"]]
    found = f"{status['ingress']}, " + (f"not ready: {', '.join(late)}" if late else "all ready")
    return Finding("running copy", not late, found, f"See `{session.product.name} logs {late[0]}`." if late else "")
