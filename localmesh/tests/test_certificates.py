"""What workloads show each other: who issued it, to whom, for how long, and who can read it."""

import asyncio
import datetime
import json

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError
from envoys.http1 import eventually

from localmesh.certificates import Certificates
from localmesh.xds import secret

WEB = "spiffe://cluster.local/ns/demo/sa/web"


def body(xds, name):
    (found,) = json.loads(secret(xds, name).read_text())["resources"]
    return found


def certificate(xds, name):
    chain = body(xds, name)["tls_certificate"]["certificate_chain"]["inline_string"]
    return x509.load_pem_x509_certificate(chain.encode())


def root(xds):
    return x509.load_pem_x509_certificate(
        body(xds, "ROOTCA")["validation_context"]["trusted_ca"]["inline_string"].encode()
    )


def test_a_workloads_name_is_in_its_certificate(tmp_path):
    """As SPIFFE has it, and nowhere else; it lasts an hour, and only this user can read its key."""
    xds = tmp_path / "xds"
    Certificates(xds).issue([WEB])
    found = certificate(xds, WEB)
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert names.value.get_values_for_type(x509.UniformResourceIdentifier) == [WEB]
    assert names.critical
    assert list(found.subject) == []
    assert isinstance(found.public_key(), ec.EllipticCurvePublicKey)
    left = found.not_valid_after_utc - datetime.datetime.now(datetime.UTC)
    assert datetime.timedelta(minutes=58) < left <= datetime.timedelta(hours=1)
    assert secret(xds, WEB).stat().st_mode & 0o777 == 0o600
    assert secret(xds, WEB).parent.stat().st_mode & 0o777 == 0o700


def test_another_copys_certificates_are_not_believed(tmp_path):
    """Each run has a root of its own."""
    one, other = tmp_path / "one" / "xds", tmp_path / "other" / "xds"
    Certificates(one).issue([WEB])
    Certificates(other).issue([WEB])
    verifier = PolicyBuilder().store(Store([root(one)])).build_client_verifier()
    assert verifier.verify(certificate(one, WEB), []).subjects
    with pytest.raises(VerificationError):
        verifier.verify(certificate(other, WEB), [])


def test_certificates_are_renewed_at_half_of_their_life(tmp_path):
    """With a new key each; who has one already gets no other by being named again."""
    xds = tmp_path / "xds"
    certificates = Certificates(xds, datetime.timedelta(seconds=1))
    certificates.issue([WEB])
    first = certificate(xds, WEB)
    certificates.issue([WEB, f"{WEB}-2"])
    assert certificate(xds, WEB) == first
    assert certificate(xds, f"{WEB}-2").issuer == first.issuer

    async def scenario():
        renewing = asyncio.create_task(certificates.keep())
        await eventually(lambda: certificate(xds, WEB).public_key() != first.public_key())
        renewing.cancel()

    asyncio.run(scenario())
