"""Routes under `/auth/`."""

from django.conf import settings

from apps.auth import sign_in_views, views
from apps.core.routes import route

urlpatterns = [
    route("", views.AuthHealth.as_view(), name="auth"),
    route("current_user", views.CurrentUser.as_view(), name="current-user"),
    route("current_user2", views.current_user2, name="current-user2"),
]

if settings.BROWSER_SIGN_IN:
    urlpatterns += [
        route("sign-in", sign_in_views.start, name="auth-sign-in"),
        route("callback", sign_in_views.callback, name="auth-callback"),
        route("sign-out", sign_in_views.sign_out, name="auth-sign-out"),
    ]
