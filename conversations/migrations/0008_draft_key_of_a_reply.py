from django.db import migrations, models

import conversations.fields


class Migration(migrations.Migration):

    dependencies = [
        ("conversations", "0007_claim_of_a_reply"),
    ]

    operations = [
        migrations.AddField(
            model_name="reply",
            name="draft_key",
            field=conversations.fields.IdField(editable=False, max_length=32, null=True),
        ),
        migrations.AddConstraint(
            model_name="reply",
            constraint=models.UniqueConstraint(
                fields=("draft_key", "part"), name="one_set_of_parts_per_draft"
            ),
        ),
    ]
