"""Fill the benchmark's database: `python -m benchmarks.prepare MODEL_URL` under the product's
environment.
"""

from __future__ import annotations

import sys

import django

django.setup()

from django.core.management import call_command  # noqa: E402

from benchmarks import account, shop  # noqa: E402
from knowledge import versions  # noqa: E402
from knowledge.models import FAQ  # noqa: E402
from llm.models import LanguageModel  # noqa: E402
from wechat import accounts  # noqa: E402
from wechat.models import OfficialAccount, ReplyMode  # noqa: E402

# A limit that an operator sets in the admin; 150 messages a second of 3 s each are 450 calls under
# way.
MODEL_MAX_IN_FLIGHT = 600


def main(model_url: str) -> None:
    call_command("prepare", verbosity=0)
    for mode, app_id in account.APP_IDS.items():
        OfficialAccount.objects.create(
            slug=mode,
            name=f"benchmark {mode}",
            app_id=app_id,
            app_secret=account.APP_SECRET,
            original_id=account.ORIGINAL_ID,
            token=account.TOKEN,
            aes_key=account.AES_KEY,
            reply_mode=mode,
            is_default=mode == ReplyMode.API,
        )
    accounts.changed()
    LanguageModel.objects.create(
        name="benchmark", base_url=model_url, model="fake", max_in_flight=MODEL_MAX_IN_FLIGHT
    )
    FAQ.objects.bulk_create(
        FAQ(question=question, answer=answer) for question, answer in shop.faqs()
    )
    versions.knowledge_changed()


if __name__ == "__main__":
    main(sys.argv[1])
