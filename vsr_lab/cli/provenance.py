"""vsr-lab provenance: how an upscaled file was made."""

from importlib.util import find_spec
from pathlib import Path

from vsr_lab.cli.configuration.schema import Bool, FolderPath, Section
from vsr_lab.cli.show import show_facts
from vsr_lab.core.errors import Refusal, UserError
from vsr_lab.core.files import atomic_path, digest_of
from vsr_lab.core.parts import FilePath
from vsr_lab.core.records import read_record, write_record
from vsr_lab.core.records.deployment import Pair, Provenance, VideoFacts
from vsr_lab.deployment.provenance import Credentials, FoundRecord, find_provenance, provenance_path, read_credentials


class ProvenanceConfig(Section):
    """Find the provenance record of an upscaled file, and check that it belongs to the file.

    Example: vsr-lab provenance upscaled.mp4
    """

    input: FilePath
    records: FolderPath | None
    original: FilePath | None
    trust: FilePath | None
    pair: FilePath | None
    overwrite: Bool
    """Whether the file pair may be replaced."""


def run(config: ProvenanceConfig) -> None:
    """Print the provenance record of a file.

    Raises Refusal if there is none, if the file was changed after upscaling, if `original` is another file than the one
    that was upscaled, or if the Content Credentials are invalid.
    """
    if config.records and not config.records.exists():
        raise UserError(
            "records", f"{config.records} not found", "set records= to a folder with .provenance.json files"
        )
    if config.pair and config.pair.exists():
        if not config.overwrite:
            raise UserError(config.pair, "already exists", "choose another pair= or set overwrite=true")
        read_record(config.pair, Pair)  # nothing else is replaced
    found = find_provenance(config.input, config.records)
    credentials = _credentials(config.input, config.trust)
    if found is None:
        own = provenance_path(config.input)
        if own.is_file():
            raise Refusal(
                f"{config.input}: is not the file that {own.name} describes; its bytes and its pictures differ"
            )
        where = config.records or config.input.parent
        raise Refusal(f"{config.input}: has no record in {where}; set records= to the folder with its .provenance.json")
    _show(config.input, found, credentials)
    if config.original:
        _check_original(config.original, found.record.source)
    if config.pair:
        with atomic_path(config.pair, config.overwrite) as temporary:
            write_record(temporary, _pair(found.record))
        show_facts("written", {"pair": config.pair})
    if found.how == "pictures" and found.path == provenance_path(config.input):
        raise Refusal(f"{config.input}: was changed after upscaling: its bytes are not those that its record describes")
    if credentials and credentials.state == "invalid":
        raise Refusal(f"{config.input}: its Content Credentials are invalid: {', '.join(credentials.problems)}")


def _credentials(video: Path, trust: Path | None) -> Credentials | None:
    """Content Credentials of the file; None if there are none, or the extra that reads them is not installed."""
    if find_spec("c2pa") is not None and video.is_file():
        return read_credentials(video, trust)
    if trust:
        raise UserError("c2pa", "is not installed", "pip install 'vsr-lab[provenance]'")
    return None


def _show(video: Path, found: FoundRecord, credentials: Credentials | None) -> None:
    record = found.record
    source, output = record.source, record.output
    seconds = f"the same pictures in {found.agreement:.0%} of the seconds"
    how = {"bytes": "unchanged", "pictures": f"other bytes, {seconds}: remuxed, encoded again or altered"}[found.how]
    size = "{0}x{1}".format
    lines = {
        "record": str(found.path),
        "file": how,
        "made": f"{record.created} by bundle {record.bundle}, x{record.scale}, {record.frames} frames",
        "original": f"{source.file}, {size(*source.size)}, SHA-256 {source.sha256}",
        "upscaled": f"{output.file}, {size(*output.size)}, SHA-256 {output.sha256}",
        "disclosure": record.disclosure,
    }
    if credentials:
        lines["signed"] = f"Content Credentials (C2PA): {credentials.state}, by {credentials.signer}"
    show_facts(str(video), lines)


def _check_original(path: Path, facts: VideoFacts) -> None:
    if not path.is_file():
        problem = f"{path} is not a file" if path.exists() else f"{path} not found"
        raise UserError("original", problem, "set original= to the file that was upscaled")
    if digest_of(path) != facts.sha256:
        raise Refusal(f"{path}: is not the original, which is {facts.file} with SHA-256 {facts.sha256}; give that file")
    show_facts("", {"original": "its SHA-256 is right"})


def _pair(record: Provenance) -> Pair:
    return Pair(
        disclosure=record.disclosure,
        original=record.source,
        upscaled=record.output,
        scale=record.scale,
        first=record.plan.first,
        frames=record.frames,
        shift=record.plan.shift,
        rate=record.plan.video.rate,
    )
