"""Routes under `/auth/`."""

from django.conf import settings

from apps.auth import views
from apps.auth.browser import views as browser
from apps.core.http.routes import route

urlpatterns = [
    route("", views.AuthHealthView.as_view(), name="auth"),
    route("current_user", views.CurrentUserView.as_view(), name="current-user"),
    route("current_user2", views.current_user2, name="current-user2"),
]

if settings.BROWSER_SIGN_IN:
    urlpatterns += [
        route("sign-in", browser.start, name="auth-sign-in"),
        route("callback", browser.callback, name="auth-callback"),
        route("preview", browser.preview, name="auth-preview"),
        route("sign-out", browser.sign_out, name="auth-sign-out"),
    ]
