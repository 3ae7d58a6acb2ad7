"""`make bench`: what a message costs and how long it takes, beside peers in the same run. See
README.md.
"""
