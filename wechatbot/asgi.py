"""The web process: the callback and the probes beside Django, Django, and the WebSockets."""

from __future__ import annotations

import asyncio
import os
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wechatbot.settings")
# whitenoise serves files of a few kilobytes from a synchronous iterator, which is fine and not
# worth a line each.
warnings.filterwarnings(
    "ignore", message="StreamingHttpResponse must consume synchronous iterators"
)
django_application = get_asgi_application()

# Django must be set up before anything that imports models.
from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402
from django.conf import settings  # noqa: E402
from django.urls import re_path  # noqa: E402

from common import garbage, metrics  # noqa: E402
from webhook.callback import Callback  # noqa: E402
from webhook.door import Door  # noqa: E402
from wechatbot import health  # noqa: E402
from wechatbot.web import probes  # noqa: E402
from wechatbot.web.admission import Admission  # noqa: E402
from wechatbot.web.bodies import is_callback  # noqa: E402
from wechatbot.web.sockets import BoundedSockets, no_such_socket  # noqa: E402

if settings.SIMULATOR:
    from simulator.routing import websocket_urlpatterns
else:
    websocket_urlpatterns = []

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

door = Door()
callback = Callback(door)
probe = probes.Probes(health.missing_parts, health.skewed_clocks)
pages = Admission(django_application, static_url=settings.STATIC_URL)
# Channels takes an ASGI application where Django takes a view.
router = URLRouter([*websocket_urlpatterns, re_path("", no_such_socket)])  # type: ignore[arg-type]
websockets = BoundedSockets(AllowedHostsOriginValidator(AuthMiddlewareStack(router)))


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    match scope["type"]:
        case "http" if is_callback(scope["path"]):
            await callback(scope, receive, send)
        case "http" if scope["path"] in probes.PATHS:
            await probe(scope, receive, send)
        case "http":
            await pages(scope, receive, send)
        case "websocket":
            await websockets(scope, receive, send)
        case "lifespan":
            await live(receive, send)


async def live(receive: Receive, send: Send) -> None:
    """Open the callback's workroom with the server and close it with it."""
    while True:
        event = await receive()
        if event["type"] == "lifespan.startup":
            await asyncio.to_thread(metrics.start)
            await asyncio.to_thread(door.prepare)
            garbage.keep_what_is_loaded()
            door.open()
            await send({"type": "lifespan.startup.complete"})
        else:
            door.close()
            await send({"type": "lifespan.shutdown.complete"})
            return
