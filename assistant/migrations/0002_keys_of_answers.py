from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("assistant", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="answerlog",
            name="account_id",
            field=models.BigIntegerField(null=True, verbose_name="公众号"),
        ),
        migrations.AddField(
            model_name="answerlog",
            name="conversation_id",
            field=models.BigIntegerField(null=True, verbose_name="会话"),
        ),
        migrations.AddField(
            model_name="answerlog",
            name="message_id",
            field=models.BigIntegerField(db_index=True, null=True, verbose_name="消息"),
        ),
        migrations.AddIndex(
            model_name="answerlog",
            index=models.Index(
                fields=["conversation_id", "created_at"], name="answer_by_conversation"
            ),
        ),
    ]
