"""What customers ask in a benchmark: a made-up shop of a thousand FAQs, and questions that only a
model can answer.
"""

from __future__ import annotations

from dataclasses import dataclass


def _words(text: str) -> list[str]:
    return text.split()


THINGS = _words("""
    电热水壶 空气炸锅 扫地机器人 蓝牙耳机 机械键盘 儿童书包 羊毛围巾 跑步鞋 瑜伽垫 保温杯 护眼台灯
    折叠雨伞 电动牙刷 乳胶枕头 登山背包 咖啡机 破壁机 投影仪 行车记录仪 智能门锁 婴儿推车
    宠物饮水机 颈部按摩仪 无线充电器 不粘炒锅 羽绒被 加湿器 筋膜枪 单反相机 路由器 拉杆箱 电子秤
    榨汁机 吹风机 挂烫机 烤箱 净水器 显示器 平板电脑 运动手表
""")
ASPECTS = _words("""
    怎么清洗 保修期多久 有几种颜色 可以退货吗 什么时候发货 多重 功率是多少 能带上飞机吗
    支持以旧换新吗 说明书在哪里下载 坏了怎么维修 配件哪里买 价格多少 有现货吗 可以开发票吗 怎么安装
    第一次使用要注意什么 噪音大不大 适合送礼吗 和上一代有什么区别 能用多少年 包装里有什么 产地是哪里
    支持货到付款吗 怎么联系售后
""")
WAYS_TO_ASK = ("{}", "请问{}", "你好，{}", "{}？", "想问一下{}")


@dataclass(frozen=True)
class Question:
    """A question, and the words by which its answer is known."""

    text: str
    expected: str


def faqs() -> list[tuple[str, str]]:
    pairs = [(thing, aspect) for thing in THINGS for aspect in ASPECTS]
    return [
        (f"{thing}{aspect}", _answer(number, thing)) for number, (thing, aspect) in enumerate(pairs)
    ]


def _answer(number: int, thing: str) -> str:
    return (
        f"关于{thing}的这个问题（编号{number:04d}）："
        "请打开商品页的「服务说明」，那里有完整的内容，也可以继续问我们。"
    )


def for_the_knowledge_base(count: int) -> list[Question]:
    known = faqs()
    asked = []
    for number in range(count):
        question, answer = known[number * 7 % len(known)]
        asked.append(Question(WAYS_TO_ASK[number % len(WAYS_TO_ASK)].format(question), answer))
    return asked


def for_the_model(count: int) -> list[Question]:
    """Each one different, so that no cache answers it. The fake model repeats the question."""
    texts = [
        f"上周三晚上下的单，尾号{number:05d}，快递员把盒子摔在楼道里，我妈妈签收时没敢拆，"
        "你们觉得我该先联系谁呢"
        for number in range(count)
    ]
    return [Question(text, text) for text in texts]
