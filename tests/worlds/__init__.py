"""The outside world, played: WeChat and the language models. Nothing else in the tests plays them.

A server listens on a local port, so that what is tested includes the wire. A stub stands where the
product calls its own client, so that what is tested ends there. The poster is WeChat's other half:
it posts customers' messages to our callback.
"""
