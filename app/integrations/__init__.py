"""Partners: one folder each, reading what they send into the same few shapes.

Everything under here that reads is pure: bytes in, `postings.FeedReading` or
`events.AtsEvent` out, no database, no clock, no network. `registry.CONNECTORS` says what
exists; nothing here imports a feature above it. `linkedin/` is a client that also speaks,
`fetching.py` and `pages.py` read what strangers publish, behind a guard.
"""
