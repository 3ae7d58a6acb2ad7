"""The sample that most WeChat bots in Python grew from: Flask and wechatpy, everything inside the
view.

As it stands it echoes. With MODEL_URL it asks a language model in the view, as the many "ChatGPT in
WeChat" posts do.
"""

from __future__ import annotations

import os

import requests
from flask import Flask, abort, request
from wechatpy import create_reply, parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidAppIdException, InvalidSignatureException
from wechatpy.utils import check_signature

from benchmarks.account import AES_KEY, APP_IDS, TOKEN

MODEL_URL = os.environ.get("MODEL_URL", "")
app = Flask(__name__)


@app.route("/wechat/<kind>", methods=["POST"])
def wechat(kind: str) -> str:
    timestamp, nonce = request.args.get("timestamp", ""), request.args.get("nonce", "")
    crypto = WeChatCrypto(TOKEN, AES_KEY, APP_IDS[kind])
    try:
        check_signature(TOKEN, request.args.get("signature", ""), timestamp, nonce)
        xml = crypto.decrypt_message(
            request.data, request.args.get("msg_signature", ""), timestamp, nonce
        )
    except (InvalidSignatureException, InvalidAppIdException):
        abort(403)
    message = parse_message(xml)
    text = answer(message.content) if MODEL_URL else message.content
    return crypto.encrypt_message(create_reply(text, message).render(), nonce, timestamp)


def answer(question: str) -> str:
    said = {"model": "fake", "messages": [{"role": "user", "content": question}]}
    completion = requests.post(f"{MODEL_URL}/chat/completions", json=said, timeout=60).json()
    return str(completion["choices"][0]["message"]["content"])


if __name__ == "__main__":
    # Flask's own server: a thread for every connection, as many as come.
    app.run(port=int(os.environ["PORT"]), threaded=True)
