"""`startproject`'s admin, a schema, and `current_user`."""

import json

from django.contrib import admin
from django.urls import path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.decorators import api_view
from rest_framework.response import Response

HASURA = "https://hasura.io/jwt/claims"


@api_view(["GET"])
def current_user(request):
    """Answer who is calling."""
    token = dict(request.auth.payload)
    return Response(
        {
            "cognito:username": token["cognito:username"],
            "email": token["email"],
            "hasura_claims": json.loads(token[HASURA]),
            "decrypted_jwt": token,
        }
    )


urlpatterns = [
    path("admin/", admin.site.urls),
    path("schema/", SpectacularAPIView.as_view()),
    path("auth/current_user", current_user),
]
