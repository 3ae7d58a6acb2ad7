"""The fake speaks the protocol as an independent client understands it."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from tests.worlds.model_server import ModelServer

ROOT = Path(__file__).resolve().parents[2]
ASK = [{"role": "user", "content": "怎么退货？"}]
TOOL = {
    "type": "function",
    "function": {
        "name": "cannot",
        "parameters": {"type": "object", "properties": {"known": {"type": "boolean"}}},
    },
}


@pytest.fixture
def client(first: ModelServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=first.url, api_key="sk-x", max_retries=0, timeout=20) as made:
        yield made


def test_it_streams_to_the_openai_client(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="m", messages=ASK, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == "第一个模型的回答。"
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].usage.completion_tokens == 7


def test_it_completes_for_the_openai_client(client: openai.OpenAI) -> None:
    completion = client.chat.completions.create(model="m", messages=ASK)
    assert completion.choices[0].message.content == "第一个模型的回答。"
    assert completion.usage.prompt_tokens == 5


def test_it_calls_a_tool_for_the_openai_client(client: openai.OpenAI, first: ModelServer) -> None:
    first.behave("tool")
    chunks = list(
        client.chat.completions.create(model="m", messages=ASK, stream=True, tools=[TOOL])
    )
    calls = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or []]
    assert calls[0].function.name == "cannot"
    assert json.loads("".join(call.function.arguments or "" for call in calls)) == {"known": False}


def test_it_refuses_as_the_openai_client_expects(client: openai.OpenAI, first: ModelServer) -> None:
    first.behave("429", "401")
    with pytest.raises(openai.RateLimitError, match="fake 429"):
        client.chat.completions.create(model="m", messages=ASK, stream=True)
    with pytest.raises(openai.AuthenticationError):
        client.chat.completions.create(model="m", messages=ASK, stream=True)


def test_it_behaves_as_the_model_name_says(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(model="behave:echo", messages=ASK, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == "怎么退货？"


def test_it_runs_as_a_process_steered_over_http() -> None:
    command = [sys.executable, "-m", "tests.worlds.model_server", "--port", "0", "--answer", "您好"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        url = process.stdout.readline().split()[-1]
        root = url.removesuffix("/v1")
        steer = urllib.request.Request(
            f"{root}/behave", json.dumps({"queue": ["500"]}).encode(), method="POST"
        )
        urllib.request.urlopen(steer).close()
        with openai.OpenAI(base_url=url, api_key="x", max_retries=0) as client:
            with pytest.raises(openai.InternalServerError):
                client.chat.completions.create(model="m", messages=ASK)
            assert (
                client.chat.completions.create(model="m", messages=ASK).choices[0].message.content
                == "您好"
            )
        with urllib.request.urlopen(f"{root}/stats") as answer:
            stats = json.load(answer)
        process.kill()
    assert stats["calls"] == 2
    assert stats["by_behaviour"] == {"500": 1, "answer": 1}
    assert stats["last"][0]["messages"] == ASK
