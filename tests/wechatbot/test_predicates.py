"""The check that no function named as a question changes anything."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from scripts.predicates import writing_predicates

LEDGER = """
    def spend(customer_id):
        return run(f"UPDATE {CUSTOMER} SET sends = sends - 1 WHERE id = %s", customer_id)
"""


def blamed(**sources: str) -> list[str]:
    """The predicates that are named, of modules given by name and source."""
    files = [(name, Path(f"{name}.py"), dedent(source)) for name, source in sources.items()]
    return [line.split(": ", 1)[1].split()[0] for line in writing_predicates(files)]


@pytest.mark.parametrize(
    "body",
    [
        "reply.save()",
        "reply.state = 'sent'",
        "del reply.due_at",
        "reply.tries += 1",
        "seen.add(reply)",
        "redis().publish('wake', 1)",
        "Reply.objects.filter(pk=1).update(state='sent')",
        "cursor.execute('DELETE FROM reply')",
    ],
)
def test_it_names_a_predicate_that_writes(body: str) -> None:
    assert blamed(sending=f"def may_send(reply):\n    {body}\n    return True") == ["may_send"]


def test_it_names_one_that_sets_what_outlives_it() -> None:
    source = "def is_new():\n    global _seen\n    _seen = True\n    return True"
    assert blamed(sending=source) == ["is_new"]


def test_it_follows_what_is_called_into_other_modules() -> None:
    say = "from sending import ledger\ndef _may_be_sent(reply):\n    return ledger.spend(reply.pk)"
    assert blamed(**{"sending.ledger": LEDGER, "sending.say": say}) == ["_may_be_sent"]


def test_it_follows_a_name_that_a_package_hands_on() -> None:
    package = "from sending.ledger import spend"
    say = "import sending\ndef has_spent(reply):\n    return sending.spend(reply.pk)"
    modules = {"sending.ledger": LEDGER, "sending": package, "say": say}
    assert blamed(**modules) == ["has_spent"]


def test_it_follows_methods() -> None:
    source = """
        class Place:
            def is_free(self):
                return self._take() > 0

            def _take(self):
                self._free -= 1
                return self._free
    """
    assert blamed(places=source) == ["Place.is_free"]


@pytest.mark.parametrize(
    "body",
    [
        "return reply.state == 'sent'",
        "found = {}\n    found['state'] = reply.state\n    return bool(found)",
        "names = set()\n    names.add(reply.pk)\n    return len(names) > 1",
        "return bool(run('SELECT 1 FROM reply WHERE id = %s', reply.pk))",
    ],
)
def test_it_names_none_that_only_looks(body: str) -> None:
    assert blamed(sending=f"def may_send(reply):\n    {body}") == []


def test_actions_may_write() -> None:
    assert blamed(sending="def reserve_send(reply):\n    reply.save()\n    return True") == []
