from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("conversations", "0005_request_of_a_message")]

    operations = [
        migrations.AddField(
            model_name="reply",
            name="queued_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
    ]
