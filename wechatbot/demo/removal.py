"""Find the demo shop in a database, and take it out again.

Its rows are known by what they say, so that it is found in a database of any age. What an editor
has changed since is theirs: it is named, and stays unless it is asked for too. The login `admin`
stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.contrib.auth.hashers import check_password
from django.db import transaction

from knowledge.exchange import csv_file
from knowledge.exchange.faqs import FAQResource
from knowledge.exchange.row_checks import YES, split_phrasings
from knowledge.models import FAQ, Category
from knowledge.terms import wording
from knowledge.versions import knowledge_changed
from tickets.models import Agent
from tickets.services import give_back
from wechatbot.demo import shop


@dataclass(frozen=True)
class Demo:
    """What of the demo shop is in the database."""

    faqs: tuple[FAQ, ...]
    changed_faqs: tuple[FAQ, ...]
    agents: tuple[Agent, ...]
    changed_agents: tuple[Agent, ...]

    @property
    def is_there(self) -> bool:
        """Rows that somebody changed are that somebody's own."""
        return bool(self.faqs or self.agents)

    @property
    def has_changed_rows(self) -> bool:
        return bool(self.changed_faqs or self.changed_agents)


def find(*, with_passwords: bool = False) -> Demo:
    """`with_passwords`: an agent who got another password is a changed one too. That takes a while
    to see.
    """
    faqs, changed_faqs = _find_faqs()
    agents, changed_agents = _find_agents(with_passwords=with_passwords)
    return Demo(faqs, changed_faqs, agents, changed_agents)


def remove(demo: Demo, *, changed_too: bool = False) -> None:
    faqs, agents = demo.faqs, demo.agents
    if changed_too:
        faqs, agents = faqs + demo.changed_faqs, agents + demo.changed_agents
    for agent in agents:
        for ticket in agent.tickets.filter(open_for__isnull=False).select_related("conversation"):
            give_back(ticket)
    with transaction.atomic():
        FAQ.objects.filter(pk__in=[faq.pk for faq in faqs]).delete()
        names = {row["category"] for row in _rows_of_file().values()}
        Category.objects.filter(name__in=names, faq__isnull=True).delete()
        for agent in agents:
            agent.user.delete()
        knowledge_changed()


def _find_faqs() -> tuple[tuple[FAQ, ...], tuple[FAQ, ...]]:
    rows = _rows_of_file()
    found = FAQResource().get_queryset().filter(question__in=rows)
    as_loaded: list[FAQ] = []
    changed: list[FAQ] = []
    for faq in found:
        row = rows.get(faq.question)
        # A database that takes A for a finds more than was asked for.
        if row is not None:
            (as_loaded if _says(faq) == _meant(row) else changed).append(faq)
    return tuple(as_loaded), tuple(changed)


def _rows_of_file() -> dict[str, Mapping[str, str]]:
    dataset = csv_file.read(shop.FAQS.read_text(encoding="utf-8-sig"))
    return {row["question"]: row for row in dataset.dict}


def _says(faq: FAQ) -> tuple[object, ...]:
    category = faq.category.name if faq.category else ""
    return category, faq.answer, {phrasing.text for phrasing in faq.phrasings.all()}, faq.enabled


def _meant(row: Mapping[str, str]) -> tuple[object, ...]:
    """What an import of the row has stored: a phrasing that says the question again is left out."""
    question = wording(row["question"])
    phrasings = {text for text in split_phrasings(row["phrasings"]) if wording(text) != question}
    return row["category"], row["answer"], phrasings, row["enabled"].lower() in YES


def _find_agents(*, with_passwords: bool) -> tuple[tuple[Agent, ...], tuple[Agent, ...]]:
    found = Agent.objects.filter(user__username__in=shop.AGENTS).select_related("user")
    as_loaded: list[Agent] = []
    changed: list[Agent] = []
    for agent in found:
        is_changed = _has_other_words(agent) or (with_passwords and _has_other_password(agent))
        (changed if is_changed else as_loaded).append(agent)
    return tuple(as_loaded), tuple(changed)


def _has_other_words(agent: Agent) -> bool:
    user = agent.user
    shown = shop.AGENTS.get(user.username)
    names = {agent.display_name, user.first_name}
    return names != {shown} or bool(user.last_name or user.email or user.is_superuser)


def _has_other_password(agent: Agent) -> bool:
    try:
        given = shop.agent_password_file(agent.user.username).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return False  # Not of this machine: nobody can tell.
    return not check_password(given, agent.user.password)
