"""As much of a real Kubernetes as an HorizontalPodAutoscaler needs: etcd, kube-apiserver, and its one controller.

There is no kubelet and no other controller: pods are objects whose status is written by whoever plays the node.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

START_SECONDS = 120
MERGE = {"content-type": "application/merge-patch+json"}


@dataclass
class ControlPlane:
    """One that runs, and what talks to its API."""

    client: httpx.Client
    folder: Path

    def create(self, path: str, body: dict) -> None:
        """POST; raises httpx.HTTPStatusError with what the API server says."""
        self._told(self.client.post(path, json=body))

    def patch(self, path: str, body: dict) -> None:
        """A merge patch."""
        self._told(self.client.patch(path, content=json.dumps(body), headers=MERGE))

    def delete(self, path: str) -> None:
        """At once."""
        self._told(self.client.delete(path, params={"gracePeriodSeconds": 0}))

    def get(self, path: str) -> dict:
        """An object."""
        return self._told(self.client.get(path)).json()

    def certificate(self) -> tuple[Path, Path]:
        """The API server's own, and its key: good enough for whoever stands behind it."""
        return self.folder / "apiserver.crt", self.folder / "apiserver.key"

    @staticmethod
    def _told(answer: httpx.Response) -> httpx.Response:
        if answer.is_error:
            raise RuntimeError(f"{answer.request.method} {answer.request.url.path}: {answer.text}")
        return answer


@contextlib.contextmanager
def control_plane(binaries: Path, folder: Path, sync_seconds: float) -> Iterator[ControlPlane]:
    """Start `etcd`, `kube-apiserver` and `kube-controller-manager` of `binaries`, with their state in `folder`."""
    etcd, peer, port = _free_ports(3)
    key = folder / "accounts.key"
    key.write_bytes(
        rsa.generate_private_key(65537, 2048).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    token, tokens = secrets.token_hex(16), folder / "tokens.csv"
    tokens.write_text(f"{token},recorder,recorder\n")
    url = f"https://127.0.0.1:{port}"
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(json.dumps(_kubeconfig(url, token)))
    with contextlib.ExitStack() as stack:

        def start(name: str, *flags: str) -> None:
            log = stack.enter_context((folder / f"{name}.log").open("wb"))
            process = subprocess.Popen([binaries / name, *flags], stdout=log, stderr=log)
            stack.callback(_stop, process)

        start(
            "etcd", "--data-dir", str(folder / "etcd"), "--listen-client-urls", f"http://127.0.0.1:{etcd}",
            "--advertise-client-urls", f"http://127.0.0.1:{etcd}", "--listen-peer-urls", f"http://127.0.0.1:{peer}",
        )  # fmt: skip
        start(
            "kube-apiserver", f"--etcd-servers=http://127.0.0.1:{etcd}", f"--secure-port={port}",
            f"--cert-dir={folder}", "--bind-address=127.0.0.1", "--service-cluster-ip-range=10.96.0.0/16",
            "--authorization-mode=AlwaysAllow", f"--token-auth-file={tokens}",
            "--disable-admission-plugins=ServiceAccount",
            "--service-account-issuer=https://kubernetes.default.svc", f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}", "--feature-gates=HPAConfigurableTolerance=true",
        )  # fmt: skip
        client = stack.enter_context(_client(url, token))
        _wait_ready(client, folder)
        start(
            "kube-controller-manager", f"--kubeconfig={kubeconfig}", "--leader-elect=false", "--secure-port=0",
            "--controllers=horizontal-pod-autoscaler-controller", "--kube-api-content-type=application/json",
            f"--horizontal-pod-autoscaler-sync-period={sync_seconds}s", "--feature-gates=HPAConfigurableTolerance=true",
        )  # fmt: skip
        yield ControlPlane(client, folder)


def _wait_ready(client: httpx.Client, folder: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError):
            if client.get("/readyz").is_success:
                return
        time.sleep(0.2)
    raise TimeoutError(f"kube-apiserver does not become ready; see {folder}/kube-apiserver.log")


def _client(url: str, token: str) -> httpx.Client:
    """Of an API server with a certificate of its own making."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    headers = {"authorization": f"Bearer {token}"}
    return httpx.Client(base_url=url, headers=headers, verify=context, timeout=30, trust_env=False)


def _kubeconfig(url: str, token: str) -> dict:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "clusters": [{"name": "here", "cluster": {"server": url, "insecure-skip-tls-verify": True}}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "anyone"}}],
        "users": [{"name": "anyone", "user": {"token": token}}],
    }


def _stop(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
