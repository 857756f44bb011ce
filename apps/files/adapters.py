"""
Signatures for the uploads bucket in S3.

Signing uses the credentials that the client already has, and needs no call to S3. botocore makes a
call only to renew the credentials of a role.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings

from apps.core.aws import clients
from apps.core.aws.errors import translate_errors
from apps.files.names import ResponseHeaders

ENCRYPTION_FIELD: Final = "x-amz-server-side-encryption"


@dataclass(frozen=True, slots=True)
class PresignedPost:
    """A form that uploads one object: its URL, and its fields before the file."""

    url: str
    fields: Mapping[str, str]

    @property
    def key(self) -> str:
        """Return the key that the object will have."""
        return self.fields["key"]


def presign_upload(*, key: str, media_type: str) -> PresignedPost:
    """
    Sign a form for exactly this key and type, with limits of size and time.

    :raises UnavailableError: if there are no credentials, or expired ones cannot be renewed
    """
    fields = {"Content-Type": media_type, "key": key}
    if settings.UPLOADS_ENCRYPTION:
        fields[ENCRYPTION_FIELD] = settings.UPLOADS_ENCRYPTION
    conditions = [
        {"bucket": settings.UPLOADS_BUCKET},
        ["content-length-range", 0, settings.UPLOAD_MAX_BYTES],
        *({name: value} for name, value in fields.items()),
    ]
    with translate_errors():
        url, presigner = clients.post_policy_signer(settings.UPLOADS_BUCKET)
        # botocore adds its own fields and conditions to the ones it is given
        request = {"method": "POST", "url": url, "headers": {}, "body": b"", "context": {}}
        form = presigner.generate_presigned_post(request, fields, conditions, settings.UPLOAD_FORM_SECONDS)
    return PresignedPost(form["url"], form["fields"])


def upload_origin() -> str:
    """
    Return the origin to which forms are posted.

    :raises UnavailableError: if there are no credentials, or expired ones cannot be renewed
    """
    with translate_errors():
        url = urlsplit(clients.post_policy_signer(settings.UPLOADS_BUCKET)[0])
    return f"{url.scheme}://{url.netloc}"


def presign_download(*, key: str, presentation: ResponseHeaders) -> str:
    """
    Sign a URL for one object, with the headers of S3's answer.

    :raises UnavailableError: if there are no credentials, or expired ones cannot be renewed
    """
    parameters = {
        "Bucket": settings.UPLOADS_BUCKET,
        "Key": key,
        "ResponseContentType": presentation.content_type,
        "ResponseContentDisposition": presentation.content_disposition,
    }
    with translate_errors():
        return clients.s3().generate_presigned_url("get_object", parameters, settings.DOWNLOAD_LINK_SECONDS)
