"""Routes under `/files/`."""

from typing import Any

from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from apps.auth.permissions import HasVerifiedRole, MayUpload, get_caller
from apps.core.http.throttles import SignatureThrottle
from apps.files import services
from apps.files.serializers import UPLOAD, DownloadLinkSerializer, UploadFormSerializer, UploadSerializer
from apps.health.views import HealthMessageView


class FilesHealthView(HealthMessageView):
    """Say that the file routes are there."""

    name = "Files"
    subject = "Files - "


class RequestSignatureView(GenericAPIView[Any]):
    """A form that uploads one file straight into the bucket."""

    permission_classes = (MayUpload,)
    throttle_classes = (SignatureThrottle,)
    query_serializer_class = UploadSerializer
    serializer_class = UploadFormSerializer
    page_template = "files/upload.html"

    def get(self, request: Request) -> Response:
        """
        Sign a form that uploads one file.

        Post all of `credentials.fields` to `credentials.url`, in their order, and the file last.
        The form is for this one key, limited in size, and valid for half an hour. It may be posted
        again after a broken connection.
        """
        query = UPLOAD.run_validation(request.query_params)
        upload = services.sign_upload(**query, actor=get_caller(request))
        return Response(
            {
                "credentials": {"url": upload.url, "fields": upload.fields},
                "filename": upload.key,
                "message": "permission granted",
                "status": "success",
            }
        )


class DownloadView(GenericAPIView[Any]):
    """A link to one file, valid for a minute."""

    permission_classes = (HasVerifiedRole,)
    throttle_classes = (SignatureThrottle,)
    serializer_class = DownloadLinkSerializer

    def get(self, request: Request, key: str) -> Response:
        """
        Sign a link to a file that the caller may read.

        The link is valid for a minute. PDF files and images open in the browser. All other files are saved.
        """
        url = services.sign_download(key=key, actor=get_caller(request))
        return Response({"download_url": url, "message": "success", "status": "success"})
