"""The signed web hooks of Greenhouse."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from app.integrations.events import (
    AtsEvent,
    BadSignature,
    Closure,
    Credited,
    EventSettings,
    ReferralCode,
    UnreadableBody,
)
from app.integrations.greenhouse.webhook import event_id, parse, verify
from app.integrations.text import JsonObject

Sample = Callable[[str], bytes]
NAMES = ("hired", "rejected", "stage_change", "job_post_updated")
SECRET = "gh-sample-secret-not-real-000000"


def _event(action: str, payload: object, settings: EventSettings | None = None) -> AtsEvent:
    return parse(json.dumps({"action": action, "payload": payload}).encode(), settings)


def _application(**changes: object) -> JsonObject:
    application: JsonObject = {
        "id": 265293,
        "rejected_at": None,
        "prospect": False,
        "status": "active",
        "applied_at": "2026-03-22T00:00:00Z",
        "last_activity_at": "2026-11-18T20:28:09Z",
        "source": {"id": 27, "public_name": "Site carrières"},
        "credited_to": None,
        "rejection_reason": None,
        "current_stage": {"id": 678901, "name": "Application Review", "interviews": []},
        "custom_fields": {},
        "candidate": {"id": 265788, "first_name": "Noa", "last_name": "Fictif"},
        "jobs": [{"id": 371417, "name": "Designer", "job_post_id": 54321}],
    }
    return {"application": {**application, **changes}}  # type: ignore[dict-item]


# --- signature -------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_it_accepts_the_signature_of_every_sample(sample: Sample, name: str) -> None:
    headers = json.loads(sample(f"greenhouse/{name}.headers.json"))
    verify([SECRET], headers, sample(f"greenhouse/{name}.body.json"))


def test_it_accepts_the_older_of_two_secrets_during_a_rotation(sample: Sample) -> None:
    headers = json.loads(sample("greenhouse/hired.headers.json"))
    verify(["the-new-one", SECRET], headers, sample("greenhouse/hired.body.json"))


def test_it_finds_the_header_in_any_case(sample: Sample) -> None:
    headers = json.loads(sample("greenhouse/hired.headers.json"))
    lowered = {name.lower(): value for name, value in headers.items()}
    verify([SECRET], lowered, sample("greenhouse/hired.body.json"))


@pytest.mark.parametrize("name", NAMES)
def test_it_refuses_a_body_with_one_bit_turned(sample: Sample, name: str) -> None:
    body = bytearray(sample(f"greenhouse/{name}.body.json"))
    headers = json.loads(sample(f"greenhouse/{name}.headers.json"))
    for position in range(0, len(body), 61):
        body[position] ^= 1
        with pytest.raises(BadSignature, match="mismatch"):
            verify([SECRET], headers, bytes(body))
        body[position] ^= 1


def test_it_refuses_a_body_that_was_parsed_and_dumped(sample: Sample) -> None:
    headers = json.loads(sample("greenhouse/hired.headers.json"))
    dumped = json.dumps(json.loads(sample("greenhouse/hired.body.json"))).encode()
    with pytest.raises(BadSignature, match="mismatch"):
        verify([SECRET], headers, dumped)


def test_it_refuses_another_secret_and_the_lack_of_one(sample: Sample) -> None:
    headers = json.loads(sample("greenhouse/hired.headers.json"))
    body = sample("greenhouse/hired.body.json")
    with pytest.raises(BadSignature, match="mismatch"):
        verify(["another"], headers, body)
    unsigned = {"Signature": "sha256 " + hmac.new(b"", body, hashlib.sha256).hexdigest()}
    for secrets in ([], [""], ["", ""]):
        with pytest.raises(BadSignature, match="no-secret"):
            verify(secrets, unsigned, body)


@pytest.mark.parametrize(
    "value",
    ["", "sha256", "sha256 ", "sha256  {}", "sha256={}", "sha1 {}", "SHA256 {}", "{}", "sha256 {} ",
     "sha256 {}\n", "sha256 {},sha256 {}", "sha256 é", "sha256 " + "٤" * 64],
)  # fmt: skip
def test_it_refuses_a_header_of_another_form(value: str) -> None:
    digest = hmac.new(SECRET.encode(), b"{}", hashlib.sha256).hexdigest()
    verify([SECRET], {"Signature": f"sha256 {digest}"}, b"{}")
    with pytest.raises(BadSignature, match="malformed"):
        verify([SECRET], {"Signature": value.replace("{}", digest)}, b"{}")


def test_it_refuses_a_missing_or_a_repeated_header() -> None:
    digest = hmac.new(SECRET.encode(), b"{}", hashlib.sha256).hexdigest()
    twice = {"Signature": f"sha256 {digest}", "signature": f"sha256 {digest}"}
    for headers in ({}, {"X-Signature": f"sha256 {digest}"}, twice):
        with pytest.raises(BadSignature, match="missing"):
            verify([SECRET], headers, b"{}")


# --- delivery id -----------------------------------------------------------------------


def test_it_takes_the_delivery_id_from_the_header(sample: Sample) -> None:
    headers = json.loads(sample("greenhouse/hired.headers.json"))
    assert event_id(headers, b"{}") == "b1b6f3f0-1111-4a6e-9d65-0a1000000001"


@pytest.mark.parametrize("value", [None, "", "a b", "x" * 201, "é", "a\n"])
def test_it_derives_a_stable_delivery_id_from_the_body(value: str | None) -> None:
    headers = {} if value is None else {"Greenhouse-Event-ID": value}
    assert event_id(headers, b"{}") == "sha256:" + hashlib.sha256(b"{}").hexdigest()


# --- the samples -----------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_it_reads_every_sample_as_the_manifest_expects(
    sample: Sample, manifest: list[JsonObject], name: str
) -> None:
    (entry,) = [e for e in manifest if e["vendor"] == "greenhouse" and e["name"] == name]
    expected = entry["expect"]
    event = parse(sample(f"greenhouse/{name}.body.json"))
    found = {
        "kind": event.kind,
        "application": event.application_id,
        "candidate": event.candidate_id,
        "job": "".join(event.job_ids),
        "job_post": "".join(event.job_post_ids),
        "stage": event.stage_name,
        "referrer_employee_id": event.credited and event.credited.employee_id,
        "referral_code": event.codes[0].value if event.codes else None,
        "hired_at": event.resolved_at and event.resolved_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "start_date": event.starts_at and event.starts_at.isoformat(),
    }
    assert isinstance(expected, dict)
    assert {key: found[key] for key in expected} == expected


def test_it_reads_a_hire_whole(sample: Sample) -> None:
    event = parse(sample("greenhouse/hired.body.json"))
    accepted = datetime(2026, 11, 9, 16, 20, tzinfo=UTC)
    assert (event.occurred_at, event.resolved_at, event.offer_id) == (accepted, accepted, "99110")
    assert event.starts_at == date(2027, 1, 4)
    assert event.codes[0] == ReferralCode("pvx_7Qk2mZ", "application.custom_fields.referral_code")
    assert event.source_text == "Portevoix cooptation"
    assert event.credited == Credited(
        "LV-1042", "sacha.fictif@lumiereverte.example", "Sacha Fictif"
    )
    assert event.candidate_emails == ("camille.exemple@example.org",)


def test_it_accepts_the_name_that_many_articles_give_the_hire(sample: Sample) -> None:
    body = sample("greenhouse/hired.body.json").replace(b"hire_candidate", b"candidate_hired")
    event = parse(body)
    assert (event.kind, event.action) == ("hired", "candidate_hired")


def test_it_keeps_persons_out_of_its_printed_form(sample: Sample) -> None:
    printed = repr(parse(sample("greenhouse/hired.body.json")))
    for word in ("Camille", "Exemple", "camille.exemple", "Sacha", "sacha.fictif"):
        assert word not in printed


# --- applications ----------------------------------------------------------------------


def test_it_reads_an_unhire_as_documented_without_an_offer() -> None:
    event = _event("unhire_candidate", _application())
    assert (event.kind, event.application_id) == ("unhired", "265293")
    assert event.occurred_at == datetime(2026, 11, 18, 20, 28, 9, tzinfo=UTC)
    assert (event.offer_id, event.resolved_at) == (None, None)
    assert event.job_post_ids == ("54321",)


def test_it_lets_an_unhire_name_its_hire_when_the_offer_is_there() -> None:
    offer = {"id": 99110, "version": 2, "resolved_at": "2026-11-09T16:20:00Z"}
    event = _event("unhire_candidate", _application(offer=offer))
    assert event.offer_id == "99110"
    assert event.resolved_at == datetime(2026, 11, 9, 16, 20, tzinfo=UTC)
    assert event.occurred_at == datetime(2026, 11, 18, 20, 28, 9, tzinfo=UTC)


def test_it_never_guesses_when_a_hire_happened() -> None:
    event = _event("hire_candidate", _application(offer={"id": 1, "created_at": "2026-01-01"}))
    assert (event.kind, event.occurred_at) == ("hired", None)


def test_it_falls_back_on_the_deprecated_job() -> None:
    event = _event("hire_candidate", _application(jobs=[], job={"id": 5}))
    assert event.job_ids == ("5",)


@pytest.mark.parametrize(
    ("action", "kind", "occurred_at"),
    [
        ("candidate_stage_change", "stage", "2026-11-18T20:28:09+00:00"),
        ("reject_candidate", "rejected", "2026-11-12T10:00:00+00:00"),
        ("unreject_candidate", "unrejected", "2026-11-18T20:28:09+00:00"),
        ("new_candidate_application", "application", "2026-03-22T00:00:00+00:00"),
        ("new_prospect_application", "application", "2026-03-22T00:00:00+00:00"),
        ("application_updated", "application", "2026-11-18T20:28:09+00:00"),
    ],
)
def test_it_takes_the_vendors_own_time_of_each_fact(
    action: str, kind: str, occurred_at: str
) -> None:
    event = _event(action, _application(rejected_at="2026-11-12T10:00:00Z"))
    assert event.kind == kind
    assert event.occurred_at == datetime.fromisoformat(occurred_at)


def test_it_marks_a_prospect() -> None:
    event = _event("new_prospect_application", _application(prospect=True, current_stage=None))
    assert event.is_prospect
    assert event.stage_name is None


@pytest.mark.parametrize(
    ("reason", "settings", "kind"),
    [
        ({"id": 1, "name": "Autre", "type": {"name": "They rejected us"}}, {}, "withdrawn"),
        ({"id": 1, "name": "Désistement du candidat", "type": None}, {}, "withdrawn"),
        ({"id": 1, "name": "Candidate withdrew"}, {}, "withdrawn"),
        ({"id": 1, "name": "Withdrew", "type": {"name": "We rejected them"}}, {}, "rejected"),
        ({"id": 1, "name": "Too junior", "type": {"name": "We rejected them"}}, {}, "rejected"),
        ({"id": 14, "name": "Code 14"}, {"withdrawal_reasons": ("14",)}, "withdrawn"),
        ({"id": 14, "name": "Parti Ailleurs"}, {"withdrawal_reasons": ("parti ailleurs",)},
         "withdrawn"),
        ({"id": 14, "name": "Autre", "type": {"name": "They rejected us"}},
         {"rejection_reasons": ("14",)}, "rejected"),
        (None, {}, "rejected"),
        ("text", {}, "rejected"),
    ],
)  # fmt: skip
def test_it_tells_a_withdrawal_from_a_rejection(
    reason: object, settings: dict[str, tuple[str, ...]], kind: str
) -> None:
    payload = _application(rejection_reason=reason, rejected_at="2026-11-12T10:00:00Z")
    assert _event("reject_candidate", payload, EventSettings(**settings)).kind == kind


def test_it_keeps_the_reason_in_the_customers_words() -> None:
    reason = {"id": 14, "name": "Trop junior", "type": {"id": 1, "name": "We rejected them"}}
    event = _event("reject_candidate", _application(rejection_reason=reason))
    assert event.closure == Closure("14", "Trop junior", "We rejected them")


@pytest.mark.parametrize("source", [{"name": "Indeed"}, {"public_name": "Indeed"}, "Indeed"])
def test_it_reads_the_source_under_both_names(source: object) -> None:
    assert _event("candidate_stage_change", _application(source=source)).source_text == "Indeed"


@pytest.mark.parametrize(
    ("person", "credited"),
    [
        ({"id": 1, "email": "A@b.example", "name": "A B", "employee_id": "7"},
         Credited("7", "A@b.example", "A B")),
        ({"name": "A B"}, Credited(None, None, "A B")),
        ({"id": 1, "name": "A B", "employee_id": 7}, Credited("7", None, "A B")),
        ({"id": 1}, None),
        (None, None),
        ([], None),
    ],
)  # fmt: skip
def test_it_reads_who_is_credited(person: object, credited: Credited | None) -> None:
    assert _event("hire_candidate", _application(credited_to=person)).credited == credited


def test_it_never_takes_the_recruiter_for_the_referrer() -> None:
    recruiter = {"id": 1, "email": "rh@a.example", "name": "R H", "employee_id": "1"}
    candidate = {"id": 2, "recruiter": recruiter, "coordinator": recruiter}
    event = _event("hire_candidate", _application(candidate=candidate))
    assert (event.credited, event.candidate_emails) == (None, ())


# --- codes -----------------------------------------------------------------------------


def _field(name: str, value: object) -> JsonObject:
    return {"name": name, "type": "short_text", "value": value}  # type: ignore[dict-item]


def test_it_orders_codes_by_the_strength_of_their_place() -> None:
    payload = _application(
        custom_fields={
            "comment": _field("Commentaire", "vu par pvx_Comment1 je crois"),
            "code_de_cooptation": _field("Code", "AbCd-1234"),
        },
        candidate={"id": 1, "custom_fields": {"x": _field("Parrain", ["zzzzzzzz", 5])}},
        offer={"custom_fields": {"y": _field("Divers", "pvx_9Z")}},
        source={"name": "Portevoix pvx_7Qk2mZ"},
    )
    assert _event("hire_candidate", payload).codes == (
        ReferralCode("AbCd-1234", "application.custom_fields.code_de_cooptation"),
        ReferralCode("zzzzzzzz", "candidate.custom_fields.x"),
        ReferralCode("pvx_Comment1", "application.custom_fields.comment"),
        ReferralCode("Comment1", "application.custom_fields.comment"),
        ReferralCode("pvx_7Qk2mZ", "source"),
        ReferralCode("Portevoix", "source"),
    )


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("pvx_7Qk2mZ", ["pvx_7Qk2mZ"]),
        ("pvx_abcdefgh", ["pvx_abcdefgh", "abcdefgh"]),
        ("pvx_abcdefghijkl", ["pvx_abcdefghijkl", "abcdefghijkl"]),
        ("pvx_abcdefghijklm", []),
        ("https://a.example/r/7Qk2mZab?x=1", ["7Qk2mZab"]),
        ("1234567", []),
        ("1234567890123", []),
        ("(12345678).", ["12345678"]),
        ("", []),
    ],
)
def test_it_recognises_the_form_of_a_code(text: str, codes: list[str]) -> None:
    payload = _application(custom_fields={"referral_code": _field("Code", text)}, source=None)
    assert [code.value for code in _event("hire_candidate", payload).codes] == codes


def test_it_reads_the_field_that_an_administrator_named() -> None:
    payload = _application(custom_fields={"mention": _field("Sésame", "12345678")}, source=None)
    assert _event("hire_candidate", payload).codes == ()
    for name in ("mention", "sésame"):
        event = _event("hire_candidate", payload, EventSettings(code_fields=(name,)))
        assert [code.value for code in event.codes] == ["12345678"]


def test_it_carries_no_words_of_a_candidates_free_text() -> None:
    fields = {"motivation": _field("Motivation", "syndicaliste convaincue depuis longtemps")}
    payload = _application(custom_fields=fields, source=None)
    assert _event("hire_candidate", payload).codes == ()


def test_it_carries_twenty_codes_at_most() -> None:
    text = " ".join(f"code{number:04}" for number in range(100))
    payload = _application(custom_fields={"referral_code": _field("Code", text)})
    assert len(_event("hire_candidate", payload).codes) == 20


# --- candidates, jobs, posts -----------------------------------------------------------


def test_it_reads_a_deletion_with_its_applications() -> None:
    person = {"id": 37031511, "deleted_application_ids": [46196263, 46196258]}
    event = _event("delete_candidate", {"person": person})
    assert (event.kind, event.candidate_id) == ("candidate_erased", "37031511")
    assert event.deleted_application_ids == ("46196263", "46196258")


def test_it_reads_an_anonymisation() -> None:
    payload = {"candidate_id": 37031511, "anonymized_fields": ["full_name", "current_title"]}
    event = _event("candidate_anonymized", payload)
    assert (event.kind, event.candidate_id) == ("candidate_erased", "37031511")
    assert event.erased_fields == ("full_name", "current_title")


def test_it_reads_a_merge() -> None:
    event = _event("merge_candidate", {"person": {"id": 1, "new_candidate_id": 2}})
    assert (event.kind, event.candidate_id, event.merged_into) == ("candidate_merged", "1", "2")


def test_it_does_not_erase_a_person_for_one_deleted_application() -> None:
    application = {"id": 46194062, "candidate_id": 37031511, "job_id": 371417}
    event = _event("delete_application", {"application": application})
    assert (event.kind, event.problem) == ("ignored", None)
    assert event.deleted_application_ids == ("46194062",)


@pytest.mark.parametrize(
    ("post", "kind"),
    [
        ({"live": False}, "job_closed"),
        ({"live": True, "external": True}, "job_opened"),
        ({"live": True}, "job_opened"),
        ({"live": True, "external": False, "internal": True}, "ignored"),
        ({}, "ignored"),
        ({"live": "false"}, "ignored"),
    ],
)
@pytest.mark.parametrize("action", ["job_post_created", "job_post_updated"])
def test_it_reads_a_post_from_its_flat_payload(
    action: str, post: dict[str, object], kind: str
) -> None:
    event = _event(action, {"id": 1, "job_id": 2, "updated_at": "2026-11-15T08:00:00.120Z", **post})
    assert (event.kind, event.job_post_ids, event.job_ids) == (kind, ("1",), ("2",))
    assert event.occurred_at == datetime(2026, 11, 15, 8, 0, 0, 120_000, tzinfo=UTC)


def test_it_reads_a_deleted_post_from_its_nested_payload() -> None:
    event = _event("job_post_deleted", {"job_post": {"id": 258341, "job_id": 284999}})
    assert (event.kind, event.job_post_ids) == ("job_closed", ("258341",))
    prospect_post = _event("job_post_deleted", {"job_post": {"id": 258341}})
    assert (prospect_post.kind, prospect_post.job_ids) == ("job_closed", ())


def test_it_closes_a_whole_job_without_naming_posts() -> None:
    job = {"id": 5, "job_post_id": 6, "status": "closed", "closed_at": "2026-11-15T08:00:00Z"}
    event = _event("job_updated", {"job": job})
    assert (event.kind, event.job_ids, event.job_post_ids) == ("job_closed", ("5",), ())
    assert event.occurred_at == datetime(2026, 11, 15, 8, tzinfo=UTC)
    assert _event("job_deleted", {"job": {"id": 5}}).kind == "job_closed"


@pytest.mark.parametrize("status", ["open", "draft", None])
def test_it_opens_nothing_because_a_job_is_open(status: str | None) -> None:
    event = _event("job_updated", {"job": {"id": 5, "status": status}})
    assert (event.kind, event.problem) == ("ignored", None)


# --- what is not acted on --------------------------------------------------------------


@pytest.mark.parametrize("action", ["scorecard_deleted", "offer_updated", "brand_new_action", ""])
def test_it_ignores_an_action_it_does_not_know(action: str) -> None:
    event = _event(action, {"anything": [1, 2]})
    assert (event.kind, event.action, event.problem) == ("ignored", action, None)


@pytest.mark.parametrize("body", [b"{}", b'{"web_hook_id": 1}', b'{"action": 5, "payload": []}'])
def test_it_ignores_an_object_without_an_action(body: bytes) -> None:
    assert parse(body).kind == "ignored"


def test_it_knows_a_ping() -> None:
    assert _event("ping", {"web_hook_id": 1}).kind == "ping"


@pytest.mark.parametrize(
    ("action", "payload", "problem"),
    [
        ("hire_candidate", {}, "missing-application-id"),
        ("hire_candidate", {"application": {"id": True}}, "missing-application-id"),
        ("reject_candidate", None, "missing-application-id"),
        ("delete_candidate", {"person": []}, "missing-candidate-id"),
        ("candidate_anonymized", {}, "missing-candidate-id"),
        ("merge_candidate", {"person": {"id": 1}}, "missing-merge-target"),
        ("merge_candidate", {"person": {"new_candidate_id": 1}}, "missing-candidate-id"),
        ("job_post_updated", {"live": False}, "missing-job-id"),
        ("job_deleted", {}, "missing-job-id"),
    ],
)
def test_it_says_what_a_known_event_lacks(action: str, payload: object, problem: str) -> None:
    event = _event(action, payload)
    assert (event.kind, event.problem) == ("ignored", problem)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty"),
        (b"[]", "not-an-object"),
        (b'"hire_candidate"', "not-an-object"),
        (b"action=hire_candidate", "not-json"),
        ('{"action": "hire_candidate"}'.encode("utf-16"), "not-utf8"),
        (b'{"action": "\xe9"}', "not-utf8"),
        (b'{"action": "a", "action": "b"}', "duplicate-key"),
        (b'{"action": NaN}', "not-a-number"),
        (b'{"payload": ' + b"[" * 100_000, "too-deep"),
        (b'{"payload": ' + b"1" * 5_000 + b"}", "too-many-digits"),
        (b"\x1f\x8b\x08\x00" + b"\x00" * 20, "not-utf8"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_it_refuses_a_body_that_is_not_strict_json(body: bytes, code: str) -> None:
    with pytest.raises(UnreadableBody) as refused:
        parse(body)
    assert refused.value.code == code
