"""What a folder of footage holds: its manifest, its splits and what they share, and the shots that stand for it."""

from vsr_lab.curation.content import ContentModel
from vsr_lab.curation.index import Index, Scans, build_index, digest_of, known_digest, plan, read_old
from vsr_lab.curation.leaks import Entry, Leak, entry, find_leaks
from vsr_lab.curation.rows import Row
from vsr_lab.curation.sampling import Coverage, Sample, ShotCandidate, choose, gather
from vsr_lab.curation.scan import Scan, rate_of
from vsr_lab.curation.sheet import write_contact_sheet
from vsr_lab.curation.splits import SourceGroup, assign_splits, near_duplicates

__all__ = [
    "ContentModel",
    "Coverage",
    "Entry",
    "Index",
    "Leak",
    "Row",
    "Sample",
    "Scan",
    "Scans",
    "ShotCandidate",
    "SourceGroup",
    "assign_splits",
    "build_index",
    "choose",
    "digest_of",
    "entry",
    "find_leaks",
    "gather",
    "known_digest",
    "near_duplicates",
    "plan",
    "rate_of",
    "read_old",
    "write_contact_sheet",
]
