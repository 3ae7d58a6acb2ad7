"""Replies: the texts that go to a customer, how they are written and how they are carried."""
