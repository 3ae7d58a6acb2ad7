"""Pages of the product. The callback `/wechat` and the probes are not here: they stand beside
Django, see `asgi.py`.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.templatetags.static import static
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from wechatbot.demo.page import remove_demo

urlpatterns: list[URLPattern | URLResolver] = [
    # A newcomer types only the host: on one's own machine the simulator is the place to begin.
    path(
        "",
        RedirectView.as_view(
            pattern_name="simulator:page" if settings.SIMULATOR else "admin:index"
        ),
    ),
    path("favicon.ico", RedirectView.as_view(url=static("common/icon.svg"))),
    path("admin/remove-demo/", remove_demo, name="remove_demo"),
    path("admin/", admin.site.urls),
    path("desk/", include("tickets.desk.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
]
if settings.SIMULATOR:
    urlpatterns.append(path("simulator/", include("simulator.urls")))
