"""The errors and examples of `/files/` in the reference."""

from apps.core.errors import UnavailableError
from apps.core.http.operation import Operation, Operations
from apps.files import adapters, errors, views

PATH = {"key": (str, "The key of the file, which may have slashes: `filename` of the signed form.")}
KEY = "private/project/12/77_11232026120000_0123456789abcdef_plan.pdf"

OPERATIONS: Operations = {
    views.RequestSignatureView: {
        "get": Operation(
            errors=(
                errors.UnusableFileNameError,
                errors.UnknownProjectError,
                errors.NotAMopedUserError,
                UnavailableError,
            ),
            answer_example={
                "credentials": {
                    "url": "https://uploads.example/",
                    "fields": {"key": KEY, "policy": "eyJleHBpcmF0aW9uIjoi…", "x-amz-signature": "5d1e3f…"},
                },
                "filename": KEY,
                "message": "permission granted",
                "status": "success",
            },
            connect=adapters.upload_origin,
        )
    },
    views.DownloadView: {
        "get": Operation(
            path=PATH,
            errors=(errors.UnknownFileError, UnavailableError),
            answer_example={
                "download_url": f"https://uploads.example/{KEY}?X-Amz-Signature=5d1e3f8e",
                "message": "success",
                "status": "success",
            },
            links=lambda link: {"Download the file": link["download_url"]},
        )
    },
}
