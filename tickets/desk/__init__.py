"""The pages on which agents work: the queue and one ticket with its conversation."""
