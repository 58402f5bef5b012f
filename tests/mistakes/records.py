"""Records that would take people or a long evaluation to make: a selection for every content type, votes, keys."""

from pathlib import Path
from typing import Any


def write_records(folder: Path) -> int:
    """Write sel/selection.json, votes.sqlite and keys/ into a world that has its evaluations and its bundle."""
    _write_selection(folder / "sel/selection.json")
    _write_votes(folder)
    _write_keys(folder / "keys")
    return 0


def _write_selection(path: Path) -> None:
    """A selection that chose exp/bundle for every content type."""
    from vsr_lab.core.records import write_record
    from vsr_lab.core.records.evaluation import CandidateFacts, Choice, ProtocolFacts, Selection

    facts = CandidateFacts(kind="bundle", path="exp/bundle")
    given: dict[str, Any] = {"reason": "", "verdict": "", "ties": [], "deployable": [], "pareto": []}
    given |= {"provisional": False, "stability": None, "gates": {}, "chosen": "small", "candidate_facts": facts}
    contents = ("animation", "live_action", "screen_capture")
    protocol = ProtocolFacts(name="content-x2-bi-y", fingerprint="f", scale=2, description="")
    choices = [Choice(suite=content, content=content, **given) for content in contents]
    write_record(path, Selection(protocol=protocol, baseline="bicubic", rank_by=["psnr"], front={}, choices=choices))


def _write_votes(folder: Path) -> None:
    """Two voters' answers to every pair of the evaluations, in votes.sqlite."""
    from vsr_lab.evaluation.results import read_run
    from vsr_lab.workflows.vote import Ballot, Vote, VoteStore

    ballot = Ballot([read_run(folder / "ev" / name) for name in ("bicubic", "ckpt")], 6, 0)
    with VoteStore(folder / "votes.sqlite", ballot) as store:
        for voter in ("ann", "bob"):
            for number, trial in enumerate(ballot.trials(voter)):
                store.add(Vote(voter, trial, "left"), number, 1.0)


def _write_keys(folder: Path) -> None:
    """signing.pem and its public.pem (Ed25519), and others that are not of use: rsa.pem, secret.pem (a passphrase)."""
    from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
    )

    folder.mkdir()
    key, pem, pkcs8 = ed25519.Ed25519PrivateKey.generate(), Encoding.PEM, PrivateFormat.PKCS8
    (folder / "signing.pem").write_bytes(key.private_bytes(pem, pkcs8, NoEncryption()))
    (folder / "secret.pem").write_bytes(key.private_bytes(pem, pkcs8, BestAvailableEncryption(b"secret")))
    (folder / "public.pem").write_bytes(key.public_key().public_bytes(pem, PublicFormat.SubjectPublicKeyInfo))
    other = rsa.generate_private_key(65537, 2048)
    (folder / "rsa.pem").write_bytes(other.private_bytes(pem, pkcs8, NoEncryption()))
