import contextlib
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

import httpx

Answer = bytes | Callable[[str], bytes | None]


class Mirror:
    """A proxy of the sandbox that replaces the answers of some addresses, with status 200.

    Attributes:
        url: the address of the proxy, which forwards all other requests to the sandbox.
        answers: the answers by the end of the path. A function that returns None forwards the
            request.
        changes: the changes to the sandbox's answers, by the end of the path.
        asked: the paths that the proxy has answered itself.
    """

    def __init__(self, upstream: str) -> None:
        self.answers: dict[str, Answer] = {}
        self.changes: dict[str, Callable[[bytes], bytes]] = {}
        self.asked: list[str] = []
        mirror = self

        client = self._client = httpx.Client(verify=False)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._answer(b"")

            def do_POST(self) -> None:
                self._answer(self.rfile.read(int(self.headers.get("Content-Length", "0"))))

            def do_HEAD(self) -> None:
                self.send_response(200)
                self.end_headers()

            def _answer(self, body: bytes) -> None:
                path = self.path.split("?", maxsplit=1)[0]
                own = mirror.own(path)
                if own is None:
                    kept = ("Accept", "Content-Type")
                    theirs = client.request(
                        self.command,
                        upstream + self.path,
                        content=body,
                        headers={name: self.headers[name] for name in kept if self.headers[name]},
                    )
                    own = mirror.changed(path, theirs.content)
                self.send_response(200)
                self.send_header("Content-Length", str(len(own)))
                self.end_headers()
                with contextlib.suppress(ConnectionError):  # the attempt has ended meanwhile
                    self.wfile.write(own)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                """Log no error: a cancelled client closes its connection."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def own(self, path: str) -> bytes | None:
        for end, answer in self.answers.items():
            if re.search(end, path):
                self.asked.append(path)
                return answer if isinstance(answer, bytes) else answer(path)
        return None

    def changed(self, path: str, body: bytes) -> bytes:
        for end, change in self.changes.items():
            if re.search(end, path):
                return change(body)
        return body

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._client.close()
