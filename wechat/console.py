"""Where things stand in WeChat's own console. It speaks Chinese, whoever reads our log."""

from __future__ import annotations

CONSOLE = "微信开发者平台 (developers.weixin.qq.com/platform) → 我的业务 → 公众号/服务号"
# Server URL, Token, EncodingAESKey, and whether pushes are sealed.
PUSHES = f"{CONSOLE} → 基础信息 → 域名与消息推送配置"
