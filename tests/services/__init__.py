"""Real servers for tests and benchmarks, private to whoever starts them: Redis, MariaDB, our own
processes.
"""
