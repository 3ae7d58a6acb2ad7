"""Questions and answers of the small shop that most tests ask."""

from __future__ import annotations

RETURNS = ("怎么申请退货", "签收后 7 天内可以在订单页申请退货。")
INVOICE = ("发票怎么开", "下单时勾选「需要发票」即可。")
SHIPPING = ("多久可以发货", "付款后 48 小时内发货。")
HOURS = ("客服几点上班", "每天 9:00 到 21:00。")
