"""Ed25519 signature of a bundle: manifest.json is signed, which contains the hashes of all other files.

Requires the extra `provenance`. Other implementations can check the signature, such as OpenSSL:
`openssl pkeyutl -verify -rawin -pubin -inkey KEY.pem -in manifest.json -sigfile manifest.sig`.
"""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from vsr_lab.core.errors import Refusal, UserError, reported
from vsr_lab.core.files import atomic_path, check_file

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

SIGNATURE = "manifest.sig"
_LARGEST = 1 << 16  # bytes of a key that are read
_HINT = (
    "create it by openssl genpkey -algorithm ed25519 -out KEY.pem, its public key by openssl pkey -in KEY.pem -pubout"
)


def parse_private_key(pem: bytes, path: Path, hint: str) -> "PrivateKeyTypes":
    """Parse a private key of any kind.

    Args:
        pem: content of the PEM file.
        path: path of the file, for the error message.
        hint: how to correct the error, for the error message.

    Raises:
        UserError: the file is not a private key in PEM, or has a passphrase.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    with reported(
        (ValueError, TypeError, UnsupportedAlgorithm), path, "is not an unencrypted private key in PEM format", hint
    ):
        return load_pem_private_key(pem, None)


def read_private_key(path: Path) -> "Ed25519PrivateKey":
    """Read a private Ed25519 key in PEM without a passphrase. Raises UserError if the file is something else."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = parse_private_key(_read(path), path, _HINT)
    if not isinstance(key, Ed25519PrivateKey):
        raise UserError(path, "is not an Ed25519 key", _HINT)
    return key


def read_public_key(path: Path) -> "Ed25519PublicKey":
    """Read a public Ed25519 key in PEM. Raises UserError if the file is something else."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    with reported((ValueError, TypeError, UnsupportedAlgorithm), path, "is not a public key in PEM format", _HINT):
        key = load_pem_public_key(_read(path))
    if not isinstance(key, Ed25519PublicKey):
        raise UserError(path, "is not an Ed25519 key", _HINT)
    return key


def _read(path: Path) -> bytes:
    check_file(path, _HINT)
    with path.open("rb") as file:
        return file.read(_LARGEST)


def sign(manifest: Path, key: "Ed25519PrivateKey") -> Path:
    """Sign the manifest.json of a bundle, and write the signature beside it.

    Returns:
        Path of the signature, manifest.sig in the same folder (64 bytes).
    """
    path = manifest.with_name(SIGNATURE)
    with atomic_path(path) as temporary:
        temporary.write_bytes(key.sign(manifest.read_bytes()))
    return path


def check_signature(manifest: Path, key: "Ed25519PublicKey") -> str:
    """Check the signature of a bundle (manifest.sig beside manifest.json).

    Args:
        manifest: path of manifest.json.
        key: public key of the owner of the bundle.

    Returns:
        The first 16 hexadecimal digits of the SHA-256 of the public key.

    Raises:
        UserError: manifest is not a file.
        Refusal: there is no signature, it was made with another key, or the manifest was changed afterwards.
    """
    from cryptography.exceptions import InvalidSignature

    check_file(manifest, "give the folder of a bundle")
    path = manifest.with_name(SIGNATURE)
    if not path.is_file():
        raise Refusal(f"{manifest.parent}: is not signed; export the bundle again with private_key=")
    with path.open("rb") as file:
        signature = file.read(_LARGEST)
    try:
        key.verify(signature, manifest.read_bytes())
    except InvalidSignature as error:
        raise Refusal(
            f"{path}: does not fit this public key or manifest.json; set another public_key=, or copy the bundle again"
        ) from error
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]
