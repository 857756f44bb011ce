"""Routes under `/users/`."""

from apps.core.http.routes import route
from apps.users import views

urlpatterns = [
    route("", views.UserList.as_view(), name="users"),
    route("activate/", views.UserActivation.as_view(), name="activate-user"),
    route("<str:user_id>", views.UserDetail.as_view(), name="user"),
    route("<str:user_id>/history", views.UserHistory.as_view(), name="user-history"),
]
