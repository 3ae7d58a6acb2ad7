"""The fake WeChat API as a process of the benchmarks: `python -m benchmarks.wechat_api PORT`.

GET /sent answers `[[openid, text, time.monotonic()], …]` and forgets them.
"""

from __future__ import annotations

import sys
import threading
from typing import Any

from tests.fake_wechat import FakeWeChat


class CountingWeChat(FakeWeChat):
    def _answer(self, path: str, query: dict[str, str], content: bytes) -> dict[str, Any]:
        if path != "/sent":
            return super()._answer(path, query, content)
        answer = {"sent": [(one.openid, one.text, one.at) for one in self.sent]}
        self.sent.clear()
        return answer


if __name__ == "__main__":
    wechat = CountingWeChat()
    wechat.port = int(sys.argv[1])
    wechat.start()
    threading.Event().wait()
