"""Retrieval by shared characters and words, without a model."""
