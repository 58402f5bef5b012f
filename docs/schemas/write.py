"""Write the JSON schemas of the records beside this file: python docs/schemas/write.py"""

import json
from pathlib import Path

from vsr_lab.core.records.kinds import RECORDS


def schemas() -> dict[str, str]:
    """File name -> JSON schema."""
    return {
        f"{record.model_fields['record'].default}.json": json.dumps(record.model_json_schema(), indent=2) + "\n"
        for record in RECORDS
    }


if __name__ == "__main__":
    for name, schema in schemas().items():
        Path(__file__).with_name(name).write_text(schema, encoding="utf-8")
