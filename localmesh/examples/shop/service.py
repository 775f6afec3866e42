"""Any service: it answers with its name, and with what the services answer that it calls (CALLS, addresses)."""

import os
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    """GET alone."""

    def do_GET(self) -> None:
        """The name of this service and its version, and a line for each that it calls."""
        lines = [os.environ["NAME"]]
        if self.path != "/ready":
            for address in os.environ.get("CALLS", "").split():
                with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 (from its manifest)
                    lines.append(answer.read().decode())
        body = " → ".join(lines).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Envoy has the access log."""


if __name__ == "__main__":
    ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
