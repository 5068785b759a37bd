"""Servers that stand in for outside services in development, demo and tests.

Nothing here knows the product, and the product knows nothing of what is here but its address.
"""
