"""What counts as an example of a page."""

from pathlib import Path

from tests.examples import find_examples

PAGE = """
Text with `vsr-lab demo`, which is a name, `vsr-lab compare runs=[a]` and `other code`.

<!-- not run: needs a GPU -->
| `vsr-lab train trainer=ddp` |

```
BASE="a=1 \\
  b=2"
.venv/bin/vsr-lab train $BASE c=3 # a remark
make test
```

<!-- not run: takes hours -->

```
vsr-lab never
```

`models/x.py`

```python
x = 1
```

```python
y = 2
```

```csv
no,example
```
"""


def test_examples_are_found_and_marked_ones_left_out(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(PAGE)
    found = [(e.kind, e.text, e.path) for e in find_examples(tmp_path / "page.md")]
    assert found == [
        ("command", "vsr-lab compare runs=[a]", ""),
        ("command", "vsr-lab train a=1 b=2 c=3", ""),
        ("command", "make test", ""),
        ("file", "x = 1\n", "models/x.py"),
        ("python", "y = 2\n", ""),
    ]
