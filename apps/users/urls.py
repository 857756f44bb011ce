"""Routes under `/users/`."""

from apps.core.http.routes import route
from apps.users import views

urlpatterns = [
    route("", views.UserListView.as_view(), name="users"),
    route("activate/", views.UserActivationView.as_view(), name="activate-user"),
    route("<str:user_id>", views.UserDetailView.as_view(), name="user"),
    route("<str:user_id>/history", views.UserHistoryView.as_view(), name="user-history"),
]
