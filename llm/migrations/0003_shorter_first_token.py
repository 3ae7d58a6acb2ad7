from __future__ import annotations

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.utils import timezone

OLD_DEFAULT, NEW_DEFAULT = 15, 8


def follow_the_default(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Rows that nobody changed; and what was refused so far is kept for as long as what is refused today."""
    models = apps.get_model("llm", "LanguageModel").objects
    models.filter(first_token_timeout=OLD_DEFAULT).update(first_token_timeout=NEW_DEFAULT)
    models.filter(refused_at=None).update(refused_at=timezone.now())


class Migration(migrations.Migration):
    dependencies = [("llm", "0002_stalled_streams")]

    operations = [migrations.RunPython(follow_the_default, migrations.RunPython.noop, elidable=True)]
