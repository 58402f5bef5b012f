"""Publication of bundles, in a local stand-in of the Hugging Face Hub and in wandb offline."""

import base64
import json
import shutil
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import wandb

from vsr_lab.core.errors import UserError
from vsr_lab.deployment import Bundle, open_bundle
from vsr_lab.deployment.publication import push_bundle
from vsr_lab.deployment.signature import SIGNATURE

PUSHED = {"MODEL_CARD.md", "manifest.json", "network.safetensors", "parity.json", "step.onnx"}


class Hub(BaseHTTPRequestHandler):
    """The requests that a commit of small files makes."""

    public, repositories, files = False, list[dict[str, Any]](), dict[str, bytes]()

    def do_GET(self) -> None:
        self._answer({"id": "me/doubler", "private": not Hub.public, "siblings": [], "tags": [], "downloads": 0})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/api/repos/create":
            Hub.repositories.append(json.loads(body))
            self._answer({"url": f"http://{self.headers['Host']}/me/doubler"})
        elif "preupload" in self.path:
            names = [file["path"] for file in json.loads(body)["files"]]
            self._answer({"files": [{"path": n, "uploadMode": "regular", "shouldIgnore": False} for n in names]})
        elif self.path == "/api/validate-yaml":
            self._answer({"errors": [], "warnings": []})
        else:
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    Hub.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            self._answer({"commitUrl": f"http://{self.headers['Host']}/me/doubler/commit/1", "commitOid": "1"})

    def _answer(self, content: object) -> None:
        data = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hub]]:
    """The stand-in, which the package of the Hub uses."""
    constants = pytest.importorskip("huggingface_hub.constants", reason="huggingface_hub (extra hub) is not installed")
    server = HTTPServer(("127.0.0.1", 0), Hub)
    Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setenv("HF_TOKEN", "a_token")
    Hub.public, Hub.repositories, Hub.files = False, [], {}
    yield Hub
    server.shutdown()


def test_files_of_the_manifest_are_committed_to_a_private_repository(bundle: Bundle, hub: type[Hub]) -> None:
    (bundle.folder / "notes.txt").write_text("of the owner alone")
    assert push_bundle(bundle, "hf:me/doubler").endswith("/me/doubler/commit/1")
    assert hub.repositories[0].get("private") is True or hub.repositories[0].get("visibility") == "private"
    assert hub.files.keys() == PUSHED | {"README.md"}
    assert all(hub.files[name] == (bundle.folder / name).read_bytes() for name in PUSHED)
    assert hub.files["README.md"] == hub.files["MODEL_CARD.md"]


def test_nothing_is_committed_to_a_public_repository_unless_asked(bundle: Bundle, hub: type[Hub]) -> None:
    hub.public = True
    with pytest.raises(UserError, match=r"to=hf:me/doubler: is a public repository.*; set private=false"):
        push_bundle(bundle, "hf:me/doubler")
    assert not hub.files
    push_bundle(bundle, "hf:me/doubler", private=False)
    assert hub.files


def test_the_extra_is_named_where_it_is_missing(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(UserError) as refused:
        push_bundle(bundle, "hf:me/doubler")
    assert str(refused.value) == ("to=hf:me/doubler: huggingface_hub is not installed; pip install 'vsr-lab[hub]'")


def test_artifact_is_staged_where_wandb_is_offline(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("WANDB_DIR", "WANDB_DATA_DIR", "WANDB_CACHE_DIR", "WANDB_CONFIG_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "wandb_files"))
    monkeypatch.setenv("WANDB_MODE", "offline")
    folder = Path(push_bundle(bundle, "wandb:upscalers/doubler"))
    wandb.teardown()  # its service would run as long as the tests
    assert folder.name.startswith("offline-run-")
    assert len([*folder.glob("*.wandb")]) == 1
    staged = {path.read_bytes() for path in (tmp_path / "wandb_files").rglob("*") if path.is_file()}
    assert staged >= {(bundle.folder / name).read_bytes() for name in PUSHED}


@pytest.mark.parametrize(
    ("error", "raised"), [(KeyboardInterrupt(2), KeyboardInterrupt), (wandb.Error("no"), UserError)]
)
def test_an_error_of_wandb_prints_no_traceback(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str],
    error: BaseException, raised: type[BaseException],
) -> None:  # fmt: skip
    def fail(*_: object) -> None:
        raise error

    for name in ("WANDB_DIR", "WANDB_DATA_DIR", "WANDB_CACHE_DIR", "WANDB_CONFIG_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "wandb_files"))
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setattr(wandb.Run, "log_artifact", fail)
    with pytest.raises(raised):
        push_bundle(bundle, "wandb:upscalers/doubler")
    wandb.teardown()
    assert "Traceback" not in capfd.readouterr().err


def test_wandb_writes_through_no_link(bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WANDB_DIR", raising=False)
    (tmp_path / "mine").mkdir()
    (tmp_path / "wandb").symlink_to("mine")
    with pytest.raises(UserError, match="wandb: is a symbolic link"):
        push_bundle(bundle, "wandb:upscalers/doubler")


def test_a_signature_that_is_a_link_is_not_uploaded(bundle: Bundle, hub: type[Hub], tmp_path: Path) -> None:
    folder, secret = tmp_path / "copy", tmp_path / "secret"
    shutil.copytree(bundle.folder, folder)
    secret.write_text("mine")
    (folder / SIGNATURE).unlink(missing_ok=True)
    (folder / SIGNATURE).symlink_to(secret)
    with pytest.raises(UserError, match=rf"{SIGNATURE}: is a symbolic link"):
        push_bundle(open_bundle(folder), "hf:me/doubler")
    assert not hub.files
