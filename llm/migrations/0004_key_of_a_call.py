from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("llm", "0003_shorter_first_token"),
    ]

    operations = [
        migrations.AddField(
            model_name="modelcall",
            name="key",
            field=models.CharField(
                blank=True,
                db_default="",
                db_index=True,
                default="",
                max_length=64,
                verbose_name="来源标识",
            ),
        ),
        migrations.AlterField(
            model_name="modelcall",
            name="session_id",
            field=models.CharField(
                blank=True, db_default="", default="", editable=False, max_length=64
            ),
        ),
    ]
