"""Secrets of the installation: one family of keys, one purpose each.

`PORTEVOIX_SECRET_KEY` may hold several keys, newest first: everything is written with the
newest and read with any. Each purpose gets its own key by HKDF, so a leaked signature key
opens no stored secret.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_keys: tuple[str, ...] = ()


class CannotDecrypt(Exception):
    """The stored secret was written with a key that is no longer configured."""


def start(keys: tuple[str, ...]) -> None:
    """Adopt the installation's keys, newest first."""
    global _keys
    if not keys:
        raise ValueError("at least one secret key is needed")
    _keys = keys
    _derive.cache_clear()


@lru_cache(maxsize=256)
def _derive(key: str, purpose: str) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=purpose.encode()).derive(key.encode())


def key_for(purpose: str) -> bytes:
    """The newest key for one purpose, 32 bytes."""
    return _derive(_keys[0], purpose)


def keys_for(purpose: str) -> list[bytes]:
    """Every configured key for one purpose, newest first (as itsdangerous wants them reversed)."""
    return [_derive(key, purpose) for key in _keys]


def stable_key(purpose: str) -> bytes:
    """The oldest key's, for fingerprints that must stay comparable while keys are rotated."""
    return _derive(_keys[-1], purpose)


def _box(purpose: str) -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(k)) for k in keys_for(purpose)])


def encrypt(text: str, purpose: str = "stored-secret") -> str:
    """`text` as a token that only this installation can read."""
    return _box(purpose).encrypt(text.encode()).decode()


def decrypt(token: str, purpose: str = "stored-secret") -> str:
    """The text of a token. Raises `CannotDecrypt` when no configured key fits."""
    try:
        return _box(purpose).decrypt(token.encode()).decode()
    except InvalidToken as error:
        raise CannotDecrypt from error


def fingerprint(value: str, purpose: str) -> str:
    """A keyed hash (HMAC-SHA-256, hex): comparable, never reversible without the key."""
    return hmac.new(stable_key(purpose), value.encode(), hashlib.sha256).hexdigest()


def token_hash(token: str) -> str:
    """SHA-256 of a random token of at least 128 bits; such a token needs no salt."""
    return hashlib.sha256(token.encode()).hexdigest()
