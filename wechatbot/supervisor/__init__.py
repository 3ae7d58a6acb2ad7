"""`manage.py serve`: Redis, web and workers as children of one small process.

The process that supervises imports neither Django nor settings: it lives as long as the others and
should cost nothing. `manage.py serve` reads the settings, writes a `Plan` and turns into it.
"""
