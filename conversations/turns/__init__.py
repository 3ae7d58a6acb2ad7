"""Turns: a customer's messages, attached to their conversation and claimed one at a time."""
