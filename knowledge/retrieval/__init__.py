"""Which entries of the knowledge base a question means. The door is `matching.match`."""
