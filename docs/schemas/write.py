"""Write the JSON schemas of the records beside this file: python docs/schemas/write.py"""

import json
from pathlib import Path

from vsr_lab.core.records import Record
from vsr_lab.core.records.bundle import BundleManifest, ParityReport
from vsr_lab.core.records.comparison import Comparison, VideoComparison
from vsr_lab.core.records.deployment import Pair, Provenance, UpscaleJob
from vsr_lab.core.records.evaluation import Selection, Summary
from vsr_lab.core.records.votes import Votes

RECORDS: tuple[type[Record], ...] = (
    Summary, Comparison, VideoComparison, Selection, Votes, BundleManifest, ParityReport, Provenance, Pair, UpscaleJob
)  # fmt: skip


def schemas() -> dict[str, str]:
    """File name -> JSON schema."""
    return {
        f"{record.model_fields['record'].default}.json": json.dumps(record.model_json_schema(), indent=2) + "\n"
        for record in RECORDS
    }


if __name__ == "__main__":
    for name, schema in schemas().items():
        Path(__file__).with_name(name).write_text(schema, encoding="utf-8")
