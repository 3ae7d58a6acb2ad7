"""A small shop, and questions that differ from its own by one word that matters, or by words that
do not.

The pairs were written before the guards. `TUNED` may be looked at while a guard is changed.
`UNSEEN` is for measuring only: whoever changes a guard because of one of these moves the pair to
`TUNED` and writes a new one.
"""

from __future__ import annotations

from dataclasses import dataclass

# Most entries stand alone, as in a shop that has just begun: nothing else competes for the lead.
SHOP: tuple[tuple[str, ...], ...] = (
    ("怎么绑定手机号", "手机号在哪里绑定"),
    ("支持 15 天退货吗",),
    ("生鲜可以退吗",),
    ("会员一年多少钱",),
    ("怎么开通自动续费",),
    ("怎么修改收货地址", "地址填错了怎么改"),
    ("订单满 99 元包邮吗",),
    ("成人票怎么买",),
    ("怎么取消订单", "不想要了怎么取消"),
    ("余额怎么充值",),
    ("可以货到付款吗",),
    ("保修期是三年吗",),
    ("拆封了还能退货吗",),
    ("怎么注册账号",),
    ("礼品卡可以转让吗",),
    ("空调怎么预约安装",),
    ("怎么打开消息通知",),
    ("可以开电子发票吗",),
    ("早上几点开门",),
    ("怎么购买延保",),
    ("周末送货吗",),
    ("生日当天有优惠吗",),
    ("耳机怎么连接手机",),
    ("一个账号可以登录几台设备",),
    ("换货需要自己付运费吗", "换货运费谁出"),
    ("how do I enable notifications",),
    ("can I return an item within 30 days",),
    ("can I pay with a gift card",),
)


@dataclass(frozen=True)
class Pair:
    asked: str
    question: str


TUNED_TRAPS: tuple[Pair, ...] = (
    Pair("怎么解绑手机号", "怎么绑定手机号"),
    Pair("手机号在哪里解绑", "怎么绑定手机号"),
    Pair("支持 60 天退货吗", "支持 15 天退货吗"),
    Pair("支持六十天退货吗", "支持 15 天退货吗"),
    Pair("生鲜不可以退吗", "生鲜可以退吗"),
    Pair("会员三年多少钱", "会员一年多少钱"),
    Pair("怎么关闭自动续费", "怎么开通自动续费"),
    Pair("订单满 199 元包邮吗", "订单满 99 元包邮吗"),
    Pair("儿童票怎么买", "成人票怎么买"),
    Pair("余额怎么提现", "余额怎么充值"),
    Pair("不可以货到付款吗", "可以货到付款吗"),
    Pair("保修期是两年吗", "保修期是三年吗"),
    Pair("没拆封还能退货吗", "拆封了还能退货吗"),
    Pair("怎么注销账号", "怎么注册账号"),
    Pair("怎么关闭消息通知", "怎么打开消息通知"),
    Pair("音箱怎么连接手机", "耳机怎么连接手机"),
    Pair("怎么修改收货时间", "怎么修改收货地址"),
    Pair("怎么取消订阅", "怎么取消订单"),
    Pair("how do I disable notifications", "how do I enable notifications"),
    Pair("can I return an item within 90 days", "can I return an item within 30 days"),
)

UNSEEN_TRAPS: tuple[Pair, ...] = (
    Pair("支持三十天退货吗", "支持 15 天退货吗"),
    Pair("支持 15 天换货吗", "支持 15 天退货吗"),
    Pair("会员一个月多少钱", "会员一年多少钱"),
    Pair("怎么停用自动续费", "怎么开通自动续费"),
    Pair("怎么修改收货电话", "怎么修改收货地址"),
    Pair("订单满五十元包邮吗", "订单满 99 元包邮吗"),
    Pair("保修期不是三年吗", "保修期是三年吗"),
    Pair("礼品卡不可以转让吗", "礼品卡可以转让吗"),
    Pair("礼品卡可以退款吗", "礼品卡可以转让吗"),
    Pair("空调怎么预约拆机", "空调怎么预约安装"),
    Pair("空调怎么预约维修", "空调怎么预约安装"),
    Pair("可以开纸质发票吗", "可以开电子发票吗"),
    Pair("晚上几点关门", "早上几点开门"),
    Pair("早上几点关门", "早上几点开门"),
    Pair("怎么退延保", "怎么购买延保"),
    Pair("周末不送货吗", "周末送货吗"),
    Pair("周末退货吗", "周末送货吗"),
    Pair("生日当天没有优惠吗", "生日当天有优惠吗"),
    Pair("耳机怎么连接电脑", "耳机怎么连接手机"),
    Pair("两个账号可以登录几台设备", "一个账号可以登录几台设备"),
    Pair("退货需要自己付运费吗", "换货需要自己付运费吗"),
    Pair("换货不需要自己付运费吗", "换货需要自己付运费吗"),
    Pair("how do I turn off notifications", "how do I enable notifications"),
    Pair("can I exchange an item within 30 days", "can I return an item within 30 days"),
    Pair("can I pay without a gift card", "can I pay with a gift card"),
)

TUNED_TRUE: tuple[Pair, ...] = (
    Pair("手机号怎么绑定", "怎么绑定手机号"),
    Pair("如何绑定手机号", "怎么绑定手机号"),
    Pair("支持十五天退货吗", "支持 15 天退货吗"),
    Pair("15 天退货支持吗", "支持 15 天退货吗"),
    Pair("生鲜能退吗", "生鲜可以退吗"),
    Pair("生鲜能不能退", "生鲜可以退吗"),
    Pair("会员 1 年多少钱", "会员一年多少钱"),
    Pair("自动续费怎么开通", "怎么开通自动续费"),
    Pair("收货地址怎么修改", "怎么修改收货地址"),
    Pair("满99元包邮吗", "订单满 99 元包邮吗"),
    Pair("成人票在哪买", "成人票怎么买"),
    Pair("我的订单怎么取消", "怎么取消订单"),
    Pair("怎么取消我的订单", "怎么取消订单"),
    Pair("保修期有三年吗", "保修期是三年吗"),
    Pair("拆封了还能不能退货", "拆封了还能退货吗"),
    Pair("怎么注册一个账号", "怎么注册账号"),
    Pair("how can I enable notifications", "how do I enable notifications"),
    Pair("is it possible to return an item within 30 days", "can I return an item within 30 days"),
)

UNSEEN_TRUE: tuple[Pair, ...] = (
    Pair("怎么绑手机号", "怎么绑定手机号"),
    Pair("有没有 15 天退货", "支持 15 天退货吗"),
    Pair("生鲜可不可以退货", "生鲜可以退吗"),
    Pair("办会员一年多少钱", "会员一年多少钱"),
    Pair("怎样开通自动续费功能", "怎么开通自动续费"),
    Pair("怎么改收货地址", "怎么修改收货地址"),
    Pair("订单满九十九元包邮吗", "订单满 99 元包邮吗"),
    Pair("余额要怎么充值", "余额怎么充值"),
    Pair("支不支持货到付款", "可以货到付款吗"),
    Pair("保修期是 3 年吗", "保修期是三年吗"),
    Pair("是不是保修三年", "保修期是三年吗"),
    Pair("拆封后还能退货吗", "拆封了还能退货吗"),
    Pair("账号怎么注册", "怎么注册账号"),
    Pair("礼品卡能转让吗", "礼品卡可以转让吗"),
    Pair("空调安装怎么预约", "空调怎么预约安装"),
    Pair("消息通知怎么打开", "怎么打开消息通知"),
    Pair("能不能开电子发票", "可以开电子发票吗"),
    Pair("早上几点钟开门", "早上几点开门"),
    Pair("延保怎么购买", "怎么购买延保"),
    Pair("周末送不送货", "周末送货吗"),
    Pair("生日当天有没有优惠", "生日当天有优惠吗"),
    Pair("换货的运费谁出", "换货需要自己付运费吗"),
    Pair("how to enable notifications", "how do I enable notifications"),
    Pair("can I return items within 30 days", "can I return an item within 30 days"),
)
