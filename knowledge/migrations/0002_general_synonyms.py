"""The general synonym rules that every installation starts with. Theirs to edit afterwards."""

from django.db import migrations

from knowledge.synonyms import SHIPPED


def add_rules(apps, schema_editor):
    rules = apps.get_model("knowledge", "SynonymRule").objects.using(schema_editor.connection.alias)
    known = set(rules.values_list("words", flat=True))
    for words in SHIPPED:
        if words not in known:
            rules.create(words=words)


def remove_rules(apps, schema_editor):
    rules = apps.get_model("knowledge", "SynonymRule").objects.using(schema_editor.connection.alias)
    rules.filter(words__in=SHIPPED).delete()


class Migration(migrations.Migration):
    dependencies = [("knowledge", "0001_initial")]

    operations = [migrations.RunPython(add_rules, remove_rules)]
