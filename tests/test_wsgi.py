"""How a WSGI environment becomes a request."""

import io

import pytest

from moped_api.wsgi import application

CHARSETS = ("utf-8", "hex", "rot13", "utf-16", "idna", "nonsense", "\x00", "")
CONTENT_TYPES = ("", ";", "a/b;c", "text/plain; charset", "\xff")


class TestRequest:
    @pytest.mark.parametrize(
        "content_type", [*CONTENT_TYPES, *(f"text/plain;charset={charset}" for charset in CHARSETS)]
    )
    def test_is_utf8_whatever_the_content_type(self, content_type: str) -> None:
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": "/",
            "QUERY_STRING": "file=pl%C3%A4n.pdf",
            "CONTENT_TYPE": content_type,
            "wsgi.input": io.BytesIO(),
        }

        request = application.request_class(environ)

        assert request.GET["file"] == "plän.pdf"
