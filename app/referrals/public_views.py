"""Every page that is read without an account, on one blueprint."""

from app.referrals import candidate_pages, copy_pages, offer_pages  # noqa: F401  (they add their routes)
from app.referrals.public_frame import public

__all__ = ["public"]
