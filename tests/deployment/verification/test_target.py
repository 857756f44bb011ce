"""What `stage verify` reads of an answer."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

from apps.deployment.verification.target import ask


class Gateway(BaseHTTPRequestHandler):
    """API Gateway, which calls an answer without a type JSON."""

    def do_OPTIONS(self) -> None:
        """Answer a preflight with nothing."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "0")
        self.end_headers()


class TestAsk:
    def test_reads_an_empty_answer_that_is_called_json(self) -> None:
        with HTTPServer(("127.0.0.1", 0), Gateway) as server:
            thread = Thread(target=server.handle_request)
            thread.start()
            answer = ask(f"http://127.0.0.1:{server.server_port}/", {"Access-Control-Request-Method": "PUT"})
            thread.join()

        assert (answer.status, answer.body) == (200, b"")
