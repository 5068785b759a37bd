"""LinkedIn's little text: what is sent, what is cleaned, how long it is, where it folds.

The tables below were written before the code: they say what each text must become. What a
reader then sees is checked against the stand-in in `test_standin.py`.
"""

from __future__ import annotations

import re
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.integrations.linkedin.little import MAX_UNITS, clean, fold, units, write

RESERVED = "|{}@[]()<>#\\*_~"

# --- writing ---------------------------------------------------------------------------


@pytest.mark.parametrize("sign", RESERVED)
def test_it_escapes_each_reserved_sign_wherever_it_stands(sign: str) -> None:
    assert write(sign) == "\\" + sign
    assert write(f"a{sign}b {sign}") == f"a\\{sign}b \\{sign}"


@pytest.mark.parametrize("sign", "&\"'/:-+=%!?.,;`$^éß漢🙂\n\t ")
def test_it_leaves_every_other_sign_alone(sign: str) -> None:
    assert write(sign) == sign


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("", ""),
        ("Bonjour à tous", "Bonjour à tous"),
        ("This is a test. (This is also a test.)", r"This is a test. \(This is also a test.\)"),
        ("a\\b \\( c", r"a\\b \\\( c"),  # one pass: a typed backslash does not escape ours
        # hashtags
        ("#hiring", "#hiring"),
        ("On recrute #équipe #Nantes", "On recrute #équipe #Nantes"),
        ("#open_source #_privé", r"#open\_source #\_privé"),
        ("#5G #2026été", "#5G #2026été"),
        ("#1 et #2026", r"\#1 et \#2026"),
        ("#½ #Ⅻ #٣", r"\#½ \#Ⅻ \#٣"),
        ("#2024_ #_ #__1", r"\#2024\_ \#\_ \#\_\_1"),  # no letter, no hashtag
        ("#東京 #привет #Ωμέγα", "#東京 #привет #Ωμέγα"),
        ("a#b C# F#m", r"a\#b C\# F\#m"),
        ("a_#b", r"a\_\#b"),
        ("e\u0301#b", "e\u0301\\#b"),  # the accent belongs to the word before
        ("&#233; &#xe9; R&#D", r"&\#233; &\#xe9; R&\#D"),
        ("##tag #a#b", r"\##tag #a\#b"),
        ("(#tag) [#tag] #tag. #tag!", r"\(#tag\) \[#tag\] #tag. #tag!"),
        ("🎉#tag\n#tag", "🎉#tag\n#tag"),
        ("# tag #", r"\# tag \#"),
        ("#-tag #'x", r"\#-tag \#'x"),
        ("#\ufe0f\u20e3 *\ufe0f\u20e3", "\\#\ufe0f\u20e3 \\*\ufe0f\u20e3"),
        ("#a\\b", r"#a\\b"),
        # addresses: nothing in them is a hashtag
        ("https://a.example/x_y~z", r"https://a.example/x\_y\~z"),
        ("https://a.example/#top", r"https://a.example/\#top"),
        ("HTTPS://a.example/?q=(1)&r=[2]#x@y", r"HTTPS://a.example/?q=\(1\)&r=\[2\]\#x\@y"),
        ("www.a.example/#top", r"www.a.example/\#top"),
        ("offres.a.example/#top #top", r"offres.a.example/\#top #top"),
        ("(https://a.example/#top)", r"\(https://a.example/\#top\)"),
        ("#emploi/#stage", "#emploi/#stage"),
        ("et/ou #x", "et/ou #x"),
        # what somebody types that looks like an element is plain text
        ("@[Halvenne](urn:li:organization:1)", r"\@\[Halvenne\]\(urn:li:organization:1\)"),
        (r"{hashtag|\#|tag}", r"\{hashtag\|\\\#\|tag\}"),
        ("<b>*gras*</b>", r"\<b\>\*gras\*\</b\>"),
        ("vie@halvenne.example", r"vie\@halvenne.example"),
    ],
)
def test_it_writes_little_text(typed: str, sent: str) -> None:
    assert write(typed) == sent


@given(st.text(alphabet=st.sampled_from(RESERVED + "ab1é\u0301 \n/.:www&🙂")))
def test_it_can_be_read_back_and_bares_nothing_but_hashtags(text: str) -> None:
    sent = write(text)
    assert re.sub(r"\\(.)", r"\1", sent, flags=re.DOTALL) == text
    left = re.sub(r"\\.", "", sent, flags=re.DOTALL)
    assert not set(left) & (set(RESERVED) - {"#"})
    for bare in re.finditer(r"(\\.)|#", sent, flags=re.DOTALL):
        if bare[1] is None:
            assert re.match(r"#(\w|\\_)*[^\W\d_]", sent[bare.start() :])


def test_it_takes_letters_digits_and_the_low_line_for_word_signs_only() -> None:
    """The rule is written with Unicode categories; `\\w` is the same set in this Python."""
    word = re.compile(r"\w")
    for code in range(sys.maxunicode + 1):
        sign = chr(code)
        expected = sign == "_" or unicodedata.category(sign)[0] in "LN"
        assert bool(word.match(sign)) is expected, hex(code)


def test_it_writes_a_long_hostile_text_at_once() -> None:
    for piece in ("a.", "#", "#a", "\\", "www.", "https://", "a-.", "é_#"):
        text = piece * 20_000
        assert len(write(text)) >= len(text)


# --- cleaning --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        # lines
        ("a\r\nb\rc\nd", "a\nb\nc\nd"),
        ("a\n\n\n\nb", "a\n\n\n\nb"),
        ("a\u2028b\u2029c\x0bd\x0ce\x85f", "a\nb\nc\nd\ne\nf"),
        ("  \n a \t b \n\u00a0\u3000", "a \t b"),
        ("", ""),
        ("\u200b\ufeff", ""),
        # controls
        ("a\x00b\x01c\x1bd\x7fe\x9ff", "abcdef"),
        # invisible characters
        ("a\u200bb\u2060c\ufeffd\u180ee\u00adf", "abcdef"),
        ("a\u2061b\u2064c\u206ad\u206fe", "abcde"),
        ("a\ufff9b\ufffbc\ufffcd\uffffe\ufdd0f\U0001fffeg", "abcdefg"),
        ("a\u3164b\uffa0c", "abc"),
        ("a\U000e0080b\U000e0fffc", "abc"),
        # direction
        ("a\u202ab\u202ec\u2066d\u2069e", "abcde"),
        ("\u200fשלום\u200e ok \u061c!", "\u200fשלום\u200e ok \u061c!"),
        # tags
        ("a\U000e0041\U000e0042b\U000e0001\U000e007f", "ab"),
        (
            "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
            "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        ),
        ("🏴\U000e0067\U000e0062\U000e0065", "🏴"),
        ("🏴" + "\U000e0061" * 40 + "\U000e007f", "🏴"),
        ("🏴\u200b\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "🏴"),
        # halves of a pair
        ("a\ud83db\udc00c", "abc"),
        # kept: they make signs
        ("👩\u200d💻 ❤\ufe0f", "👩\u200d💻 ❤\ufe0f"),
        ("می\u200cخواهم क्\u200dष", "می\u200cخواهم क्\u200dष"),
        ("葛\U000e0100", "葛\U000e0100"),
        # kept: nothing is normalised
        ("e\u0301 é ﬁ Ａ \u212b", "e\u0301 é ﬁ Ａ \u212b"),
        ("24\u00a0h\u202f: \u2009x\u2800", "24\u00a0h\u202f: \u2009x\u2800"),
    ],
)
def test_it_cleans_what_was_typed(typed: str, kept: str) -> None:
    assert clean(typed) == kept


@given(st.text(alphabet=st.characters(), max_size=60))
def test_it_has_nothing_left_to_clean(text: str) -> None:
    assert clean(clean(text)) == clean(text)
    clean(text).encode("utf-8")


# --- counting --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 0), ("abc", 3), ("é", 1), ("e\u0301", 2), ("漢", 1), ("🙂", 2), ("👩\u200d💻", 5)],
)
def test_it_counts_utf_16_units(text: str, count: int) -> None:
    assert units(text) == count


def test_it_counts_up_to_the_documented_length() -> None:
    assert MAX_UNITS == 3000
    assert units("🙂" * 1500) == MAX_UNITS


# --- folding ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("", 210, ""),
        ("abc", 210, "abc"),
        ("a" * 210, 210, "a" * 210),
        ("a" * 211, 210, "a" * 210),
        ("abcdef", 3, "abc"),
        # two units each: a pair is never cut
        ("🙂🙂🙂", 3, "🙂"),
        ("🙂🙂🙂", 4, "🙂🙂"),
        # nor a letter from its accents, nor the parts of one sign
        ("abe\u0301f", 3, "ab"),
        ("ab\u0323\u0307c", 2, "a"),
        ("x❤\ufe0fy", 2, "x"),
        ("x👩\u200d💻y", 3, "x"),
        ("x👩\u200d💻y", 4, "x"),
        ("x👩\u200d💻y", 6, "x👩\u200d💻"),
        ("x👍\U0001f3fdy", 3, "x"),
        ("x🇫🇷🇧🇪", 3, "x"),
        ("x🇫🇷🇧🇪", 5, "x🇫🇷"),
        ("x🇫🇷🇧🇪", 7, "x🇫🇷"),
        ("x1\ufe0f\u20e3y", 3, "x"),
        ("x🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007fy", 5, "x"),
        ("می\u200cخواهم", 2, "م"),
        # one sign longer than the line is cut rather than never shown
        ("a" + "\u0301" * 50, 10, "a" + "\u0301" * 9),
        # after the third line break
        ("a\nb\nc", 210, "a\nb\nc"),
        ("a\nb\nc\n", 210, "a\nb\nc\n"),
        ("a\nb\nc\nd", 210, "a\nb\nc\n"),
        ("a\n\n\nd\ne", 210, "a\n\n\n"),
        ("a\nb\nc\nd", 3, "a\nb"),
    ],
)
def test_it_folds_where_the_feed_does(text: str, limit: int, shown: str) -> None:
    assert fold(text, limit) == (shown, text[len(shown) :])


@given(st.text(max_size=400), st.integers(min_value=2, max_value=250))
def test_it_loses_nothing_by_folding(text: str, limit: int) -> None:
    shown, rest = fold(text, limit)
    assert shown + rest == text
    assert units(shown) <= limit
    assert bool(shown) is bool(text)
