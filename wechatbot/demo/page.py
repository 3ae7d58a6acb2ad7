"""The page behind the front page's line about the demo shop: what will be lost, and the button that
removes it.
"""

from __future__ import annotations

from django.contrib import admin, messages
from django.contrib.admin.views.decorators import staff_member_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from tickets.models import Ticket
from wechatbot.demo import removal


@require_http_methods(["GET", "POST"])
@staff_member_required(login_url="admin:login")
def remove_demo(request: HttpRequest) -> HttpResponse:
    # Logins go with it, so it takes who may do everything.
    if not request.user.is_superuser:
        raise PermissionDenied
    demo = removal.find(with_passwords=True)
    if request.method == "POST":
        removal.remove(demo, changed_too=bool(request.POST.get("changed_too")))
        messages.success(request, _("演示店铺已移除。"))
        return redirect("admin:index")
    context = {
        **admin.site.each_context(request),
        "title": _("移除演示店铺"),
        "demo": demo,
        "open_tickets": Ticket.objects.open().filter(assignee__in=demo.agents).count(),
    }
    return TemplateResponse(request, "wechatbot/remove_demo.html", context)
