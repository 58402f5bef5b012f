"""Content Credentials are valid for the library's own reader, and invalid once a byte of the file was changed."""

import shutil
import socket
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from vsr_lab.core.errors import UserError
from vsr_lab.core.records.deployment import VideoFacts
from vsr_lab.deployment import Bundle, Encoding, upscale
from vsr_lab.deployment.provenance import (
    Credentials,
    Signer,
    Upscaling,
    find_provenance,
    needs_sidecar,
    read_credentials,
    sidecar_path,
)

pytest.importorskip("c2pa", reason="the extra provenance is not installed")
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding as Form
from cryptography.hazmat.primitives.serialization import NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

WriteVideo = Callable[..., Path]
FACTS = VideoFacts(file="source.mkv", sha256="00", size=(64, 48), bits=8, matrix="bt709", full_range=False)


def _name(text: str) -> x509.Name:
    parts = {NameOID.ORGANIZATION_NAME: "Tests", NameOID.COMMON_NAME: text}
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in parts.items()])


def _usage(signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(signs, False, False, False, False, not signs, not signs, False, False)


def make_certificates(folder: Path) -> Signer:
    """Write root.pem, chain.pem and key.pem: a certificate for C2PA and its authority."""
    folder.mkdir(exist_ok=True)
    authority, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)

    def builder(name: str, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        begun = x509.CertificateBuilder().subject_name(_name(name)).issuer_name(_name("Authority")).public_key(public)
        begun = begun.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
        begun = begun.add_extension(x509.BasicConstraints(name == "Authority", None), True)
        begun = begun.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
        return begun.not_valid_after(now + timedelta(days=30)).add_extension(_usage(name != "Authority"), True)

    root = builder("Authority", authority.public_key()).sign(authority, SHA256())
    leaf = builder("Archive", key.public_key())
    leaf = leaf.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key())
    signed = leaf.add_extension(issuer, False).sign(authority, SHA256())
    (folder / "root.pem").write_bytes(root.public_bytes(Form.PEM))
    (folder / "chain.pem").write_bytes(signed.public_bytes(Form.PEM) + root.public_bytes(Form.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Form.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return Signer(folder / "chain.pem", folder / "key.pem")


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(params=["mp4", "mov", "avi", "matroska"])
def signed(request: pytest.FixtureRequest, write_video: WriteVideo, signer: Signer) -> Path:
    container: str = request.param
    suffix = {"matroska": "mkv"}.get(container, container)
    frames = np.random.default_rng(0).integers(0, 256, (5, 48, 64, 3), np.uint8)
    source = write_video("source.mkv", frames)
    video = write_video(f"large.{suffix}", frames)
    sidecar = sidecar_path(video) if needs_sidecar(container) else None
    upscaling = Upscaling(video.name, source, FACTS, "bundle", "ff", 2)
    signer.sign(video, container, upscaling, sidecar)
    assert {path.suffix for path in video.parent.iterdir()} <= {".mkv", f".{suffix}", ".c2pa"}  # nothing else is left
    return video


def test_credentials_are_trusted_by_their_authority_and_valid_without_one(signed: Path, signer: Signer) -> None:
    assert read_credentials(signed) == Credentials("valid", "Archive", [])
    assert read_credentials(signed, signer.certificate.with_name("root.pem")) == Credentials("trusted", "Archive", [])


def test_a_flipped_byte_is_found(signed: Path) -> None:
    content = bytearray(signed.read_bytes())
    content[content.index(b"mdat") + 40 if b"mdat" in content else len(content) // 2] ^= 1
    signed.write_bytes(content)
    found = read_credentials(signed)
    assert found is not None and found.state == "invalid" and found.problems


def test_they_say_what_was_done(signed: Path) -> None:
    import c2pa

    sidecar = sidecar_path(signed)
    data = sidecar.read_bytes() if sidecar.is_file() else None
    with signed.open("rb") as file, c2pa.Reader(None, file, data) as reader:
        text = reader.json()
    assert "compositeWithTrainedAlgorithmicMedia" in text and '"parentOf"' in text and "Upscaled by a neural" in text
    assert '"bundle_fingerprint": "ff"' in text and str(signed.parent) not in text


def test_files_without_credentials_have_none(write_video: WriteVideo) -> None:
    frames = np.zeros((2, 48, 64, 3), np.uint8)
    assert read_credentials(write_video("a.mp4", frames)) is None
    assert read_credentials(write_video("a.mkv", frames)) is None


def test_credentials_elsewhere_are_not_fetched(write_video: WriteVideo, signer: Signer) -> None:
    """A file may name any address; neither reading nor signing what was made of it connects to that."""
    frames = np.zeros((2, 48, 64, 3), np.uint8)
    video, copy = write_video("a.mp4", frames), write_video("b.mp4", frames)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        link = f'dcterms:provenance="http://127.0.0.1:{server.getsockname()[1]}/a.c2pa"'
        packet = f"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
            <rdf:Description rdf:about="" xmlns:dcterms="http://purl.org/dc/terms/" {link}/></rdf:RDF></x:xmpmeta>"""
        box = uuid.UUID("be7acfcb-97a9-42e8-9c71-999491e3afac").bytes + packet.encode()
        video.write_bytes(video.read_bytes() + (len(box) + 8).to_bytes(4, "big") + b"uuid" + box)
        found = read_credentials(video)
        assert found is not None and found.state == "invalid" and "remote" in found.problems[0]
        signer.sign(copy, "mp4", Upscaling("b.mp4", video, FACTS, "bundle", "ff", 2), None)
        with pytest.raises(TimeoutError):
            server.accept()
    assert read_credentials(copy) == Credentials("valid", "Archive", [])


def test_certificates_that_cannot_sign_are_refused_before_anything_is_written(signer: Signer, tmp_path: Path) -> None:
    signer.check()
    other = make_certificates(tmp_path / "other")
    with pytest.raises(UserError, match=r"chain\.pem: cannot sign Content Credentials .*does not match"):
        Signer(signer.certificate, other.private_key).check()
    with pytest.raises(UserError, match=r"root\.pem: cannot sign Content Credentials .*self-signed"):
        Signer(signer.certificate.with_name("root.pem"), signer.private_key).check()
    with pytest.raises(UserError, match=r"chain\.pem: is not an unencrypted private key in PEM"):
        Signer(signer.certificate, signer.certificate).check()
    with pytest.raises(UserError, match=r"none\.pem: not found"):
        Signer(signer.certificate, tmp_path / "none.pem").check()
    shutil.copy(signer.certificate, tmp_path / "empty.pem")
    (tmp_path / "empty.pem").write_text("")
    with pytest.raises(UserError, match=r"empty\.pem: cannot sign"):
        Signer(tmp_path / "empty.pem", signer.private_key).check()


@pytest.mark.parametrize("name", ["large.mp4", "large.mkv"])
def test_upscale_signs(bundle: Bundle, write_video: WriteVideo, signer: Signer, tmp_path: Path, name: str) -> None:
    source = write_video("in/source.mkv", np.random.default_rng(0).integers(0, 256, (5, 48, 64, 3), np.uint8))
    (tmp_path / "out").mkdir()
    output = tmp_path / "out" / name
    upscale(bundle, source, output, encoding=Encoding(signer=signer))
    beside = {"large.mkv.c2pa"} if name == "large.mkv" else set[str]()
    assert {path.name for path in output.parent.iterdir()} == {name, f"{name}.provenance.json"} | beside
    found = find_provenance(output)
    assert found is not None and found.how == "bytes"  # the hash is of the signed file
    assert read_credentials(output, signer.certificate.with_name("root.pem")) == Credentials("trusted", "Archive", [])
    with pytest.raises(UserError, match="already exists"):
        upscale(bundle, source, output, encoding=Encoding(signer=signer))
    if beside:  # whose credentials are in a file of their own
        upscale(bundle, source, output.with_suffix(".webm"), encoding=Encoding(signer=signer))
        assert (output.parent / "large.webm.c2pa").is_file()
        assert read_credentials(output) == Credentials("valid", "Archive", [])


def test_nothing_is_written_if_the_certificate_cannot_sign(
    bundle: Bundle, write_video: WriteVideo, signer: Signer, tmp_path: Path
) -> None:
    source = write_video("in/source.mkv", np.zeros((2, 48, 64, 3), np.uint8))
    wrong = Signer(signer.certificate.with_name("root.pem"), signer.private_key)
    with pytest.raises(UserError, match="self-signed"):
        upscale(bundle, source, tmp_path / "large.mp4", encoding=Encoding(signer=wrong))
    assert not list(tmp_path.glob("*large*"))
