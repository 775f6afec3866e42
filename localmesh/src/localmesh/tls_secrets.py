"""The certificates that documents name: a Gateway's own, and what a DestinationRule shows and asks for.

They come from a Secret, in the overlay or the state folder, or from files of this machine.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping
from pathlib import Path

from localmesh.errors import LocalmeshError
from localmesh.mesh import Document
from localmesh.state import StateFolder
from localmesh.translate import ROOT_NAMESPACE, client_tls, credential, server_credentials
from localmesh.volumes import Config

_CERTIFICATE, _KEY, _AUTHORITIES = "tls.crt", "tls.key", "ca.crt"
_OF_SYSTEMS = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Where Debian, Fedora, openSUSE, and Alpine or macOS keep what a machine trusts; Istio looks there as well."""


def write(state: StateFolder, config: Config, documents: Iterable[Document]) -> None:
    """Give Envoy all of them. Raises LocalmeshError, Unsupported."""
    documents = tuple(documents)
    for name in sorted({*map(credential, server_credentials(documents)), *client_tls.secrets(documents)}):
        _write(state, config, name)


def _write(state: StateFolder, config: Config, name: str) -> None:
    # Slow to import, and not needed by who names no certificates.
    from localmesh.certificates import write_authorities, write_certificate

    try:
        found, is_root = _found(config, name)
        if is_root:
            write_authorities(state.xds, name, found[_AUTHORITIES])
        else:
            write_certificate(state.xds, name, found[_CERTIFICATE], found[_KEY])
    except (OSError, KeyError, ValueError) as error:
        why = f"there is no {error.args[0]}" if isinstance(error, KeyError) else str(error)
        if name.startswith((client_tls.FILE_ROOT, client_tls.FILE_CERTIFICATE)):
            hint = "The paths are those of this machine; put the files there, or name a Secret by credentialName."
            raise LocalmeshError(
                f"a DestinationRule needs {' and '.join(client_tls.paths(name))}: {why}", hint
            ) from None
        secret = _secret(name)
        raise LocalmeshError(
            f"a Gateway or DestinationRule needs the Secret {secret} with {_wanted(name)} (PEM): {why}",
            f"Put it at {state.secrets / secret}/, or take the name out of the document.",
        ) from None


def _found(config: Config, name: str) -> tuple[Mapping[str, bytes], bool]:
    """The contents by a Secret's keys, and whether it is about authorities."""
    if name.startswith(client_tls.FILE_ROOT):
        (path,) = client_tls.paths(name)
        return {_AUTHORITIES: (_of_system() if path == client_tls.SYSTEM else Path(path)).read_bytes()}, True
    if name.startswith(client_tls.FILE_CERTIFICATE):
        chain, key = client_tls.paths(name)
        return {_CERTIFICATE: Path(chain).read_bytes(), _KEY: Path(key).read_bytes()}, False
    found = config.find(ROOT_NAMESPACE, "Secret", _secret(name)) or {}
    # Istio takes both names of the key.
    return {_AUTHORITIES: found["cacert"], **found} if "cacert" in found else found, name.endswith(
        client_tls.SECRET_ROOT
    )


def _secret(name: str) -> str:
    """The Secret of a name among Envoy's."""
    return name.removeprefix(credential("")).removesuffix(client_tls.SECRET_ROOT)


def _wanted(name: str) -> str:
    return _AUTHORITIES if name.endswith(client_tls.SECRET_ROOT) else f"{_CERTIFICATE} and {_KEY}"


def _of_system() -> Path:
    own = ssl.get_default_verify_paths().cafile
    found = next((path for path in (own, *_OF_SYSTEMS) if path and Path(path).is_file()), None)
    if found is None:
        raise FileNotFoundError("this machine has no list of authorities; name one by caCertificates")
    return Path(found)
