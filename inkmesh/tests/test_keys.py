"""The signing key is made once, and only its user can read it."""

from cryptography.hazmat.primitives.serialization import load_pem_private_key

from inkmesh.keys import make_signing_key
from localmesh.state import StateFolder


def test_a_key_is_made_when_there_is_none(tmp_path):
    """One P-256 key in PEM, mode 0600, in the folder of the Secret."""
    make_signing_key(StateFolder(tmp_path))
    (file,) = (tmp_path / "secrets/token-signing").iterdir()
    assert file.name == "1.pem"
    assert file.stat().st_mode & 0o777 == 0o600
    assert load_pem_private_key(file.read_bytes(), None).curve.name == "secp256r1"


def test_a_key_that_is_there_stays(tmp_path):
    """Whatever its name is: sessions that it signed go on."""
    folder = tmp_path / "secrets/token-signing"
    folder.mkdir(parents=True)
    (folder / "mine.pem").write_text("mine")
    make_signing_key(StateFolder(tmp_path))
    assert [file.name for file in folder.iterdir()] == ["mine.pem"]
