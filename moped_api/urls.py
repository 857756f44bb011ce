"""All routes of the API: one line for each app."""

from django.conf import settings
from django.urls import include

from apps.core.http.routes import route
from apps.health import views

urlpatterns = [
    route("", views.RootView.as_view(), name="root"),
    route("health/live", views.LivenessView.as_view(), name="live"),
    route("health/ready", views.ReadinessView.as_view(), name="ready"),
    route("auth/", include("apps.auth.urls")),
    route("users/", include("apps.users.urls")),
    route("files/", include("apps.files.urls")),
]

if settings.BROWSER_PAGES:
    urlpatterns += [route("docs/", include("apps.reference.urls"))]

handler400 = "apps.core.http.problems.bad_request"
handler403 = "apps.core.http.problems.permission_denied"
handler404 = "apps.core.http.problems.not_found"
handler500 = "apps.core.http.problems.server_error"
