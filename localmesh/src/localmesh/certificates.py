"""A certificate authority of this copy's own: short-lived certificates with SPIFFE names, as istiod gives out.

Its key is in memory only. What it issues are files of Envoy's, one an identity, readable by this user alone, and
replaced at half of their life: connections stay, new ones use the new certificate.
"""

from __future__ import annotations

import asyncio
import datetime
import hashlib
import json
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from localmesh.xds import secret

LIFE = datetime.timedelta(hours=1)
_CA_LIFE = datetime.timedelta(days=3650)
_CLOCK_SKEW = datetime.timedelta(minutes=2)
_LOOK_SECONDS = 5.0
_ROOT = "ROOTCA"
_SECRET = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"  # noqa: S105 (a type's name)


class Certificates:
    """Issues to the identities it is told of, and issues anew while `keep` runs."""

    def __init__(self, xds: Path, life: datetime.timedelta = LIFE) -> None:
        """`xds`: the folder of the XdsDirectory whose resources name the identities as secrets."""
        self._xds = xds
        self._life = life
        self._identities: tuple[str, ...] = ()
        self._key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "localmesh")])
        public = self._key.public_key()
        self._issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(public)
        self._root = _sign(self._key, name, name, public, _CA_LIFE, _authority(public))

    def issue(self, identities: Iterable[str]) -> None:
        """Give a certificate to those that have none yet; call it before Envoy is told of them."""
        new = [one for one in dict.fromkeys(identities) if one not in self._identities]
        if not self._identities:
            # An earlier run's are signed by another root.
            for old in secret(self._xds, _ROOT).parent.glob("spiffe*.json"):
                old.unlink()
            root = _pem(self._root)
            _write(self._xds, _ROOT, {"validation_context": {"trusted_ca": {"inline_string": root}}})
        self._identities += tuple(new)
        self._renew(new)

    async def keep(self) -> None:
        """Renew all at half of their life, until cancelled; the clock on the wall counts: a laptop may have slept."""
        due = time.time() + self._life.total_seconds() / 2
        while True:
            await asyncio.sleep(min(_LOOK_SECONDS, self._life.total_seconds() / 20))
            if time.time() >= due:
                self.renew()
                due = time.time() + self._life.total_seconds() / 2

    def renew(self) -> None:
        """New certificates for all, with new keys."""
        self._renew(self._identities)

    def _renew(self, identities: Sequence[str]) -> None:
        for identity in identities:
            key = ec.generate_private_key(ec.SECP256R1())
            certificate = _sign(
                self._key,
                x509.Name([]),
                self._root.subject,
                key.public_key(),
                self._life,
                [*_workload(identity), (self._issuer, False)],
            )
            private = key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            chain = {"inline_string": _pem(certificate)}
            _write(
                self._xds, identity, {"tls_certificate": {"certificate_chain": chain, "private_key": _inline(private)}}
            )


def write_certificate(xds: Path, name: str, certificate: bytes, key: bytes) -> None:
    """Give Envoy a certificate under that name. ValueError: they cannot be read, or do not belong together."""
    try:
        public = x509.load_pem_x509_certificate(certificate).public_key()
        private = serialization.load_pem_private_key(key, None)
    except (ValueError, TypeError):
        raise ValueError("they cannot be read") from None
    if public != private.public_key():
        raise ValueError("the key is not the certificate's")
    chain = {"inline_string": certificate.decode()}
    body: dict[str, object] = {"tls_certificate": {"certificate_chain": chain, "private_key": _inline(key)}}
    _write(xds, name, body)


def write_authorities(xds: Path, name: str, certificates: bytes) -> None:
    """Give Envoy those whose signature counts, under that name. ValueError: they cannot be read."""
    x509.load_pem_x509_certificates(certificates)
    _write(xds, name, {"validation_context": {"trusted_ca": _inline(certificates)}})


def _write(xds: Path, name: str, body: dict[str, object]) -> None:
    """Replace the file at once: Envoy looks again when a file is moved to its place."""
    target = secret(xds, name)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    resource = {"@type": _SECRET, "name": name, **body}
    digest = hashlib.sha256(json.dumps(resource).encode()).hexdigest()[:16]
    content = json.dumps({"version_info": digest, "resources": [resource]})
    if target.is_file() and target.read_text() == content:
        return
    temporary = target.with_suffix(".tmp")
    temporary.unlink(missing_ok=True)
    temporary.touch(mode=0o600)
    temporary.write_text(content)
    temporary.replace(target)


def _sign(
    signer: ec.EllipticCurvePrivateKey,
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    life: datetime.timedelta,
    extensions: Iterable[tuple[x509.ExtensionType, bool]],
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + life)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(signer, hashes.SHA256())


def _authority(key: ec.EllipticCurvePublicKey) -> list[tuple[x509.ExtensionType, bool]]:
    return [
        (x509.BasicConstraints(ca=True, path_length=0), True),
        (_usage(signs_certificates=True), True),
        (x509.SubjectKeyIdentifier.from_public_key(key), False),
    ]


def _workload(identity: str) -> list[tuple[x509.ExtensionType, bool]]:
    return [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_usage(signs_certificates=False), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), False),
        # As in Istio the name is here alone, and critical, for the subject is empty.
        (x509.SubjectAlternativeName([x509.UniformResourceIdentifier(identity)]), True),
    ]


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_encipherment=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _inline(pem: bytes) -> dict[str, str]:
    return {"inline_string": pem.decode()}
