"""One line per app: the whole public surface at a glance."""

from django.conf import settings
from django.urls import include

from apps.core import health
from apps.core.routes import route
from apps.core.views import Root

urlpatterns = [
    route("", Root.as_view(), name="root"),
    route("health/live", health.Live.as_view(), name="live"),
    route("health/ready", health.Ready.as_view(), name="ready"),
    route("auth/", include("apps.auth.urls")),
    route("users/", include("apps.users.urls")),
    route("files/", include("apps.files.urls")),
]

if settings.BROWSER_PAGES:
    urlpatterns += [route("docs/", include("apps.core.docs_urls"))]

handler400 = "apps.core.problems.bad_request"
handler403 = "apps.core.problems.permission_denied"
handler404 = "apps.core.problems.not_found"
handler500 = "apps.core.problems.server_error"
