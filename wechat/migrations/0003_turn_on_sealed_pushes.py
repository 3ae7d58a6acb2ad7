"""From here on accounts with an AES key take sealed pushes only. Without a key the field does nothing.

A key before the present one expires some hours from now: nobody noted when it was replaced.
"""

from django.db import migrations
from django.utils import timezone


def turn_on(apps, schema_editor):
    accounts = apps.get_model("wechat", "OfficialAccount").objects.using(schema_editor.connection.alias)
    accounts.update(encrypted_only=True)
    accounts.filter(aes_key_replaced_at=None).exclude(previous_aes_key="").update(
        aes_key_replaced_at=timezone.now()
    )


class Migration(migrations.Migration):
    dependencies = [("wechat", "0002_sealed_pushes")]

    operations = [migrations.RunPython(turn_on, migrations.RunPython.noop)]
