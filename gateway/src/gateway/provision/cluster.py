"""Secrets over Kubernetes' API, as the pod's own service account. Each call has a deadline and needs one permission."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from gateway.provision.errors import CannotProvision

CALL_SECONDS = 10.0


@dataclass(frozen=True)
class Name:
    """NAMESPACE/NAME of a Secret."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class Secret:
    """A Secret's data and annotations; `version` is Kubernetes' resourceVersion, empty for one that is to be made."""

    name: Name
    data: dict[str, bytes] = field(repr=False)
    type: str = "Opaque"
    annotations: dict[str, str] = field(default_factory=dict)
    version: str = ""
    labels: dict[str, str] = field(default_factory=lambda: {"app.kubernetes.io/managed-by": "inkmesh-provision"})


class Cluster:
    """One API server."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def create(self, secret: Secret) -> bool:
        """Whether it was made; False when there is one of that name, which is left alone. Permission: create."""
        answer = self._call("create", "POST", secret.name, _collection(secret.name), _manifest(secret))
        if answer.status_code == 409:
            return False
        _check(answer, "create", secret.name)
        return True

    def read(self, name: Name) -> Secret:
        """The Secret as it is. Permission: get."""
        answer = self._call("get", "GET", name, f"{_collection(name)}/{name.name}")
        if answer.status_code == 404:
            raise CannotProvision(f"there is no Secret {name}: make it first, with --signing-key {name}.")
        _check(answer, "get", name)
        found = answer.json()
        meta = found["metadata"]
        return Secret(
            name,
            {key: base64.b64decode(value) for key, value in (found.get("data") or {}).items()},
            found.get("type", "Opaque"),
            dict(meta.get("annotations") or {}),
            meta["resourceVersion"],
            dict(meta.get("labels") or {}),
        )

    def replace(self, secret: Secret) -> None:
        """Put it in the place of the version that was read. Permission: update."""
        path = f"{_collection(secret.name)}/{secret.name.name}"
        answer = self._call("update", "PUT", secret.name, path, _manifest(secret))
        if answer.status_code == 409:
            raise CannotProvision(f"the Secret {secret.name} was changed meanwhile: nothing was done, run it again.")
        _check(answer, "update", secret.name)

    def _call(self, verb: str, method: str, name: Name, path: str, body: Any = None) -> httpx.Response:  # noqa: ANN401
        try:
            return self._http.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise CannotProvision(
                f"cannot {verb} the Secret {name}: no answer from the API server at {self._http.base_url} "
                f"({type(error).__name__}: {error}). Does this run in a pod that may reach it?"
            ) from error


@contextmanager
def connect(server: str, account: Path) -> Iterator[Cluster]:
    """A client that trusts `account`/ca.crt and shows `account`/token. Raises CannotProvision."""
    try:
        token = (account / "token").read_text().strip()
        tls = ssl.create_default_context(cafile=str(account / "ca.crt"))
    except OSError as error:
        raise CannotProvision(
            f"cannot read the service account in {account} ({error}): this runs in a pod with "
            "automountServiceAccountToken: true."
        ) from error
    headers = {"authorization": f"Bearer {token}"}
    with httpx.Client(base_url=server, headers=headers, verify=tls, timeout=CALL_SECONDS, trust_env=False) as http:
        yield Cluster(http)


def _collection(name: Name) -> str:
    return f"/api/v1/namespaces/{name.namespace}/secrets"


def _manifest(secret: Secret) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": secret.name.name, "namespace": secret.name.namespace, "labels": secret.labels}
    if secret.annotations:
        metadata["annotations"] = secret.annotations
    if secret.version:
        metadata["resourceVersion"] = secret.version
    data = {key: base64.b64encode(value).decode() for key, value in secret.data.items()}
    return {"apiVersion": "v1", "kind": "Secret", "type": secret.type, "metadata": metadata, "data": data}


def _check(answer: httpx.Response, verb: str, name: Name) -> None:
    if answer.is_success:
        return
    said = f" Kubernetes says: {_message(answer)}"
    if answer.status_code == 401:
        raise CannotProvision(f"the API server does not know the service account's token.{said}")
    if answer.status_code == 403:
        raise CannotProvision(
            f"may not {verb} secrets in the namespace {name.namespace}: a Role there must give the service account the "
            f"verb `{verb}` on `secrets`.{said}"
        )
    if answer.status_code == 404:
        raise CannotProvision(f"cannot {verb} the Secret {name}: is there a namespace {name.namespace}?{said}")
    raise CannotProvision(f"cannot {verb} the Secret {name}: status {answer.status_code}.{said}")


def _message(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["message"])[:500]
    except (ValueError, KeyError, TypeError):
        return "nothing that can be read."
