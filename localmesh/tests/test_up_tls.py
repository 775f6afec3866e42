"""A Gateway with TLS: its certificate comes from a Secret of the state folder."""

import ssl
import urllib.request

import pytest
from checkouts import eventually
from envoys.self_signed import pair

SERVER = """\
    - port: {number: 443, name: https, protocol: HTTPS}
      hosts: ["*"]
      tls: {mode: SIMPLE, credentialName: edge-tls, minProtocolVersion: TLSV1_2}
"""


@pytest.fixture
def demo(new_checkout):
    found = new_checkout(replicas=1)
    ingress = (found.folder / "istio/base/ingress.yaml").read_text()
    found.write("istio/base/ingress.yaml", ingress.replace('      hosts: ["*"]\n', f'      hosts: ["*"]\n{SERVER}', 1))
    return found


def put(demo, certificate, key):
    folder = demo.home / "secrets" / "edge-tls"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tls.crt").write_bytes(certificate)
    (folder / "tls.key").write_bytes(key)


def test_the_edge_speaks_tls_with_the_secrets_certificate(demo):
    """Whoever trusts it is answered at the address that `status` names, and plain HTTP is there as before."""
    certificate, key = pair()
    put(demo, certificate, key)
    demo.up()
    trusting = ssl.create_default_context(cadata=certificate.decode())
    url = demo.status()["ingress_tls"]
    with urllib.request.urlopen(url, timeout=5, context=trusting) as answer:
        assert answer.status == 200
    with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
        urllib.request.urlopen(url, timeout=5, context=ssl.create_default_context())
    assert eventually(demo.get)["replica"] == "web-0"


def test_a_secret_that_is_missing_or_wrong_is_named(demo):
    """Before anything starts: which Secret, what is wrong with it, and where to put it."""
    assert "needs the Secret edge-tls" in demo.run("up", "--detach", check=False).stderr
    put(demo, pair()[0], pair()[1])
    done = demo.run("up", "--detach", check=False)
    assert "the key is not the certificate's" in done.stderr
    assert str(demo.home / "secrets" / "edge-tls") in done.stderr
    put(demo, b"x", b"y")
    assert "they cannot be read" in demo.run("up", "--detach", check=False).stderr
