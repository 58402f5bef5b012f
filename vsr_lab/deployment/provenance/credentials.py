"""Content Credentials (C2PA 2.2) of upscaled files: a signed record inside the file, or in a .c2pa file beside it.

Requires the extra `provenance`.
"""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, NamedTuple

import cv2
import numpy as np

from vsr_lab.core.errors import UserError, reported
from vsr_lab.core.files import check_file
from vsr_lab.core.records.deployment import VideoFacts
from vsr_lab.deployment.signature import parse_private_key
from vsr_lab.video.disclosure import DISCLOSURE

# What the IPTC calls media of which a trained model made a part.
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
_EMBEDDED = {"mp4": "video/mp4", "mov": "video/quicktime", "avi": "video/avi"}  # by FFmpeg's name of the container
_FORMATS = {".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/quicktime", ".avi": "video/avi"}
_OTHER = "video/x-matroska"  # a container that cannot hold credentials: they are of all its bytes
_CURVES = {"secp256r1": b"es256", "secp384r1": b"es384", "secp521r1": b"es512"}
_OFFLINE = {"remote_manifest_fetch": False, "ocsp_fetch": False}  # a file could name any address
_LARGEST = 64 << 20  # bytes of credentials that are read
_HINT = "give a PEM chain for C2PA that begins with the signing certificate, and its PEM key"


class Upscaling(NamedTuple):
    """Facts about an upscaling that Content Credentials (C2PA) state.

    Args:
        title: name of the upscaled file.
        source: the original file.
        source_facts: properties of the original file.
        bundle, fingerprint: name and hash of the bundle.
        scale: upscaling factor.
    """

    title: str
    source: Path
    source_facts: VideoFacts
    bundle: str
    fingerprint: str
    scale: int


@dataclass(frozen=True)
class Signer:
    """Certificate and private key by which Content Credentials (C2PA) are signed.

    Args:
        certificate: chain of certificates in PEM, the signing certificate first.
        private_key: private key of the signing certificate in PEM, without a passphrase.
    """

    certificate: Path
    private_key: Path

    def check(self) -> None:
        """Check certificate and key by signing a test picture. Raises UserError if this fails."""
        picture = io.BytesIO(cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1].tobytes())
        created = [{"action": "c2pa.created", "digitalSourceType": SOURCE_TYPE}]
        trial = {"assertions": [{"label": "c2pa.actions.v2", "data": {"actions": created}}]}
        self._sign(trial, "image/png", picture, io.BytesIO())

    def sign(self, video: Path, container: str, upscaling: Upscaling, sidecar: Path | None) -> None:
        """Add signed Content Credentials to a video file, or write them into a file beside it.

        Args:
            video: complete file, which is replaced by the signed file if `sidecar` is None.
            container: FFmpeg's name of the format of the video.
            upscaling: content of the credentials.
            sidecar: file for the credentials if the container cannot hold them, see `needs_sidecar`; else None.
        """
        claims, source = _claims(upscaling), upscaling.source
        parent = {"title": source.name, "relationship": "parentOf", "instance_id": "source", "label": "source"}
        signed = video.with_name(f"{video.name.removesuffix(f'.partial{video.suffix}')}.signed.partial{video.suffix}")
        signed.unlink(missing_ok=True)  # in the folder of somebody else, it may be a link
        try:
            with source.open("rb") as original, video.open("rb") as unsigned, signed.open("x+b") as target:
                ingredient = (parent, _FORMATS.get(source.suffix.lower(), _OTHER), original)
                format = _EMBEDDED.get(container, _OTHER)
                written = self._sign(claims, format, unsigned, target, ingredient=ingredient, embed=sidecar is None)
            if sidecar is None:
                signed.replace(video)
            else:
                sidecar.write_bytes(written)
        finally:
            signed.unlink(missing_ok=True)

    def _sign(
        self,
        claims: Mapping[str, Any],
        format: str,
        source: Any,
        target: Any,
        *,
        ingredient: tuple[Mapping[str, Any], str, Any] | None = None,
        embed: bool = True,
    ) -> bytes:
        import c2pa

        for path in (self.certificate, self.private_key):
            check_file(path, _HINT)
        chain, key = self.certificate.read_bytes(), self.private_key.read_bytes()
        info = c2pa.C2paSignerInfo(alg=_algorithm(self.private_key, key), sign_cert=chain, private_key=key, ta_url=None)
        with (
            reported(c2pa.C2paError, self.certificate, "cannot sign Content Credentials ({})", _HINT),
            c2pa.Context.from_dict({"verify": _OFFLINE}) as context,
            c2pa.Builder(dict(claims), context) as builder,
            c2pa.Signer.from_info(info) as signer,
        ):
            if ingredient:
                builder.add_ingredient_from_stream(json.dumps(ingredient[0]), *ingredient[1:])
            if not embed:
                builder.set_no_embed()
            return builder.sign(signer, format, source, target)


def needs_sidecar(container: str) -> bool:
    """Whether a container (FFmpeg's name) cannot hold Content Credentials, so that they are written beside the file."""
    return container not in _EMBEDDED


def sidecar_path(video: Path) -> Path:
    """Path of the .c2pa file of a video whose container cannot hold the credentials."""
    return video.with_name(f"{video.name}.c2pa")


def _claims(upscaling: Upscaling) -> dict[str, Any]:
    facts, tool = upscaling.source_facts, {"name": "vsr_lab", "version": version("vsr-lab")}
    actions = [
        {"action": "c2pa.opened", "parameters": {"ingredientIds": ["source"]}},
        {
            "action": "c2pa.edited",
            "digitalSourceType": SOURCE_TYPE,
            "description": DISCLOSURE,
            "softwareAgent": tool,
        },
    ]
    own = {
        "source_sha256": facts.sha256,
        "source_size": list(facts.size),
        "scale": upscaling.scale,
        "bundle": upscaling.bundle,
        "bundle_fingerprint": upscaling.fingerprint,
    }
    return {
        "claim_generator_info": [tool],
        "title": upscaling.title,
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": actions}},
            {"label": "org.vsr-lab.upscaling", "data": own},
        ],
    }


def _algorithm(path: Path, key: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    loaded = parse_private_key(key, path, _HINT)
    if isinstance(loaded, ec.EllipticCurvePrivateKey) and loaded.curve.name in _CURVES:
        return _CURVES[loaded.curve.name]
    if isinstance(loaded, ed25519.Ed25519PrivateKey):
        return b"ed25519"
    if isinstance(loaded, rsa.RSAPrivateKey):
        return b"ps256"
    raise UserError(path, "has a kind of key that C2PA does not allow", "use ECDSA, Ed25519 or RSA")


class Credentials(NamedTuple):
    """Content Credentials (C2PA) of a file, with the result of checking them.

    Attributes:
        state: "trusted": intact and signed with a trusted certificate; "valid": intact and signed with a certificate
            that is not trusted; "invalid": the file or the credentials were altered.
        signer: name in the certificate by which the credentials were signed.
        problems: C2PA status codes of the failed checks.
    """

    state: Literal["trusted", "valid", "invalid"]
    signer: str
    problems: list[str]


def _anchors(path: Path) -> str:
    """Read a PEM file of certificates. Raises UserError if it is something else."""
    from cryptography.x509 import load_pem_x509_certificates

    hint = "give a PEM file of root certificates"
    check_file(path, hint)
    with reported((OSError, ValueError), path, "cannot be read as certificates", hint):
        with path.open("rb") as file:
            data = file.read(_LARGEST)
        load_pem_x509_certificates(data)
        return data.decode()


def read_credentials(video: Path, anchors: Path | None = None) -> Credentials | None:
    """Read and check the Content Credentials in a file, or in the .c2pa file beside it.

    Args:
        video: a video file.
        anchors: PEM file of trusted root certificates; None: no certificate is trusted.

    Returns:
        The credentials; None if there are none.

    Raises:
        UserError: `anchors` is no PEM file of certificates, or the .c2pa file is too large.
    """
    import c2pa

    trust = {"trust_anchors": _anchors(anchors)} if anchors else {}
    settings = {"trust": trust, "verify": {"verify_trust": bool(anchors), **_OFFLINE}}
    sidecar = sidecar_path(video)
    if sidecar.is_file() and sidecar.stat().st_size > _LARGEST:
        raise UserError(
            sidecar,
            f"has more than the {_LARGEST >> 20} MiB of Content Credentials",
            "move this file to another folder",
        )
    data = sidecar.read_bytes() if sidecar.is_file() else None
    format = _FORMATS.get(video.suffix.lower(), _OTHER)
    if data is None and video.suffix.lower() not in _FORMATS:
        return None
    try:
        with c2pa.Context.from_dict(settings) as context, video.open("rb") as file:
            reader = c2pa.Reader.try_create(format, file, data, context)
            if reader is None:
                return None
            with reader:
                state, found = str(reader.get_validation_state()), json.loads(reader.json())
    except c2pa.C2paError as error:
        return Credentials("invalid", "", [str(error)])
    active = found.get("manifests", {}).get(found.get("active_manifest"))
    if active is None:
        return Credentials("invalid", "", ["the active manifest is missing"])
    problems = [
        one["code"] for one in found.get("validation_status", []) if one["code"] != "signingCredential.untrusted"
    ]
    known: dict[str, Literal["trusted", "valid", "invalid"]] = {"Trusted": "trusted", "Valid": "valid"}
    signer = active.get("signature_info", {}).get("common_name") or active.get("signature_info", {}).get("issuer", "")
    return Credentials(known.get(state, "invalid"), str(signer), problems)
