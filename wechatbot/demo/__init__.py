"""A small shop to try everything on: FAQs, an administrator, two agents."""
