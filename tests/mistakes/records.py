"""Records that would take people or a long evaluation to make: a selection for every content type, votes, keys."""

import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.mistakes.damage import Make


def write_records(folder: Path) -> int:
    """Write sel/selection.json, votes.sqlite, votes.json and keys/ into a world with evaluations and a bundle."""
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
    write_record(
        path, Selection(protocol=protocol, baseline="bicubic", rank_by=["psnr"], tie_rule="", front={}, choices=choices)
    )


def _write_votes(folder: Path) -> None:
    """Two voters' answers to every pair of the evaluations, in votes.sqlite, and counted in votes.json."""
    from vsr_lab.core.records import write_record
    from vsr_lab.evaluation.results import read_run
    from vsr_lab.workflows.vote import Ballot, Vote, VoteStore, count_votes

    runs = [read_run(folder / "ev" / name) for name in ("bicubic", "ckpt")]
    ballot = Ballot(runs, 6, 0)
    with VoteStore(folder / "votes.sqlite", ballot) as store:
        for voter in ("ann", "bob"):
            for number, trial in enumerate(ballot.trials(voter)):
                store.add(Vote(voter, trial, "left"), number, 1.0)
        write_record(folder / "votes.json", count_votes(store.votes(), runs, 0))


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


def ledger(*statements: str) -> Make:
    """A folder with the ledger of a fleet, changed by SQL statements."""

    def make(world: Path, path: Path) -> None:
        from vsr_lab.fleet import Ledger

        path.mkdir(parents=True)
        with Ledger(path / "ledger.sqlite") as opened:
            opened.begin("c1.mkv", "x")
        changed(path / "ledger.sqlite", *statements)

    return make


def changed(path: Path, *statements: str) -> None:
    """Execute SQL statements in a file."""
    with closing(sqlite3.connect(path)) as database, database:
        for statement in statements:
            database.execute(statement)


def bookmarks(world: Path, path: Path) -> None:
    """The SQLite file of another program."""
    path.parent.mkdir(parents=True, exist_ok=True)
    changed(path, "CREATE TABLE bookmarks (url TEXT)", "INSERT INTO bookmarks VALUES ('irreplaceable')")


def votes(*statements: str) -> Make:
    """The votes, changed by SQL statements."""

    def make(world: Path, path: Path) -> None:
        shutil.copy2(world / "votes.sqlite", path)
        changed(path, *statements)

    return make


def signed(world: Path, path: Path) -> None:
    """A bundle with a signature by keys/signing.pem."""
    from vsr_lab.deployment.signature import read_private_key, sign

    shutil.copytree(world / "exp/bundle", path)
    sign(path / "manifest.json", read_private_key(world / "keys/signing.pem"))


def resealed(file: str, edits: dict[str, Any]) -> Make:
    """A bundle in whose JSON file top-level keys are others, and whose hashes fit the change."""

    def make(world: Path, path: Path) -> None:
        from tests.robustness.mutations import reseal

        shutil.copytree(world / "exp/bundle", path)
        record = json.loads((path / file).read_text(encoding="utf-8"))
        (path / file).write_text(json.dumps(record | edits), encoding="utf-8")
        reseal(path)

    return make


def provenance(edits: dict[str, Any]) -> Make:
    """A folder with an upscaled video whose record has other values at top-level keys."""

    def make(world: Path, path: Path) -> None:
        path.mkdir(parents=True)
        shutil.copy2(world / "made.mkv", path / "made.mkv")
        record = json.loads((world / "made.mkv.provenance.json").read_text(encoding="utf-8"))
        (path / "made.mkv.provenance.json").write_text(json.dumps(record | edits), encoding="utf-8")

    return make


def names(*given: bytes) -> Make:
    """Footage with these file names."""

    def make(world: Path, path: Path) -> None:
        path.mkdir(parents=True)
        for number, name in enumerate(given, 1):
            shutil.copy2(world / f"hr/c{number}.mkv", path / os.fsdecode(name))

    return make


def taken(world: Path, path: Path) -> None:
    """A folder for outputs in which somebody's c1.mkv is."""
    path.mkdir(parents=True)
    (path / "c1.mkv").write_text("irreplaceable", encoding="utf-8")


def dangling(world: Path, path: Path) -> None:
    """A link that leads to no file."""
    path.parent.mkdir(parents=True)
    path.symlink_to("gone")
