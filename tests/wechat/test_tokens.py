from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from common.redis import redis
from tests.worlds.api_server import Answer, ApiServer
from wechat import errors, tokens
from wechat.client import WeChatAPI
from wechat.models import OfficialAccount
from wechat.tokens import Token, TokenSource

OPENID = "oia2TjjewbmiOUlr6X-1crbLOvLw"
APP_ID = "wx1234567890abcdef"
KEY = f"wechat:token:{APP_ID}"
FORCED_KEY = f"wechat:token:forced:{APP_ID}"


def api(app_id: str = APP_ID) -> WeChatAPI:
    return WeChatAPI(OfficialAccount(slug="shop", app_id=app_id, app_secret="the-secret"))


@pytest.fixture
def no_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise RedisConnectionError("no Redis")

    monkeypatch.setattr(tokens, "redis", away)


def together(work: Callable[[int], object], many: int) -> list[object]:
    """Run `work` on so many threads that begin at the same moment."""
    gate = threading.Barrier(many)

    def run(number: int) -> object:
        gate.wait()
        return work(number)

    with ThreadPoolExecutor(many) as pool:
        return list(pool.map(run, range(many)))


# --- One token for all --------------------------------------------------------------------------


def test_it_asks_for_a_stable_token_without_force(wechat: ApiServer) -> None:
    assert api().access_token == "token-1"
    assert wechat.token_calls == [
        {
            "grant_type": "client_credential",
            "appid": APP_ID,
            "secret": "the-secret",
            "force_refresh": False,
        }
    ]


def test_the_token_is_taken_once_and_kept_in_redis(wechat: ApiServer) -> None:
    for _ in range(3):
        api().send_text(OPENID, "您好")
    assert len(wechat.token_calls) == 1
    assert redis().get(KEY) == b"token-1"
    assert 6600 < redis().ttl(KEY) <= 6900


def test_a_token_that_another_process_took_is_used(wechat: ApiServer) -> None:
    redis().set(KEY, "token-of-another")
    assert api().access_token == "token-of-another"
    assert wechat.token_calls == []


def test_a_token_near_its_end_is_kept_for_a_moment_only(wechat: ApiServer) -> None:
    wechat.expires_in = 120
    assert api().access_token == "token-1"
    assert 0 < redis().ttl(KEY) <= 30


def test_two_accounts_have_two_tokens(wechat: ApiServer) -> None:
    assert api().access_token == api("wx_other").access_token == "token-1"
    assert [call["appid"] for call in wechat.token_calls] == [APP_ID, "wx_other"]


def test_of_many_threads_one_takes_the_token(wechat: ApiServer) -> None:
    clients = [api(), api()]
    assert set(together(lambda number: clients[number % 2].access_token, 12)) == {"token-1"}
    assert len(wechat.token_calls) == 1


def test_of_many_processes_one_takes_the_token() -> None:
    """Each source has a memory and a lock of its own, as in another process:
    only Redis is shared.
    """
    taken: list[str] = []

    def source(number: int) -> TokenSource:
        def fetch(force: bool) -> Token:
            taken.append(f"{number}")
            return Token(f"token-of-{number}", 7200)

        one = TokenSource(APP_ID, fetch)
        one._here = tokens._Here(threading.Lock())
        return one

    sources = [source(number) for number in range(6)]
    found = together(lambda number: sources[number].current(), 6)
    assert len(taken) == 1
    assert set(found) == {f"token-of-{taken[0]}"}


def test_a_lock_left_by_a_dead_process_runs_out() -> None:
    assert redis().lock(f"wechat:token:lock:{APP_ID}", timeout=0.2).acquire()
    assert TokenSource(APP_ID, lambda force: Token("token-1", 7200)).current() == "token-1"


def test_a_lock_that_is_never_free_is_an_error_worth_another_try(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tokens, "LOCK_SECONDS", 0.2)
    assert redis().lock(f"wechat:token:lock:{APP_ID}", timeout=60).acquire()
    with pytest.raises(errors.WeChatUnreachable):
        TokenSource(APP_ID, lambda force: Token("token-1", 7200)).current()


# --- A refused token ----------------------------------------------------------------------------


def forced(wechat: ApiServer) -> list[bool]:
    return [call["force_refresh"] for call in wechat.token_calls]


@pytest.mark.parametrize("code", [40001, 40014, 42001])
def test_a_refused_token_that_wechat_still_gives_out_is_renewed_by_force_once(
    wechat: ApiServer, code: int
) -> None:
    wechat.answers.append({"errcode": code, "errmsg": "invalid credential"})
    api().send_text(OPENID, "您好")
    assert [call.token for call in wechat.tried] == ["token-1", "token-2"]
    assert forced(wechat) == [False, False, True]
    assert redis().get(KEY) == b"token-2"


def test_a_refused_token_that_is_only_old_is_asked_for_in_the_ordinary_way(
    wechat: ApiServer,
) -> None:
    wechat.refused = {"token-old"}
    redis().set(KEY, "token-old")
    api().send_text(OPENID, "您好")
    assert [call.token for call in wechat.tried] == ["token-old", "token-1"]
    assert forced(wechat) == [False]
    assert not redis().exists(FORCED_KEY)


def test_an_old_token_whose_successor_is_refused_too_is_renewed_by_force(
    wechat: ApiServer,
) -> None:
    wechat.refused = {"token-old", "token-1"}
    redis().set(KEY, "token-old")
    api().send_text(OPENID, "您好")
    assert [call.token for call in wechat.tried] == ["token-old", "token-1", "token-2"]
    assert forced(wechat) == [False, False, True]


def test_of_many_threads_with_a_refused_token_one_renews_it(wechat: ApiServer) -> None:
    assert api().access_token == "token-1"
    wechat.refused = {"token-1"}
    clients = [api(), api()]
    together(lambda number: clients[number % 2].send_text(OPENID, f"第 {number} 条"), 12)
    assert forced(wechat) == [False, False, True]
    delivered = [call.json["text"]["content"] for call in wechat.tried if call.token == "token-2"]
    assert sorted(delivered) == sorted(f"第 {number} 条" for number in range(12))


def test_a_token_that_another_process_renewed_is_used_without_force(wechat: ApiServer) -> None:
    source = TokenSource(APP_ID, lambda force: pytest.fail("nobody should ask WeChat"))
    redis().set(KEY, "token-new")
    assert source.renew(refused="token-old") == "token-new"


def test_a_token_refused_again_is_an_error_that_says_when_force_is_free(wechat: ApiServer) -> None:
    wechat.refused = {"token-1", "token-2", "token-3"}
    for _ in range(2):
        with pytest.raises(errors.TokenTooSoon) as raised:
            api().send_text(OPENID, "您好")
        assert 0 < raised.value.wait_seconds <= 30
        assert not raised.value.counts_as_try
    assert forced(wechat).count(True) == 1


def test_after_a_while_a_refused_token_is_renewed_by_force_again(wechat: ApiServer) -> None:
    wechat.refused = {"token-1", "token-2"}
    with pytest.raises(errors.TokenRefused):
        api().send_text(OPENID, "您好")
    redis().delete(FORCED_KEY)  # What Redis does by itself after 30 s.
    api().send_text(OPENID, "您好")
    assert wechat.tried[-1].token == "token-3"


def test_twenty_tokens_are_forced_a_day_by_all_processes_together(wechat: ApiServer) -> None:
    """A process starts with nothing in its memory: what counts is in Redis."""
    wechat.refused = {f"token-{number}" for number in range(1, 40)}
    for _ in range(20):
        with pytest.raises(errors.TokenTooSoon):
            api().send_text(OPENID, "您好")
        redis().delete(FORCED_KEY)
        tokens.forget()
    with pytest.raises(errors.TokenRefused) as raised:
        api().send_text(OPENID, "您好")
    assert forced(wechat).count(True) == 20
    assert raised.value.counts_as_try


def test_a_forced_call_without_an_answer_counts(wechat: ApiServer) -> None:
    wechat.refused = {"token-1"}
    assert api().access_token == "token-1"
    wechat.token_answers.extend([{"access_token": "token-1", "expires_in": 7200}, (502, b"")])
    with pytest.raises(errors.WeChatUnreachable):
        api().send_text(OPENID, "您好")
    tokens._here[APP_ID].failed_at -= tokens.FAILURE_PAUSE
    with pytest.raises(errors.TokenTooSoon):
        api().send_text(OPENID, "您好")
    assert forced(wechat).count(True) == 1


# --- When WeChat gives none ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"errcode": 40125, "errmsg": "invalid appsecret"}, errors.WrongKeys),
        ({"errcode": 40164, "errmsg": "invalid ip 1.2.3.4"}, errors.IpNotAllowed),
        ({"errcode": 45009, "errmsg": "reach max api daily quota limit"}, errors.DailyCallsUsedUp),
        ({}, errors.WeChatUnreachable),
        ({"access_token": "", "expires_in": 7200}, errors.WeChatUnreachable),
        ({"access_token": "t", "expires_in": "soon"}, errors.WeChatUnreachable),
        ((200, b"<html>"), errors.WeChatUnreachable),
        ((502, b""), errors.WeChatUnreachable),
    ],
)
def test_without_a_token_nothing_is_sent(
    wechat: ApiServer, answer: Answer, error: type[errors.WeChatError]
) -> None:
    wechat.token_answers.append(answer)
    with pytest.raises(error):
        api().send_text(OPENID, "您好")
    assert wechat.tried == []


def test_those_who_waited_for_the_same_token_do_not_ask_again_at_once(wechat: ApiServer) -> None:
    wechat.token_answers.extend([{"errcode": 40125, "errmsg": "invalid appsecret"}] * 8)

    def ask(number: int) -> None:
        with pytest.raises(errors.WrongKeys):
            api().send_text(OPENID, "您好")

    together(ask, 8)
    assert len(wechat.token_calls) == 1


def test_after_a_failure_it_asks_again(wechat: ApiServer) -> None:
    wechat.token_answers.append({"errcode": -1, "errmsg": "system error"})
    with pytest.raises(errors.WeChatBusy):
        api().send_text(OPENID, "您好")
    tokens._here[APP_ID].failed_at -= tokens.FAILURE_PAUSE
    api().send_text(OPENID, "您好")
    assert len(wechat.tried) == 1


def test_new_keys_end_a_failure_and_a_token(wechat: ApiServer) -> None:
    wechat.token_answers.append({"errcode": 40125, "errmsg": "invalid appsecret"})
    with pytest.raises(errors.WrongKeys):
        api().send_text(OPENID, "您好")
    redis().set(KEY, "token-of-the-old-keys")
    tokens.drop_token(APP_ID)
    assert api().access_token == "token-1"


# --- Without Redis ------------------------------------------------------------------------------


@pytest.mark.usefixtures("no_redis")
def test_without_redis_each_process_keeps_the_token_itself(wechat: ApiServer) -> None:
    for _ in range(3):
        api().send_text(OPENID, "您好")
    assert len(wechat.token_calls) == 1


@pytest.mark.usefixtures("no_redis")
def test_without_redis_a_refused_token_is_renewed_by_force_once(wechat: ApiServer) -> None:
    wechat.refused = {"token-1", "token-2"}
    for _ in range(2):
        with pytest.raises(errors.TokenTooSoon):
            api().send_text(OPENID, "您好")
    assert forced(wechat).count(True) == 1


@pytest.mark.usefixtures("no_redis")
def test_without_redis_a_token_is_dropped_before_its_end(wechat: ApiServer) -> None:
    api().send_text(OPENID, "您好")
    tokens._here[APP_ID].keep_until -= 7200
    api().send_text(OPENID, "您好")
    assert len(wechat.token_calls) == 2
