"""Who wrote before this release is no new customer."""

from django.db import migrations
from django.db.models import F


def let_in_who_is_there(apps, schema_editor):
    customers = apps.get_model("conversations", "Customer").objects.using(schema_editor.connection.alias)
    customers.filter(let_in_at=None).update(let_in_at=F("created_at"))


class Migration(migrations.Migration):
    dependencies = [("conversations", "0002_customers_let_in")]

    operations = [migrations.RunPython(let_in_who_is_there, migrations.RunPython.noop)]
