from django.urls import path, re_path

from simulator import api, views

app_name = "simulator"

urlpatterns = [
    path("", views.page, name="page"),
    path("state/", views.state, name="state"),
    path("customers/", views.create, name="create"),
    path("customers/<int:follower_id>/<slug:action>/", views.act, name="act"),
    path("switch/", views.throw_switch, name="switch"),
    path("exchanges/<int:exchange_id>/", views.exchange, name="exchange"),
    re_path(r"^api/cgi-bin/(?P<path>[a-z_/]+)$", api.api, name="api"),
]
