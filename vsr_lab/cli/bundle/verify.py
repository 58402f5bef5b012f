"""vsr-lab bundle verify: checks the files and the signature of a bundle, and compares its graphs with its network."""

from vsr_lab.cli.configuration.schema import Section
from vsr_lab.cli.show import console, show_facts, show_table
from vsr_lab.core.parts import FilePath
from vsr_lab.core.ranges import Rollout
from vsr_lab.deployment.bundle import verify_bundle
from vsr_lab.deployment.signature import read_public_key


class BundleVerifyConfig(Section):
    """Verify a bundle before it is used.

    Example: vsr-lab bundle verify BUNDLE public_key=KEY.pem
    """

    bundle: FilePath
    public_key: FilePath | None
    frames: Rollout


def run(config: BundleVerifyConfig) -> None:
    """Verify the bundle and print what was verified.

    Raises Refusal if the signature is wrong, or if the output of a graph differs from that of the network.
    """
    key = read_public_key(config.public_key) if config.public_key else None
    with console.status("graphs and network") as status:
        found = verify_bundle(
            config.bundle, key, frames=config.frames, progress=lambda format: status.update(f"{format} and network")
        )
    manifest = found.manifest
    rows = [
        (parity.format, f"{parity.worst:.2g}", "-" if parity.psnr is None else f"{parity.psnr:.1f}", str(parity.frames))
        for parity in found.parities
    ]
    show_table("graphs compared with the network", ("graph", "largest difference", "PSNR in dB", "frames"), rows)
    signed = f"by the key {found.key}" if found.key else "not checked; set public_key="
    lines = {
        "bundle": f"{manifest.name}, x{manifest.scale}, trained with {manifest.trained_with} losses",
        "files": f"{len(manifest.sha256)}, all as exported, by their hashes",
        "signature": signed,
    }
    if found.unopened:
        lines["not run"] = f"{', '.join(found.unopened)}, since opening a .pt2 file can execute code in it"
    show_facts("", lines)
