"""Routes under `/docs/`."""

from apps.core.http.routes import route
from apps.reference import views

urlpatterns = [
    route("", views.page, name="docs"),
    route("open", views.open_route, name="open-route"),
    route("openapi.json", views.OpenAPIView.as_view(), name="reference"),
]
