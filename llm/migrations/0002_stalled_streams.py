from __future__ import annotations

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("llm", "0001_initial")]

    operations = [
        migrations.AlterField(
            model_name="languagemodel",
            name="first_token_timeout",
            field=models.FloatField(
                default=8, validators=[django.core.validators.MinValueValidator(0.1)], verbose_name="首字超时（秒）"
            ),
        ),
        migrations.AddField(
            model_name="languagemodel",
            name="between_tokens_timeout",
            field=models.FloatField(
                db_default=10,
                default=10,
                help_text="回答中途停顿超过这个时间，就改问下一个模型",
                validators=[django.core.validators.MinValueValidator(0.1)],
                verbose_name="字间超时（秒）",
            ),
        ),
        migrations.AddField(
            model_name="languagemodel",
            name="refused_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
    ]
