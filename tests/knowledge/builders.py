"""Rows of the knowledge base, and a Redis that is not there."""

from __future__ import annotations

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from knowledge.models import FAQ, Phrasing


def make_faq(question: str, *phrasings: str, answer: str = "", enabled: bool = True) -> FAQ:
    faq = FAQ.objects.create(
        question=question, answer=answer or f"{question}的答案", enabled=enabled
    )
    Phrasing.objects.bulk_create(Phrasing(faq=faq, text=text) for text in phrasings)
    return faq


def absent_redis() -> Redis:
    return Redis(unix_socket_path="/nowhere/redis.sock", retry=Retry(NoBackoff(), 0))
