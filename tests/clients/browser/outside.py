"""Nothing may leave the machine: whatever is asked of another one is refused and written down."""

import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

ELSEWHERE = re.compile(r"^\w+://(?!127\.0\.0\.1[:/]|localhost[:/])[^/]")  # file:///... is no other machine
BADGE = "https://colab.research.google.com/assets/colab-badge.svg"  # the one picture that is not our own
STAND_IN = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'


class Outside:
    """Watches a browser's pages by interception, and other programs by being their proxy.

    Attributes:
        asked: the addresses that were asked for, in order.
        variables: the environment that makes a program use the proxy for all other machines.
    """

    def __init__(self):
        self.asked = asked = []

        class Refusal(BaseHTTPRequestHandler):
            def refuse(self):
                asked.append(f"{self.command} {self.path}")
                self.send_error(403, "the tests let nothing out")

            do_CONNECT = do_GET = do_HEAD = do_POST = refuse

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Refusal)
        Thread(target=self.server.serve_forever, daemon=True).start()
        proxy = f"http://127.0.0.1:{self.server.server_port}"
        own = {"no_proxy": "127.0.0.1,localhost", "http_proxy": proxy, "https_proxy": proxy}
        self.variables = own | {name.upper(): value for name, value in own.items()}

    def watch(self, context) -> None:
        """Refuse what the pages of Playwright's `context` ask of other machines; the badge is replaced."""

        def refuse(route):
            if route.request.url == BADGE:
                return route.fulfill(content_type="image/svg+xml", body=STAND_IN)
            self.asked.append(route.request.url)
            return route.abort()

        context.route(ELSEWHERE, refuse)
