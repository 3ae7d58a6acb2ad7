"""The web process around its application: bounds on connections, on requests at once, and the two
probes.
"""
