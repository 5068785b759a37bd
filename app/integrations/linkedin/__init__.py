"""LinkedIn: everything that talks to it, and nothing else.

The facts come from our reference on LinkedIn (autumn 2026), whose sections the docstrings
name. No database, no request of ours: callers hand over tokens and texts and keep what
comes back. A token never enters a log line, an exception or a `repr`.
"""
