"""`python -m gateway.provision`: make missing Secrets, or take a step of a rotation; --help names them."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.provision import material, rotation
from gateway.provision.cluster import Cluster, Name, Secret, connect
from gateway.provision.errors import CannotProvision
from gateway.settings import Settings

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
SETTLE_SECONDS = 1800
"""The mesh asks for the keys every 20 minutes, others may keep them for 5; kubelet renews a volume within 2."""

_NAME = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)/([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?)")
_HOST = re.compile(r"[A-Za-z0-9*:]([A-Za-z0-9.:-]{0,252}[A-Za-z0-9])?")


def main(words: Sequence[str] | None = None) -> None:
    """Do what the words say, a line each; what cannot be is one line and exit code 1."""
    asked = _parser().parse_args(words)
    if asked.certificate and not asked.host:
        sys.exit("provision: --certificate needs --host HOST: the name or IP address that it is for.")
    try:
        with connect(asked.server, asked.service_account) as cluster:
            _make(cluster, asked)
            _rotate(cluster, asked)
    except CannotProvision as error:
        sys.exit(f"provision: {error}")


def _make(cluster: Cluster, asked: argparse.Namespace) -> None:
    for name in asked.signing_key:
        _create(cluster, Secret(name, {"1.pem": material.signing_key()}))
    for name in asked.password:
        _create(cluster, Secret(name, {"password": material.password()}))
    for name in asked.certificate:
        _create(cluster, Secret(name, material.certificate(asked.host), "kubernetes.io/tls"))


def _rotate(cluster: Cluster, asked: argparse.Namespace) -> None:
    now = datetime.now(UTC)
    settle, tokens = timedelta(seconds=asked.settle_seconds), timedelta(seconds=asked.token_seconds)
    for name in asked.rotate:
        _step(cluster, name, lambda secret: rotation.publish(secret, now))
    for name in asked.sign:
        _step(cluster, name, lambda secret: rotation.sign(secret, now, settle))
    for name in asked.retire:
        _step(cluster, name, lambda secret: rotation.retire(secret, now, settle + tokens))


def _create(cluster: Cluster, secret: Secret) -> None:
    _say(f"{secret.name}: {'made' if cluster.create(secret) else 'there already, left alone'}")


def _step(cluster: Cluster, name: Name, step: Callable[[Secret], tuple[Secret, str]]) -> None:
    changed, what = step(cluster.read(name))
    cluster.replace(changed)
    _say(f"{name}: {what}")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m gateway.provision", description=__doc__)

    def secrets(flag: str, help_: str) -> None:
        parser.add_argument(flag, type=_name, action="append", default=[], metavar="NAMESPACE/NAME", help=help_)

    secrets("--signing-key", "make an ES256 key (1.pem), unless it is there")
    secrets("--password", "make a random password (key `password`), unless it is there")
    secrets("--certificate", "make a self-signed TLS pair for --host, unless it is there: for laptops and tests")
    secrets("--rotate", "rotation, first: publish the next key; it does not sign yet")
    secrets("--sign", "rotation, second: let the newest key sign")
    secrets("--retire", "rotation, third: drop the oldest key")
    parser.add_argument("--host", type=_host, action="append", default=[], help="name or IP address of --certificate")
    parser.add_argument("--settle-seconds", type=int, default=SETTLE_SECONDS, help="least time from --rotate to --sign")
    parser.add_argument(
        "--token-seconds",
        type=int,
        default=Settings().token_seconds,
        help="how long tokens are good for; least time, with --settle-seconds, from --sign to --retire",
    )
    parser.add_argument("--server", default="https://kubernetes.default.svc", help="URL of the API server")
    parser.add_argument("--service-account", type=Path, default=ACCOUNT, help="folder with token and ca.crt")
    return parser


def _name(text: str) -> Name:
    found = _NAME.fullmatch(text)
    if found is None:
        raise argparse.ArgumentTypeError("must be NAMESPACE/NAME, in lower case")
    return Name(found[1], found[3])


def _host(text: str) -> str:
    if _HOST.fullmatch(text) is None:
        raise argparse.ArgumentTypeError("must be a host name or an IP address")
    return text


if __name__ == "__main__":
    main()
