"""A small API server over TLS that keeps Secrets, and the command that asks it."""

from __future__ import annotations

import base64
import json
import re
import ssl
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

from gateway.provision.material import certificate

PATH = re.compile(r"/api/v1/namespaces/([a-z0-9-]+)/secrets(?:/([a-z0-9.-]+))?")
VERBS = {"POST": "create", "GET": "get", "PUT": "update"}


class FakeKubernetes:
    """Secrets of the namespaces `inkmesh` and `istio-system`, for the service account with the token `secret-token`."""

    def __init__(self, folder):
        pair = certificate(["127.0.0.1"])
        self.account = folder / "account"
        self.account.mkdir()
        (self.account / "ca.crt").write_bytes(pair["tls.crt"])
        (self.account / "token").write_text("secret-token\n")
        self.secrets = {}
        self.allowed = {"create", "get", "update"}
        self.asked = []
        self.before_replace = lambda: None
        server = self.server = HTTPServer(("127.0.0.1", 0), self._handler())
        (folder / "pair.pem").write_bytes(pair["tls.crt"] + pair["tls.key"])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "pair.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{server.server_port}"

    def _handler(fake):  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            def do(self):
                length = int(self.headers.get("content-length", 0))
                body = json.loads(self.rfile.read(length)) if length else None
                status, answer = fake.answer(self.command, self.path, self.headers.get("authorization"), body)
                text = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PUT = do  # noqa: N815

            def log_message(self, *_):
                pass

        return Handler

    def answer(self, method, path, authorization, body):
        self.asked.append((method, path))
        namespace, name = PATH.fullmatch(path).groups()
        if authorization != "Bearer secret-token":
            return 401, {"message": "Unauthorized"}
        if VERBS[method] not in self.allowed:
            return 403, {"message": f'secrets is forbidden: User "x" cannot {VERBS[method]} resource "secrets"'}
        if namespace not in ("inkmesh", "istio-system"):
            return 404, {"message": f'namespaces "{namespace}" not found'}
        key = f"{namespace}/{name or body['metadata']['name']}"
        if method == "POST":
            if key in self.secrets:
                return 409, {"message": "already exists"}
            return 201, self._store(key, body, 1)
        if key not in self.secrets:
            return 404, {"message": "not found"}
        if method == "PUT":
            self.before_replace()
            version = self.secrets[key]["metadata"]["resourceVersion"]
            if body["metadata"]["resourceVersion"] != version:
                return 409, {"message": "the object has been modified"}
            return 200, self._store(key, body, int(version) + 1)
        return 200, self.secrets[key]

    def _store(self, key, body, version):
        body["metadata"]["resourceVersion"] = str(version)
        self.secrets[key] = body
        return body

    def data(self, key):
        return {name: base64.b64decode(value) for name, value in self.secrets[key]["data"].items()}

    def age(self, key, **time):
        """As if the Secret's last step had been so long ago."""
        stamp = (datetime.now(UTC) - timedelta(**time)).isoformat()
        self.secrets[key]["metadata"]["annotations"]["inkmesh/keys-changed-at"] = stamp

    def run(self, *words):
        """The command; its exit code and all that it said."""
        command = [sys.executable, "-m", "gateway.provision", "--server", self.url]
        done = subprocess.run(
            [*command, "--service-account", str(self.account), *words], capture_output=True, text=True, timeout=60
        )
        said = done.stdout + done.stderr
        assert "Traceback" not in said
        assert "PRIVATE" not in said
        assert "secret-token" not in said
        return done.returncode, said
