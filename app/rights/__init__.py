"""Rights over one's data, for every feature to call: the copy, the erasure, the erasure list.

What is kept about whom is declared in `personal_data`; pages stand in `app.privacy`.
"""

from flask import Flask

from app.rights.erasing import ADMIN, API, CANDIDATE_PAGE, LIST, SCIM, SELF, TIME, erase, reapply

__all__ = [
    "ADMIN", "API", "CANDIDATE_PAGE", "LIST", "SCIM", "SELF", "TIME", "erase", "reapply", "start",
]  # fmt: skip


def start(app: Flask) -> None:
    """Register the table and the handlers of facts."""
    from app.audit import personal as journal
    from app.rights import copy_links, handlers, models  # noqa: F401

    journal.declare()
    copy_links.declare()
