"""A web server on loopback that serves files, well or with a fault: the mirrors of the download tests."""

import re
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PIECE = 16_384  # bytes sent at once


@dataclass
class Mirror:
    """What a path of the server does. Places in the file are fractions of its length."""

    content: bytes
    status: int = 200
    faulty: int = 10**9  # so many of the first requests get the faults below, the others none
    end_at: float | None = None  # the answer ends there, though more was announced
    stall_at: float | None = None  # nothing comes from there on; below 0: letters of a header, without end
    pause: float = 0  # seconds after each piece
    ranges: bool = True  # whether Range is understood
    headers: dict = field(default_factory=dict)  # in place of the right ones; None leaves one out
    starts: list[int] = field(default_factory=list)  # of each request: the first byte it asks for


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        mirror = self.server.mirrors[self.path]
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        mirror.starts.append(int(asked[1]) if asked else 0)
        self.close_connection = True
        if len(mirror.starts) > mirror.faulty:
            mirror = Mirror(mirror.content)
        start = int(asked[1]) if asked and mirror.ranges else 0
        size = len(mirror.content)
        if (mirror.stall_at or 0) < 0:
            return self.stall()
        self.send_response(206 if start and mirror.status == 200 else mirror.status)
        right = {"Content-Length": size - start, "Content-Range": f"bytes {start}-{size - 1}/{size}"}
        for name, value in (right | {"Connection": "close"} | mirror.headers).items():
            if value is not None:
                self.send_header(name, str(value))
        self.end_headers()
        return self.send_content(mirror, mirror.content[start:], start)

    def send_content(self, mirror, content, start):
        place = next((p for p in (mirror.end_at, mirror.stall_at) if p is not None), 1)
        content = content[: max(0, int(place * len(mirror.content)) - start)]
        for begin in range(0, len(content), PIECE):
            self.wfile.write(content[begin : begin + PIECE])
            time.sleep(mirror.pause)
        if mirror.stall_at is not None:
            self.server.closing.wait(20)

    def stall(self):
        while not self.server.closing.wait(0.02):
            self.wfile.write(b"X")

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Say nothing: torn connections are what this server is for."""


class MirrorServer:
    """Use in a `with` statement; `add` gives the address of a new mirror of an archive."""

    def __enter__(self):
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.mirrors, self.server.closing = {}, threading.Event()
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *args):
        self.server.closing.set()
        self.server.shutdown()
        self.server.server_close()

    def add(self, mirror: Mirror, archive: str) -> str:
        path = f"/{len(self.server.mirrors)}/{archive}"
        self.server.mirrors[path] = mirror
        return f"http://127.0.0.1:{self.server.server_port}{path}"
