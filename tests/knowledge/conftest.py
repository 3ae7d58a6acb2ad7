from __future__ import annotations

import pytest

from tests.knowledge.builders import make_faq


@pytest.fixture
def shop(db: None) -> dict[str, int]:
    """A small knowledge base; the ids by question."""
    faqs = [
        make_faq("怎么退货", "不想要了能退吗", "退货流程"),
        make_faq("退款多久到账", "退的钱什么时候到"),
        make_faq("怎么开发票", "发票在哪里开"),
        make_faq("什么时候发货", "付款后多久发货"),
        make_faq("尺码怎么选", "我该穿多大码"),
        make_faq("how do I reset my password", "forgot password"),
        make_faq("where is my order", "track my package"),
        make_faq("门店在哪里", enabled=False),
    ]
    return {faq.question: faq.pk for faq in faqs}
