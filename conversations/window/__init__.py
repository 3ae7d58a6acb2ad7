"""The reply window: what WeChat still lets us send to a customer."""
