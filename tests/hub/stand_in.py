"""What of the hub's interface is used: making a repository, committing files to it, reading them."""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from tests.downloads.server import Asked, Server

TOKEN = "hf_alices_token"


@dataclass
class Hub:
    """Repositories by their names. Large files lie elsewhere, as on the hub, and are found by redirects."""

    server: Server
    repositories: dict[str, dict[str, bytes]] = field(default_factory=dict)
    private: set[str] = field(default_factory=set)
    commits: list[str] = field(default_factory=list)  # their messages
    large: dict[str, bytes] = field(default_factory=dict)  # by SHA-256

    def __call__(self, asked: Asked) -> None:
        """Answer a request."""
        path, body = asked.path, asked.body()
        if path.startswith("/storage/"):
            return self._storage(asked, path.removeprefix("/storage/"), body)
        knows = asked.headers.get("authorization") == f"Bearer {TOKEN}"
        if path == "/api/repos/create":
            return self._create(asked, json.loads(body)) if knows else asked.send(401)
        if path == "/api/validate-yaml":
            return answer(asked, {"errors": [], "warnings": []})
        if path.endswith(".git/info/lfs/objects/batch"):
            return self._batch(asked, json.loads(body))
        name = "/".join(path.removeprefix("/api/models").split("/")[1:3])
        if name not in self.repositories or (name in self.private and not knows):
            return asked.send(404 if knows else 401)
        if "/preupload/" in path:
            modes = [
                {"path": each["path"], "uploadMode": mode(each["path"]), "shouldIgnore": False}
                for each in json.loads(body)["files"]
            ]
            return answer(asked, {"files": modes})
        if "/commit/" in path:
            return self._commit(asked, name, body) if knows else asked.send(403)
        if "/resolve/" in path:
            return self._resolve(asked, name, path.split("/resolve/main/")[1])
        siblings = [{"rfilename": each} for each in self.repositories[name]]
        return answer(asked, {"id": name, "sha": "1", "siblings": siblings})

    def _create(self, asked: Asked, wanted: dict[str, Any]) -> None:
        name = f"{wanted['organization']}/{wanted['name']}"
        self.repositories.setdefault(name, {})
        if wanted.get("visibility") == "private" or wanted.get("private"):
            self.private.add(name)
        answer(asked, {"url": f"{self.server.url}/{name}", "name": name})

    def _batch(self, asked: Asked, wanted: dict[str, Any]) -> None:
        objects = [
            {
                "oid": each["oid"],
                "size": each["size"],
                "actions": {"upload": {"href": f"{self.server.url}/storage/{each['oid']}", "header": {}}},
            }
            for each in wanted["objects"]
        ]
        answer(asked, {"transfer": "basic", "objects": objects})

    def _storage(self, asked: Asked, digest: str, body: bytes) -> None:
        if asked.handler.command == "PUT":
            assert hashlib.sha256(body).hexdigest() == digest
            self.large[digest] = body
            return asked.send(200)
        return asked.ranged(self.large[digest], f'"{digest}"')

    def _commit(self, asked: Asked, name: str, body: bytes) -> None:
        for line in body.splitlines():
            row = json.loads(line)
            value = row["value"]
            if row["key"] == "header":
                self.commits.append(value["summary"])
            elif row["key"] == "file":
                self.repositories[name][value["path"]] = base64.b64decode(value["content"])
            elif row["key"] == "lfsFile":
                self.repositories[name][value["path"]] = self.large[value["oid"]]
        answer(asked, {"commitUrl": f"{self.server.url}/{name}/commit/1", "commitOid": "1", "success": True})

    def _resolve(self, asked: Asked, name: str, file: str) -> None:
        held = self.repositories[name]
        if file not in held:
            return asked.send(404)
        data = held[file]
        digest = hashlib.sha256(data).hexdigest()
        if digest not in self.large:
            return asked.send(200, {"ETag": '"small"'}, b"" if asked.handler.command == "HEAD" else data)
        elsewhere = self.server.url.replace("127.0.0.1", "localhost")
        linked = {"X-Linked-Etag": f'"{digest}"', "X-Linked-Size": str(len(data))}
        return asked.send(302, {"Location": f"{elsewhere}/storage/{digest}", **linked})


def mode(path: str) -> str:
    """How a file is to be uploaded: weights and images apart from texts."""
    return "lfs" if path.endswith((".safetensors", ".png")) else "regular"


def answer(asked: Asked, value: dict[str, Any]) -> None:
    """Send JSON."""
    asked.send(200, {"Content-Type": "application/json"}, json.dumps(value).encode())
