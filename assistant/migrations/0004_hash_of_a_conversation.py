from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("assistant", "0003_keys_of_older_answers"),
    ]

    operations = [
        migrations.AlterField(
            model_name="answerlog",
            name="session_id",
            field=models.CharField(
                blank=True, db_default="", default="", editable=False, max_length=64
            ),
        ),
    ]
