"""The proxy configuration that is shipped keeps no whole address in its log (rule I4)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

SAMPLE = Path("docs/proxy/nginx.conf").read_text()
CODE = re.sub(r"(?m)^\s*#.*$", "", SAMPLE)


def logged(address: str) -> str:
    """What the map makes of an address: the first pattern that fits, else its default."""
    [body] = re.findall(r"map \$remote_addr \$cut_address \{(.*?)\n\}", CODE, re.DOTALL)
    rules = re.findall(r'^\s*"?(default|~\*?[^"\s]+)"?\s+"([^"]*)";$', body, re.MULTILINE)
    assert len(rules) == body.count(";")
    for pattern, value in rules:
        if pattern == "default":
            continue
        flags = re.IGNORECASE if pattern.startswith("~*") else re.NOFLAG
        found = re.search(pattern.lstrip("~*").replace("(?<", "(?P<"), address, flags)
        if found:
            return value.replace("${", "{").format(**found.groupdict())
    return dict(rules)["default"]


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("203.0.113.77", "203.0.113.0"),
        ("::ffff:203.0.113.77", "203.0.113.0"),
        ("2001:db8:85a3:8d3:1319:8a2e:370:7348", "2001:db8:85a3::"),
        ("2001:DB8:85a3::7348", "2001:DB8:85a3::"),
        ("2001:db8::8a2e:370:7348", "2001:db8::"),
        ("fe80::1ff:fe23:4567:890a", "fe80::"),
        ("::1", "-"),
        ("unix:", "-"),
    ],
)
def test_the_sample_cuts_addresses(address: str, kept: str) -> None:
    assert logged(address) == kept


def test_its_log_names_neither_visitor_nor_page() -> None:
    [form] = re.findall(r"log_format portevoix (.*?);", CODE, re.DOTALL)
    assert "$cut_address" in form
    for variable in ("remote_addr", "forwarded", "request_uri", "$request ", "$uri", "args",
                     "http_", "remote_user", "cookie"):  # fmt: skip
        assert variable not in form
    assert set(re.findall(r"access_log ([^;]+);", CODE)) == {
        "off", "/var/log/nginx/portevoix.log portevoix",
    }  # fmt: skip
    assert CODE.count("server {") == CODE.count("access_log") == CODE.count("error_log")


def test_it_is_written_as_nginx_reads_it() -> None:
    """Braces close what they opened, and each line in between ends a directive or a block."""
    quoted = re.sub(r'"[^"\n]*"', '""', CODE)
    depth = 0
    for sign in re.sub(r"[^{}]", "", quoted):
        depth += 1 if sign == "{" else -1
        assert depth >= 0
    assert depth == 0
    lines = [line.strip() for line in quoted.splitlines() if line.strip()]
    continued = {i for i, line in enumerate(lines) if line.startswith("log_format")}
    assert all(line.endswith((";", "{", "}")) for i, line in enumerate(lines) if i not in continued)
