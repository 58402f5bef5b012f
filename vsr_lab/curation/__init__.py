"""Curation of footage: manifests, splits without leakage, and representative samples."""

from vsr_lab.curation.content import ContentModel, Suggestion
from vsr_lab.curation.index import Index, Row, build_index, plan_index
from vsr_lab.curation.leaks import (
    Leak,
    ShotFingerprint,
    SourceGroup,
    assign_splits,
    fill_splits,
    find_leaks,
    fingerprint_manifest,
    fingerprint_shot,
    near_duplicates,
)
from vsr_lab.curation.sampling import Sample, ShotCandidate, choose_shots, find_candidates, write_sample
from vsr_lab.curation.scan import Scan, Scans
