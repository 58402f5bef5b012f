"""vsr-lab bundle push: publishes a bundle on the Hugging Face Hub or in wandb, after it was verified."""

from typing import Annotated

from pydantic import Field

from vsr_lab.cli.configuration.schema import Bool, Section
from vsr_lab.cli.show import console, show_facts
from vsr_lab.core.parts import FilePath, Text
from vsr_lab.core.ranges import Rollout
from vsr_lab.deployment import open_bundle
from vsr_lab.deployment.bundle import verify_bundle
from vsr_lab.deployment.publication import push_bundle
from vsr_lab.deployment.signature import read_public_key


class BundlePushConfig(Section):
    """Verify a bundle, and publish it on the Hugging Face Hub or as an artifact of wandb.

    Example: vsr-lab bundle push BUNDLE to=hf:OWNER/NAME
    """

    bundle: FilePath
    to: Annotated[Text, Field(pattern=r"^(hf|wandb):[\w.-]+/[\w.-]+$")]
    private: Bool
    public_key: FilePath | None
    frames: Rollout

    def without_effect(self) -> dict[str, str]:
        return {"private": "the project decides in wandb"} if self.to.startswith("wandb") else {}


def run(config: BundlePushConfig) -> None:
    """Verify and publish the bundle, and print its address. Raises Refusal if the bundle fails `bundle verify`."""
    key = read_public_key(config.public_key) if config.public_key else None
    with console.status("graphs and network"):
        verify_bundle(config.bundle, key, frames=config.frames)
    bundle = open_bundle(config.bundle, None)
    address = push_bundle(bundle, config.to, private=config.private)
    show_facts(f"pushed {bundle.manifest.name}", {"to": address})
