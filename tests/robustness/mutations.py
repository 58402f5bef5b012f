"""Records damaged by seed: values of their trees, their bytes, and bundles whose hashes fit the damage."""

import csv
import hashlib
import io
import json
import sqlite3
import struct
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from tests.property.fuzz_video import KINDS

Rng = np.random.Generator
_VALUES: list[Any] = [
    None, True, 0, -1, 0.5, 10**8, 10**30, float("nan"), float("inf"), "", "x", "x" * 5000, "../../evil", "/etc/passwd",
    "a\0b", "${oc.env:HOME}", [], {}, [[[[]]]], {"_target_": "os.system"}, "os.system", "2026-13-45",
]  # fmt: skip


def tree(value: Any, rng: Rng) -> Any:
    """A JSON-like value with one or two of its nodes changed, removed, or joined by another."""
    value = json.loads(json.dumps(value))
    for _ in range(int(rng.integers(1, 3))):
        holders = list(_holders(value))
        if not holders:
            return _value(rng)
        holder, key = holders[int(rng.integers(len(holders)))]
        match int(rng.integers(5)):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, dict):
                holder[f"{key}_x"] = holder[key]
            case 1:
                holder.append(_value(rng))
            case _:
                holder[key] = _value(rng)
    return value


def _value(rng: Rng) -> Any:
    return _VALUES[int(rng.integers(len(_VALUES)))]


def _holders(value: Any) -> Any:
    """Every (container, key) of a tree."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in list(items):
        yield value, key
        yield from _holders(child)


def raw(path: Path, rng: Rng) -> None:
    """Damage the bytes of a file."""
    kinds = list(KINDS)
    data = path.read_bytes()
    path.write_bytes(KINDS[kinds[int(rng.integers(len(kinds)))]](data + bytes(max(0, 700 - len(data))), rng))


def in_json(path: Path, rng: Rng) -> None:
    """Damage a value of a JSON file."""
    path.write_text(json.dumps(tree(json.loads(path.read_text(encoding="utf-8")), rng)), encoding="utf-8")


def in_yaml(path: Path, rng: Rng) -> None:
    """Damage a value of a YAML file."""
    import yaml

    record = yaml.safe_load(path.read_text(encoding="utf-8"))
    path.write_text(yaml.safe_dump(tree(record, rng), sort_keys=False), encoding="utf-8")


def in_header(path: Path, rng: Rng) -> None:
    """Damage the description in a safetensors file, or its table of tensors."""
    data = path.read_bytes()
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size])
    if rng.random() < 0.7:
        note = tree(json.loads(header["__metadata__"]["vsr_lab"]), rng)
        header["__metadata__"]["vsr_lab"] = json.dumps(note)
    else:
        header = tree(header, rng)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + size :])


def in_onnx(path: Path, rng: Rng) -> None:
    """Damage the note in an ONNX graph."""
    import onnx

    model = onnx.load(path)
    note = tree(json.loads(model.metadata_props[0].value), rng)
    model.metadata_props[0].value = json.dumps(note)
    onnx.save(model, path)


def in_table(path: Path, rng: Rng) -> None:
    """Damage a cell, the header or a row of a CSV file."""
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
    row = rows[int(rng.integers(len(rows)))]
    match int(rng.integers(4)):
        case 0:
            rows.append(list(row))
        case 1:
            del row[int(rng.integers(len(row)))]
        case _:
            row[int(rng.integers(len(row)))] = str(_value(rng)).replace("\0", "")
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")


def in_parquet(path: Path, rng: Rng) -> None:
    """Change a column, a type or the rows of a parquet file."""
    import polars as pl

    table = pl.read_parquet(path)
    name = table.columns[int(rng.integers(len(table.columns)))]
    changes: list[Callable[[], Any]] = [
        lambda: table.drop(name),
        lambda: table.rename({name: f"{name}_x"}),
        lambda: table.with_columns(pl.col(name).cast(pl.String)),
        lambda: table.with_columns(pl.lit(None).alias(name)),
        lambda: table.with_columns(pl.lit(float("nan")).alias(name)),
        lambda: table.with_columns(pl.concat_list(name).alias(name)),
        lambda: table.head(int(rng.integers(len(table)))),
        lambda: pl.concat([table, table]),
        table.reverse,
    ]
    changes[int(rng.integers(len(changes)))]().write_parquet(path)


def in_sqlite(path: Path, rng: Rng) -> None:
    """Change a value, a column, a table or the version of an SQLite file."""
    with closing(sqlite3.connect(path)) as database, database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        table = names[int(rng.integers(len(names)))]
        columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
        column = columns[int(rng.integers(len(columns)))]
        value = _value(rng)
        known = json.dumps(value).encode() if isinstance(value, list | dict | int) else value
        changes: list[Callable[[], Any]] = [
            lambda: database.execute(f"UPDATE OR IGNORE {table} SET {column} = ?", (known,)),
            lambda: database.execute(
                f"UPDATE OR IGNORE {table} SET {column} = ? WHERE rowid = (SELECT max(rowid) FROM {table})", (known,)
            ),
            lambda: database.execute(f"ALTER TABLE {table} RENAME COLUMN {column} TO other"),
            lambda: database.execute(f"ALTER TABLE {table} ADD COLUMN other TEXT"),
            lambda: database.execute(f"DROP TABLE {table}"),
            lambda: database.execute(f"DELETE FROM {table}"),
            lambda: database.execute(f"PRAGMA user_version = {int(rng.integers(-5, 2000))}"),
            lambda: database.execute(f"PRAGMA application_id = {int(rng.integers(1, 2000))}"),
        ]
        changes[int(rng.integers(len(changes)))]()


def in_parity(path: Path, rng: Rng) -> None:
    """Damage the parity.json of a bundle, whose hashes fit again."""
    (in_json if rng.random() < 0.8 else raw)(path / "parity.json", rng)
    reseal(path)


def in_bundle(path: Path, rng: Rng) -> None:
    """Damage a file of a bundle and make its hashes fit again; or damage the manifest, whose own hash fits or not."""
    names = sorted(file.name for file in path.iterdir())
    name = names[int(rng.integers(len(names)))]
    damage = {".onnx": in_onnx, ".safetensors": in_header, ".json": in_json}.get(Path(name).suffix, raw)
    (damage if rng.random() < 0.6 or name == "manifest.json" else raw)(path / name, rng)
    if name != "manifest.json" or rng.random() < 0.7:
        reseal(path)


def reseal(path: Path) -> None:
    """Make the hashes in a bundle's manifest fit its files and itself, as far as it is still a manifest."""
    manifest = path / "manifest.json"
    record = json.loads(manifest.read_text(encoding="utf-8"))
    if not isinstance(record, dict):
        return
    if isinstance(hashes := record.get("sha256"), dict):
        files = {name: path / name for name in hashes if "\0" not in name and (path / name).is_file()}
        hashes |= {name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in files.items()}
    plain = {key: value for key, value in record.items() if key != "fingerprint"}
    record["fingerprint"] = hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
    manifest.write_text(json.dumps(record), encoding="utf-8")
