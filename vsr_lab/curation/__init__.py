"""Curation of footage: manifests, splits without leakage, and representative samples."""

from vsr_lab.curation.content import ContentModel, Suggestion
from vsr_lab.curation.index import Index, Scans, build_index, known_digest, plan_index
from vsr_lab.curation.leaks import ShotFingerprint, find_leaks, fingerprint_shot
from vsr_lab.curation.rows import Row
from vsr_lab.curation.sampling import Sample, ShotCandidate, choose_shots, find_candidates
from vsr_lab.curation.scan import Scan, frame_rate
from vsr_lab.curation.sheet import write_shot_sheet
from vsr_lab.curation.splits import SourceGroup, assign_splits, near_duplicates
