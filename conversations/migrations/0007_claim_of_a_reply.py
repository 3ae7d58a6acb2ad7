from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("conversations", "0006_reply_queued_at"),
    ]

    operations = [
        migrations.AddField(
            model_name="message",
            name="ended_by",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=40),
        ),
        migrations.AddField(
            model_name="reply",
            name="claim",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=40),
        ),
        migrations.AddField(
            model_name="reply",
            name="begun_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
    ]
