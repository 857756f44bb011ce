"""Routes under `/docs/`."""

from apps.core import docs
from apps.core.routes import route

urlpatterns = [
    route("", docs.page, name="docs"),
    route("openapi.json", docs.Reference.as_view(), name="reference"),
]
