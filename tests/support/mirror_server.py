"""A web server on loopback that serves one file, well or with a fault: the mirrors of the download tests."""

import re
import socket
import struct
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
    reset_at: float | None = None  # the connection is torn there
    end_at: float | None = None  # the answer ends there, though more was announced
    stall_at: float | None = None  # nothing comes from there on
    rate: float | None = None  # bytes per second
    ranges: bool = True  # whether Range is understood
    announced: int | None = None  # a false Content-Length
    redirect: str | None = None
    starts: list[int] = field(default_factory=list)  # of each request: the first byte it asks for


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        mirror = self.server.mirrors[self.path]
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(asked[1]) if asked else 0
        mirror.starts.append(start)
        faulty = len(mirror.starts) <= mirror.faulty
        self.close_connection = True
        if faulty and (mirror.redirect or mirror.status != 200):
            self.send_response(302 if mirror.redirect else mirror.status)
            self.send_header("Location", mirror.redirect or "")
            self.send_header("Content-Length", "0")
            self.send_header("Connection", "close")
            self.end_headers()
            return
        partial = asked and mirror.ranges
        start = start if partial else 0
        size = len(mirror.content)
        length = size - start if mirror.announced is None else mirror.announced
        self.send_response(206 if partial else 200)
        if partial:
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        self.send_header("Content-Length", str(length))
        self.send_header("Connection", "close")
        self.end_headers()
        self.send_content(mirror, start, faulty)

    def send_content(self, mirror, start, faulty):
        ends = {mirror.reset_at: self.reset, mirror.end_at: self.end, mirror.stall_at: self.stall}
        place = next((place for place in ends if place is not None), None) if faulty else None
        stop = len(mirror.content) if place is None else int(place * len(mirror.content))
        size = min(PIECE, int(mirror.rate / 20)) if mirror.rate else PIECE
        for begin in range(start, stop, size):
            piece = mirror.content[begin : min(begin + size, stop)]
            try:
                self.wfile.write(piece)
            except OSError:  # the client has left
                return
            if faulty and mirror.rate:
                time.sleep(len(piece) / mirror.rate)
        if place is not None:
            ends[place]()

    def reset(self):
        time.sleep(0.05)  # what was sent so far may arrive
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def end(self):
        self.wfile.flush()

    def stall(self):
        self.server.closing.wait(20)

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Say nothing: torn connections are what this server is for."""


class MirrorServer:
    """Use in a `with` statement; `add` gives the address of a new mirror."""

    def __enter__(self):
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.mirrors, self.server.closing = {}, threading.Event()
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *args):
        self.server.closing.set()
        self.server.shutdown()
        self.server.server_close()

    def add(self, mirror: Mirror) -> str:
        path = f"/{len(self.server.mirrors)}"
        self.server.mirrors[path] = mirror
        return f"http://127.0.0.1:{self.server.server_port}{path}"
