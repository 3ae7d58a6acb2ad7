"""The one door to language models: asks them in order of position until one answers."""

from __future__ import annotations

import time
from collections.abc import Sequence

from django.db import connection

from llm import calls, catalogue, endpoint, payload, slots
from llm.breaker import Breaker
from llm.endpoint import Stopwatch
from llm.errors import Busy, CallFailed, ModelsBusy, ModelsDown, NoModel, ParametersRefused
from llm.models import LanguageModel, ModelCall
from llm.payload import Request
from llm.reading import Reply
from llm.turns import ChatTurn, Completion, Tool

_MAX_SESSION_ID = 64
_MAX_KEY = 64

breaker = Breaker()


def is_configured() -> bool:
    return bool(catalogue.enabled())


def complete(
    turns: Sequence[ChatTurn],
    *,
    session_id: str,
    key: str = "",
    tools: Sequence[Tool] = (),
    wait_for_slot: float = 0.0,
) -> Completion:
    """The first answer that a model gives. With `tools` a model is asked to call one of them
    instead of answering in text.

    `session_id` goes to the provider and says nothing about the customer. `key` goes to our log of
    calls and says whatever the caller wants to join it by.

    Each model is asked once: a failure means the next model, never the same one again (its HTTP
    session does not retry either). Where all slots are taken, `wait_for_slot` is how many seconds
    one may be waited for. Raises NoModel, ModelsBusy or ModelsDown.
    """
    request = Request(tuple(turns), session_id[:_MAX_SESSION_ID], tuple(tools), key[:_MAX_KEY])
    return _complete(catalogue.enabled(), request, wait_for_slot)


def try_model(model: LanguageModel) -> Completion:
    """One short call to this model alone, whatever its breaker says; CallFailed tells why not."""
    _leave_database()
    request = Request((ChatTurn("user", "你好"),), "test", key="test")
    tries: list[ModelCall] = []
    try:
        return _completion(model, _ask(model, request, tries))
    finally:
        calls.record(tries)


def _complete(models: Sequence[LanguageModel], request: Request, patience: float) -> Completion:
    if not models:
        raise NoModel("no language model is configured and enabled")
    _leave_database()
    tries: list[ModelCall] = []
    give_up_at = time.monotonic() + patience
    try:
        with slots.place_in_this_process(patience=patience):
            return _answer_when_free(models, request, tries, give_up_at)
    except ModelsBusy as error:
        if not tries:
            tries += [
                calls.failed(model, request.key, Stopwatch(), Busy(str(error))) for model in models
            ]
        raise
    finally:
        calls.record(tries)


def _leave_database() -> None:
    """A model thinks for seconds: nobody's rows stay locked meanwhile, and no connection waits for
    it.
    """
    if connection.in_atomic_block:
        raise RuntimeError("a language model must not be asked inside a database transaction")
    connection.close()


def _answer_when_free(
    models: Sequence[LanguageModel], request: Request, tries: list[ModelCall], give_up_at: float
) -> Completion:
    while True:
        try:
            return _first_answer(models, request, tries)
        except ModelsBusy:
            if time.monotonic() >= give_up_at or not slots.wait_for_slot():
                raise
        tries.clear()  # Nobody was asked: what is logged is the last look.


def _first_answer(
    models: Sequence[LanguageModel], request: Request, tries: list[ModelCall]
) -> Completion:
    failures: list[CallFailed] = []
    for model in models:
        try:
            return _completion(model, _ask_if_free(model, request, tries))
        except CallFailed as failure:
            failures.append(failure)
    told = "; ".join(f"{model}: {failure}" for model, failure in zip(models, failures, strict=True))
    raise (ModelsBusy if _were_just_busy(failures) else ModelsDown)(told)


def _were_just_busy(failures: Sequence[CallFailed]) -> bool:
    """Nobody failed now, and at least one model works but has no slot: trying again soon makes
    sense.
    """
    was_asked = any(failure.outcome not in calls.NOT_ASKED for failure in failures)
    return not was_asked and any(isinstance(failure, Busy) for failure in failures)


def _ask_if_free(model: LanguageModel, request: Request, tries: list[ModelCall]) -> Reply:
    """Ask, holding a slot, unless the model rests. The slot comes first: a trial call must not be
    won in vain.
    """
    watch = Stopwatch()
    try:
        with slots.slot(model):
            breaker.check(model.pk)
            return _ask(model, request, tries)
    except CallFailed as failure:
        if failure.outcome in calls.NOT_ASKED:
            tries.append(calls.failed(model, request.key, watch, failure))
        raise


def _ask(model: LanguageModel, request: Request, tries: list[ModelCall]) -> Reply:
    try:
        reply = _ask_with_what_it_takes(model, request, tries)
    except CallFailed as failure:
        if failure.speaks_against_model:
            breaker.note_failure(model.pk)
        raise
    breaker.note_success(model.pk)
    return reply


def _ask_with_what_it_takes(
    model: LanguageModel, request: Request, tries: list[ModelCall]
) -> Reply:
    """A 400 may mean an optional parameter that the endpoint does not know: once more without it,
    and remembered.
    """
    known = model.left_out
    refused = known
    is_guess = False
    while True:
        try:
            reply = _call(model, request, refused, tries)
        except ParametersRefused as refusal:
            more = payload.newly_refused(refusal.body, request, refused)
            if not more:
                raise
            refused |= more
            is_guess |= not payload.names(refusal.body, more)
            continue
        if refused != known:
            catalogue.remember_refused(model, refused, is_guess=is_guess)
        return reply


def _call(
    model: LanguageModel, request: Request, refused: frozenset[str], tries: list[ModelCall]
) -> Reply:
    watch = Stopwatch()
    try:
        reply = endpoint.ask(model, payload.body(request, model, refused), request.tools, watch)
    except CallFailed as failure:
        tries.append(calls.failed(model, request.key, watch, failure))
        raise
    tries.append(calls.succeeded(model, request.key, watch, reply))
    return reply


def _completion(model: LanguageModel, reply: Reply) -> Completion:
    return Completion(
        text=reply.text,
        calls=reply.calls,
        model_name=model.model,
        prompt_tokens=reply.prompt_tokens,
        completion_tokens=reply.completion_tokens,
        language_model_id=model.pk,
    )
