"""A page whose form is filled in again with what somebody had typed.

The page is made as always, then its form is found by where it goes and the names it holds, so
no view and no template needs to know that a form may come back, and no script is needed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from urllib.parse import urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

Fields = list[tuple[str, str]]

_LEFT_ALONE = frozenset({"password", "file", "submit", "image", "reset", "button"})
_TICKED = frozenset({"checkbox", "radio"})
CSRF_FIELD = "csrf_token"


@dataclass(frozen=True, slots=True)
class Refilled:
    """The page again, and the identifier of the form, or of its first field ('' without one)."""

    html: str
    anchor: str


def refill(page: str, here: str, action: str, fields: Fields) -> Refilled | None:
    """`page` (found at the path `here`) with the form that goes to the path `action` filled in.

    None where no form on the page goes there and holds any of the fields.
    """
    tree = LexborHTMLParser(page)
    names = {name for name, _value in fields}
    forms = [form for form in tree.css("form") if action in _targets(form, here)]
    form = max(forms, key=lambda one: _likeness(one, names, fields), default=None)
    if form is None or (fields and not _likeness(form, names, fields)):
        return None
    _fill(_controls(tree, form), fields)
    return Refilled(tree.html or page, _anchor(form))


def _targets(form: LexborNode, here: str) -> set[str]:
    """The paths that a form's buttons send it to."""
    found = {urlsplit(form.attributes.get("action") or here).path}
    buttons = form.css("[formaction]")
    return found | {urlsplit(button.attributes.get("formaction") or "").path for button in buttons}


def _likeness(form: LexborNode, names: set[str], fields: Fields) -> int:
    """How much of what was typed has a place in a form; what it carries unseen tells two forms
    for the same purpose apart."""
    held = {control.attributes.get("name") for control in form.css("[name]")}
    hidden = {
        (control.attributes.get("name"), control.attributes.get("value"))
        for control in form.css("input[type=hidden][name]")
    }
    return len(held & names) + len(hidden & set(fields))


def _controls(tree: LexborHTMLParser, form: LexborNode) -> list[LexborNode]:
    own = "input[name], textarea[name], select[name]"
    found = form.css(own)
    if name := form.attributes.get("id"):
        found += [n for n in tree.css(own) if n.attributes.get("form") == name]
    return found


def _fill(controls: Iterable[LexborNode], fields: Fields) -> None:
    waiting: dict[str, list[str]] = defaultdict(list)
    for name, value in fields:
        waiting[name].append(value)
    for control in controls:
        kind = (control.attributes.get("type") or "text").lower()
        name = control.attributes.get("name") or ""
        if name == CSRF_FIELD or (control.tag == "input" and kind in _LEFT_ALONE):
            continue
        if control.tag == "input" and kind in _TICKED:
            _mark(control, "checked", (control.attributes.get("value") or "on") in waiting[name])
        elif control.tag == "select":
            _choose(control, waiting[name])
        elif waiting[name]:
            _write(control, waiting[name].pop(0))


def _mark(node: LexborNode, attribute: str, is_on: bool) -> None:
    if is_on:
        node.attrs[attribute] = ""
        _open_around(node)
    elif attribute in node.attributes:
        del node.attrs[attribute]


def _choose(control: LexborNode, values: list[str]) -> None:
    options = control.css("option")
    meant = [o.attributes.get("value", o.text()) or "" for o in options]
    if not set(meant) & set(values):
        return
    for option, value in zip(options, meant, strict=True):
        _mark(option, "selected", value in values)


def _write(control: LexborNode, value: str) -> None:
    if control.tag == "textarea":
        # The first line break of a text area is not part of it.
        control.inner_html = "\n" + escape(value, quote=False)
    else:
        control.attrs["value"] = value
    if value:
        _open_around(control)


def _open_around(node: LexborNode) -> None:
    """What was typed must be seen: the folds that hold it are opened."""
    if node.tag == "input" and node.attributes.get("type") == "hidden":
        return
    parent = node.parent
    while parent is not None:
        if parent.tag == "details":
            parent.attrs["open"] = ""
        parent = parent.parent


def _anchor(form: LexborNode) -> str:
    if name := form.attributes.get("id"):
        return name
    for control in form.css("input[id]:not([type=hidden]), textarea[id], select[id]"):
        return control.attributes.get("id") or ""
    return ""
