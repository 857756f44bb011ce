"""Routes under `/files/`."""

from apps.core.http.routes import route
from apps.files import views

urlpatterns = [
    route("", views.FilesHealthView.as_view(), name="files"),
    route("request-signature", views.RequestSignatureView.as_view(), name="file-upload"),
    route("download/<path:key>", views.DownloadView.as_view(), name="file-download"),
]
