"""Routes under `/files/`."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from rest_framework.response import Response
from rest_framework.views import APIView

from apps.auth.permissions import IsEditor, IsKnown
from apps.core.views import Health
from apps.files import services
from apps.files.serializers import UPLOAD

if TYPE_CHECKING:
    from rest_framework.request import Request

    from apps.auth.users import CognitoUser


class FilesHealth(Health):
    """Say that the file routes are there."""

    subject = "Files - "


class RequestSignature(APIView):
    """
    A form that uploads one file straight into the bucket.

    Post all of `credentials.fields` to `credentials.url`, in their order, and the file last.
    The form is for this one key, bounded in size, and holds for a few minutes.
    """

    permission_classes = (IsEditor,)

    def get(self, request: Request) -> Response:
        """Sign the form: `?file=…`, and `&project_id=…` for a file of a project."""
        wanted = UPLOAD.run_validation(request.query_params)
        upload = services.sign_upload(**wanted, actor=_caller(request))
        return Response(
            {
                "credentials": {"url": upload.url, "fields": upload.fields},
                "filename": upload.key,
                "message": "permission granted",
                "status": "success",
            }
        )


class Download(APIView):
    """
    A link to one file, valid for a minute.

    PDF and images open in the browser; everything else is saved.
    """

    permission_classes = (IsKnown,)

    def get(self, request: Request, key: str) -> Response:
        """Sign the link, if the file is one that the caller may read."""
        url = services.sign_download(key=key, actor=_caller(request))
        return Response({"download_url": url, "message": "success", "status": "success"})


def _caller(request: Request) -> CognitoUser:
    return cast("CognitoUser", request.user)
