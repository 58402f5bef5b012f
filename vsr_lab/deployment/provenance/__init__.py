"""Provenance of upscaled files: Content Credentials, perceptual hashes, and the search for provenance records."""

from vsr_lab.deployment.provenance.credentials import (
    Credentials,
    Signer,
    Upscaling,
    needs_sidecar,
    read_credentials,
    sidecar_path,
)
from vsr_lab.deployment.provenance.search import FoundRecord, FrameHashes, find_provenance, provenance_path
