"""`python -m gateway.provision` as a Job's log shows it, against a small API server over TLS."""

import contextlib
import json
import re
import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest
from cryptography.hazmat.primitives import serialization

from fakes.kubernetes import FakeKubernetes
from gateway import keys


@pytest.fixture
def kubernetes(tmp_path):
    fake = FakeKubernetes(tmp_path)
    serving = threading.Thread(target=fake.server.serve_forever, args=(0.05,))
    serving.start()
    yield fake
    fake.server.shutdown()
    fake.server.server_close()
    serving.join()


def test_missing_secrets_are_made_and_those_that_are_there_are_left_alone(kubernetes):
    """A second run, with no more than the permission to create, changes nothing and says so."""
    kubernetes.allowed = {"create"}
    words = ("--signing-key", "inkmesh/token-signing", "--password", "inkmesh/payment-database")
    assert kubernetes.run(*words) == (0, "inkmesh/token-signing: made\ninkmesh/payment-database: made\n")
    signing = keys.parse(kubernetes.data("inkmesh/token-signing"))
    assert (signing.signing, list(signing.public)) == ("1", ["1"])
    password = kubernetes.data("inkmesh/payment-database")["password"].decode()
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", password)
    before = json.dumps(kubernetes.secrets)
    code, said = kubernetes.run(*words)
    assert (code, said.count("there already, left alone")) == (0, 2)
    assert json.dumps(kubernetes.secrets) == before


def test_a_certificate_serves_tls_for_its_hosts(kubernetes, tmp_path):
    """A TLS pair of Kubernetes' own type, that a client accepts which trusts it, strictly."""
    name = "istio-system/ingress"
    assert kubernetes.run("--certificate", name, "--host", "localhost", "--host", "127.0.0.1")[0] == 0
    assert kubernetes.secrets[name]["type"] == "kubernetes.io/tls"
    pair = kubernetes.data(name)
    (tmp_path / "pair").write_bytes(pair["tls.crt"] + pair["tls.key"])
    (tmp_path / "ca").write_bytes(pair["tls.crt"])

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "pair")
    trusting = ssl.create_default_context(cafile=str(tmp_path / "ca"))
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        serving = threading.Thread(target=server.serve_forever, args=(0.05,))
        serving.start()
        try:
            for host in ("127.0.0.1", "localhost"):
                assert httpx.get(f"https://{host}:{server.server_port}", verify=trusting).status_code == 204
        finally:
            server.shutdown()
            serving.join()


def test_a_rotation_goes_by_its_steps(kubernetes):
    """Publish, sign, retire; each too early is refused, and the key that signs is always there."""
    name = "inkmesh/token-signing"
    kubernetes.run("--signing-key", name)

    def state():
        found = keys.parse(kubernetes.data(name))
        return sorted(found.public), found.signing

    assert kubernetes.run("--rotate", name)[0] == 0
    assert state() == (["1", "2"], "1")
    code, said = kubernetes.run("--sign", name)
    assert (code, "too early" in said, "Run it again in" in said) == (1, True, True)
    code, said = kubernetes.run("--rotate", name)
    assert (code, "--sign inkmesh/token-signing comes first" in said) == (1, True)
    kubernetes.age(name, minutes=31)
    assert kubernetes.run("--sign", name)[0] == 0
    assert state() == (["1", "2"], "2")
    kubernetes.age(name, hours=12)
    assert kubernetes.run("--retire", name)[0] == 1
    kubernetes.age(name, hours=13)
    assert kubernetes.run("--retire", name)[0] == 0
    assert state() == (["2"], "2")
    assert kubernetes.run("--retire", name)[0] == 1
    assert kubernetes.run("--rotate", name)[0] == 0
    assert state() == (["2", "3"], "2")


def test_a_secret_that_changed_meanwhile_is_not_overwritten(kubernetes):
    """Two rotations at once: one of them is refused."""
    name = "inkmesh/token-signing"
    kubernetes.run("--signing-key", name)

    def meddle():
        kubernetes.secrets[name]["metadata"]["resourceVersion"] = "77"

    kubernetes.before_replace = meddle
    code, said = kubernetes.run("--rotate", name)
    assert (code, "changed meanwhile: nothing was done" in said) == (1, True)
    assert list(kubernetes.data(name)) == ["1.pem"]


@pytest.mark.parametrize(
    ("words", "allowed", "expected"),
    [
        (["--password", "inkmesh/p"], set(), r"verb `create` on `secrets`"),
        (["--rotate", "inkmesh/k"], {"create"}, r"verb `get` on `secrets`"),
        (["--rotate", "inkmesh/k"], {"get"}, r"verb `update` on `secrets`"),
        (["--password", "nowhere/p"], {"create"}, r"is there a namespace nowhere\?"),
        (["--rotate", "inkmesh/none"], {"get"}, r"there is no Secret inkmesh/none"),
    ],
)
def test_what_is_not_allowed_or_not_there_is_named(kubernetes, words, allowed, expected):
    """One line with the cause and the next step, and exit code 1."""
    kubernetes.run("--signing-key", "inkmesh/k")
    kubernetes.allowed = allowed
    code, said = kubernetes.run(*words)
    assert code == 1
    assert re.search(expected, said)
    assert said.count("\n") == 1


def test_outside_of_a_pod_it_says_so(kubernetes, tmp_path):
    """No service account, a token that is not known, nobody at the address."""
    (kubernetes.account / "token").write_text("other")
    assert "does not know the service account's token" in kubernetes.run("--password", "inkmesh/p")[1]
    kubernetes.url = "https://127.0.0.1:1"
    assert "no answer from the API server" in kubernetes.run("--password", "inkmesh/p")[1]
    with contextlib.suppress(FileNotFoundError):
        (kubernetes.account / "token").unlink()
    code, said = kubernetes.run("--password", "inkmesh/p")
    assert (code, "automountServiceAccountToken" in said) == (1, True)


@pytest.mark.parametrize(
    "words", [["--password", "p"], ["--certificate", "a/b"], ["--certificate", "a/b", "--host", ""]]
)
def test_words_that_make_no_sense_are_refused(kubernetes, words):
    """Before anything is asked of the API server."""
    assert kubernetes.run(*words)[0] != 0
    assert kubernetes.asked == []


def test_a_made_key_is_for_es256(kubernetes):
    """P-256, as PKCS #8 without a passphrase."""
    kubernetes.run("--signing-key", "inkmesh/k")
    key = serialization.load_pem_private_key(kubernetes.data("inkmesh/k")["1.pem"], None)
    assert key.curve.name == "secp256r1"
