"""What a browser may load and run on our pages, so that a customer's words can never become a
script.

Nothing inline and nothing from elsewhere. The admin's theme evaluates its attributes (Alpine), and
htmx and the theme write styles into the page: that is allowed there, an inline script nowhere.
"""

from __future__ import annotations

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware
from django.http import HttpRequest, HttpResponseBase

# The desk is drawn in the admin's theme.
IN_THE_THEME = ("/admin/", "/desk/")

POLICY = {
    "default-src": [NONE],
    "script-src": [SELF],
    "style-src": [SELF],
    # Pictures of customers lie with WeChat.
    "img-src": [SELF, "data:", "https:", "http://mmbiz.qpic.cn"],
    "font-src": [SELF],
    "connect-src": [SELF],
    "manifest-src": [SELF],
    "form-action": [SELF],
    "base-uri": [NONE],
    "frame-ancestors": [NONE],
}
FOR_THE_THEME = {"script-src": [UNSAFE_EVAL], "style-src": [UNSAFE_INLINE]}


class ContentPolicyMiddleware(CSPMiddleware):
    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if request.path_info.startswith(IN_THE_THEME):
            response._csp_update = FOR_THE_THEME  # type: ignore[attr-defined]
        return super().process_response(request, response)
