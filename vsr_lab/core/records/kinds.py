"""List of all kinds of records, for code that must recognise each of them."""

from vsr_lab.core.records import Record
from vsr_lab.core.records.bundle import BundleManifest, ParityReport
from vsr_lab.core.records.comparison import Comparison, VideoComparison
from vsr_lab.core.records.deployment import Pair, Provenance, UpscaleJob
from vsr_lab.core.records.evaluation import Selection, Summary
from vsr_lab.core.records.votes import Votes

RECORDS: tuple[type[Record], ...] = (
    Summary, Comparison, VideoComparison, Selection, Votes, BundleManifest, ParityReport, Provenance, Pair, UpscaleJob
)  # fmt: skip
