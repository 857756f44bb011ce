"""Routes under `/files/`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.response import Response
from rest_framework.views import APIView

from apps.auth.permissions import HasVerifiedRole, MayUpload
from apps.core.errors import UnavailableError
from apps.core.http.operation import Operation, describe
from apps.core.http.throttles import SignatureThrottle
from apps.files import errors, services
from apps.files.serializers import UPLOAD, DownloadLinkSerializer, UploadFormSerializer, UploadSerializer
from apps.health.views import HealthMessageView

if TYPE_CHECKING:
    from apps.auth.requests import Request


class FilesHealthView(HealthMessageView):
    """Say that the file routes are there."""

    subject = "Files - "


KEY = "private/project/12/77_11232026120000_0123456789abcdef_plan.pdf"


@describe(
    get=Operation(
        query=UploadSerializer,
        answer=UploadFormSerializer,
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
    )
)
class RequestSignature(APIView):
    """
    A form that uploads one file straight into the bucket.

    Post all of `credentials.fields` to `credentials.url`, in their order, and the file last.
    The form is for this one key, bounded in size, and valid for half an hour: it may be posted
    again after a broken connection.
    """

    permission_classes = (MayUpload,)
    throttle_classes = (SignatureThrottle,)

    def get(self, request: Request) -> Response:
        """Sign the form: `?file=…`, and `&project_id=…` for a file of a project."""
        query = UPLOAD.run_validation(request.query_params)
        upload = services.sign_upload(**query, actor=request.user)
        return Response(
            {
                "credentials": {"url": upload.url, "fields": upload.fields},
                "filename": upload.key,
                "message": "permission granted",
                "status": "success",
            }
        )


@describe(
    get=Operation(
        answer=DownloadLinkSerializer,
        errors=(errors.UnknownFileError, UnavailableError),
        answer_example={
            "download_url": f"https://uploads.example/{KEY}?X-Amz-Signature=5d1e3f…",
            "message": "success",
            "status": "success",
        },
    )
)
class Download(APIView):
    """
    A link to one file, valid for a minute.

    PDF and images open in the browser; everything else is saved.
    """

    permission_classes = (HasVerifiedRole,)
    throttle_classes = (SignatureThrottle,)

    def get(self, request: Request, key: str) -> Response:
        """Sign the link, if the file is one that the caller may read."""
        url = services.sign_download(key=key, actor=request.user)
        return Response({"download_url": url, "message": "success", "status": "success"})
