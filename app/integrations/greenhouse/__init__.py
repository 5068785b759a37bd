"""Greenhouse: the public Job Board list, and the signed web hooks.

Facts come from the vendor's documentation repository (January 2026). Hooks name *jobs*,
the feed names *job posts*: both identifiers are kept everywhere.
"""
