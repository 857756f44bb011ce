"""The outermost edge: how a WSGI environment becomes a request."""

from __future__ import annotations

import io

import pytest

from apps.core.http.wsgi import Request
from moped_api.wsgi import application


def request(content_type: str) -> Request:
    return Request(
        {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": "/",
            "QUERY_STRING": "file=pl%C3%A4n.pdf",
            "CONTENT_TYPE": content_type,
            "wsgi.input": io.BytesIO(),
        }
    )


class TestRequest:
    @pytest.mark.parametrize("charset", ["utf-8", "hex", "rot13", "utf-16", "idna", "nonsense", "\x00", ""])
    def test_minds_no_charset_that_a_caller_invents(self, charset: str) -> None:
        assert request(f"text/plain;charset={charset}").GET["file"] == "plän.pdf"

    @pytest.mark.parametrize("content_type", ["", ";", "a/b;c", "text/plain; charset", "\xff"])
    def test_minds_no_content_type_that_is_none(self, content_type: str) -> None:
        assert request(content_type).GET["file"] == "plän.pdf"

    def test_is_what_servers_are_given(self) -> None:
        assert application.request_class is Request
