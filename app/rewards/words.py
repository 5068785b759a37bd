"""How a reward is shown: its pay class in words, and which drawing stands for it."""

from __future__ import annotations

import uuid

from flask_babel import gettext as _

# Several drawings for a class share its rewards out, so that a shelf does not repeat itself.
DRAWINGS = {
    "cash bonus": ("envelope",),
    "voucher": ("ticket",),
    "gift in kind": ("parcel", "cup"),
    "chance prize": ("draw",),
    "employer donation": ("trees",),
    "time or symbolic": ("table", "house"),
}


def drawing(pay_class: str, reward_id: uuid.UUID) -> str:
    """The drawing of a reward, the same at every look."""
    among = DRAWINGS.get(pay_class, ("parcel",))
    return among[reward_id.int % len(among)]


def pay_class_name(pay_class: str) -> str:
    """The class in the reader's language."""
    names: dict[str, str] = {
        "cash bonus": _("Cash bonus"),
        "voucher": _("Voucher"),
        "gift in kind": _("Gift in kind"),
        "chance prize": _("Prize of a draw"),
        "employer donation": _("Donation by the employer"),
        "time or symbolic": _("Time or a symbolic gift"),
    }
    return names.get(pay_class, pay_class)


def pay_note(pay_class: str) -> str:
    """The class and who decides. Anything had for points counts as taxable from the first
    euro until payroll says otherwise, so no class is ever called exempt (rule G1)."""
    return str(_("%(pay_class)s: taxable, payroll decides", pay_class=pay_class_name(pay_class)))


def status_name(status: str) -> str:
    """The state of a redemption in one word."""
    names: dict[str, str] = {
        "reserved": _("Reserved"),
        "fulfilled": _("Delivered"),
        "cancelled": _("Cancelled"),
    }
    return names.get(status, status)


def reason_name(reason: str) -> str:
    """Why a redemption was called off."""
    names: dict[str, str] = {
        "cancelled": _("No longer wanted"),
        "out-of-stock": _("It can no longer be had"),
        "mistake": _("It was a mistake"),
    }
    return names.get(reason, reason)
