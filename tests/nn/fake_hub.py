"""A Hub of one's own: the part of the protocol that huggingface_hub speaks for a model."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

Files = dict[str, bytes]


class FakeHub:
    """Repositories by their names, and what was asked of them.

    Attributes:
        repositories: Files of each, by path.
        requests: "METHOD path" of every request.
        url: Where it listens.
    """

    def __init__(self) -> None:
        self.repositories: dict[str, Files] = {}
        self.requests: list[str] = []
        self.url = ""

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body."""
        self.requests.append(f"{method} {path}")
        if path == "/api/repos/create":
            said = json.loads(body)
            name = f"{said['organization']}/{said['name']}" if "organization" in said else "?"
            self.repositories.setdefault(name, {})
            return _json({"url": f"{self.url}/{name}", "id": name, "name": name})
        if path == "/api/validate-yaml":
            _, header, _ = json.loads(body)["content"].split("---\n", 2)
            ok = isinstance(yaml.safe_load(header).get("license", ""), str)
            errors = [] if ok else [{"message": '"license" must be a string'}]
            return 200 if ok else 400, {}, json.dumps({"errors": errors, "warnings": []}).encode()
        found = re.match(r"/(?:api/models/)?([\w.-]+/[\w.-]+)/(\w+)/([^?]*)", path)
        if found is None or found[1] not in self.repositories:
            return 404, {"X-Error-Code": "RepoNotFound"}, b""
        name, action, rest = found.groups()
        return getattr(self, f"_{action}")(name, rest, body)

    def _sha(self, name: str) -> str:
        return hashlib.sha1(repr(self.repositories[name]).encode()).hexdigest()

    def _revision(self, name: str, rest: str, body: bytes) -> Any:
        siblings = [{"rfilename": path} for path in self.repositories[name]]
        return _json({"id": name, "modelId": name, "sha": self._sha(name), "siblings": siblings})

    def _tree(self, name: str, rest: str, body: bytes) -> Any:
        files = self.repositories[name].items()
        listed = [{"type": "file", "path": p, "size": len(c), "oid": _etag(c)} for p, c in files]
        return _json(listed)

    def _resolve(self, name: str, rest: str, body: bytes) -> Any:
        content = self.repositories[name].get(rest.partition("/")[2])
        if content is None:
            return 404, {"X-Error-Code": "EntryNotFound"}, b""
        return 200, {"ETag": f'"{_etag(content)}"', "X-Repo-Commit": self._sha(name)}, content

    def _preupload(self, name: str, rest: str, body: bytes) -> Any:
        files = [file["path"] for file in json.loads(body)["files"]]
        plain = {"uploadMode": "regular", "shouldIgnore": False}
        return _json({"files": [{"path": path, **plain} for path in files]})

    def _commit(self, name: str, rest: str, body: bytes) -> Any:
        for line in map(json.loads, body.splitlines()):
            if line["key"] == "file":
                content = base64.b64decode(line["value"]["content"])
                self.repositories[name][line["value"]["path"]] = content
        sha = self._sha(name)
        return _json(
            {"success": True, "commitOid": sha, "commitUrl": f"{self.url}/{name}/commit/{sha}"}
        )


def _etag(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()


def _json(document: Any) -> tuple[int, dict[str, str], bytes]:
    return 200, {"Content-Type": "application/json"}, json.dumps(document).encode()


@contextmanager
def fake_hub() -> Iterator[FakeHub]:
    """A Hub that listens on this machine, within the body."""
    hub = FakeHub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, headers, content = hub.answer(self.command, self.path, body)
            self.send_response(status)
            for key, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(key, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_POST = do_HEAD = _any

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        hub.url = f"http://127.0.0.1:{server.server_address[1]}"
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield hub
        finally:
            server.shutdown()


@contextmanager
def reached_hub(monkeypatch: pytest.MonkeyPatch, cache: Path) -> Iterator[FakeHub]:
    """Within it huggingface_hub speaks with a Hub of one's own, and keeps downloads in `cache`."""
    from huggingface_hub import constants, file_download

    with fake_hub() as found:
        # What HF_ENDPOINT sets, where it is set before the library is imported.
        template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, found.url)
        for module in (constants, file_download):  # the latter of older releases
            monkeypatch.setattr(module, "HUGGINGFACE_CO_URL_TEMPLATE", template, raising=False)
        monkeypatch.setattr(constants, "ENDPOINT", found.url)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_PROGRESS_BARS", True)
        monkeypatch.setenv("HF_TOKEN", "hf_of_a_test")
        yield found
