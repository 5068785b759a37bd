"""Writing, publishing, withdrawing stories; texts by language, captions, topics (F1, F2, F3, F7)."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from sqlalchemy import select

from app import clock
from app.audit.models import AuditEntry
from app.db import db
from app.errors import InvalidInput
from app.library import service
from app.library.errors import (
    NotYours,
    SecondApprovalNeeded,
    StoryChanged,
    StoryIsPublic,
    UnknownStory,
)
from app.library.material import material
from app.library.models import Caption, Story, Topic
from tests.library.conftest import Desk, facts

DAY = dt.timedelta(days=1)


def refused(act: Any) -> dict[str, str]:
    """The sentences of an `InvalidInput`, by field."""
    with pytest.raises(InvalidInput) as caught:
        act()
    return {name: str(said[0]) for name, said in caught.value.errors.items()}


# --- writing -----------------------------------------------------------------------------


def test_it_keeps_one_story_with_texts_and_captions_in_two_languages(any_desk: Desk) -> None:
    """F1, F3."""
    found = any_desk.draft(
        kind="story",
        body="Lundi, **six heures**.\n\nVendredi, personne ne parle.",
        url="https://halvenne.example/portiques?a=1",
        captions=["Tout tient.", {"text": "Et vous ?", "kind": "question"}],
        topics=["Chantiers", "Bois"],
        networks=["x", "linkedin"],
        translations={"en": {"title": "Thirty-eight metres", "captions": ["Not a bolt."]}},
    )
    row = any_desk.row(found)
    assert (row.kind, row.language, row.status, row.version) == ("story", "fr", "draft", 1)
    assert row.networks == ["linkedin", "x"]
    french, english = material(found), material(found, "en")
    assert french.languages == english.languages == ("fr", "en")
    assert (french.title, english.title) == ("Trente-huit mètres", "Thirty-eight metres")
    assert [(s.kind, s.text) for s in french.starts] == [
        ("short", "Tout tient."), ("question", "Et vous ?"),
    ]  # fmt: skip
    assert [s.text for s in english.starts] == ["Not a bolt."]
    assert {t.name for t in row.topics} == {"Chantiers", "Bois"}
    assert french.topic_ids == {t.id for t in row.topics}


def test_a_language_it_lacks_is_answered_in_its_own(any_desk: Desk) -> None:
    found = any_desk.draft(language="en", title="A roof")
    assert material(found, "fr").language == "en"
    assert material(found, "fr").title == "A roof"


def test_its_own_language_may_come_among_the_translations(desk: Desk) -> None:
    found = desk.draft(translations={"fr": {"title": "Autre", "body": "Un texte."}})
    assert material(found).title == "Trente-huit mètres"
    assert material(found).body == "Un texte."


def test_it_takes_what_the_organisation_writes_in_as_its_language(desk: Desk) -> None:
    assert desk.row(desk.draft()).language == "fr"


def test_a_topic_is_one_whatever_its_capitals_and_accents(any_desk: Desk) -> None:
    first = any_desk.draft(topics=["Matière", "matiere "])
    second = any_desk.draft(topics=["MATIÈRE"])
    assert [t.name for t in any_desk.row(first).topics] == ["Matière"]
    assert any_desk.row(second).topics == any_desk.row(first).topics


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"title": ""}, "title"),
        ({"title": None}, "title"),
        ({"title": "\u200b \u202e"}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": 3}, "title"),
        ({"summary": "x" * 601}, "summary"),
        ({"body": "x" * 20_001}, "body"),
        ({"body": "x" * 1_000_000}, "body"),
        ({"alt": "x" * 401}, "alt"),
        ({"kind": "poem"}, "kind"),
        ({"language": "de"}, "language"),
        ({"url": "ftp://halvenne.example/"}, "url"),
        ({"url": "https://ines:secret@halvenne.example/"}, "url"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"url": "https://halvenne.example/" + "x" * 2_000}, "url"),
        ({"url": 7}, "url"),
        ({"networks": ["linkedin", "myspace"]}, "networks"),
        ({"networks": "linkedin"}, "networks"),
        ({"topics": ["x" * 81]}, "topics"),
        ({"topics": ["!!!"]}, "topics"),
        ({"topics": [f"t{n}" for n in range(11)]}, "topics"),
        ({"captions": ["x" * 3_001]}, "captions.0"),
        ({"captions": ["ok", "😀" * 1_501]}, "captions.1"),
        ({"captions": [{"text": "x", "kind": "rhyme"}]}, "captions.0"),
        ({"captions": [{"text": "x", "language": "de"}]}, "captions.0"),
        ({"captions": [3]}, "captions.0"),
        ({"captions": "x"}, "captions"),
        ({"captions": ["x"] * 21}, "captions"),
        ({"captions": [{"text": "x", "language": "en"}]}, "translations.en.captions"),
        ({"visible_from": "tomorrow"}, "visible_from"),
        ({"expires_at": dt.datetime(2027, 1, 1)}, "expires_at"),
        ({"is_commercial": "yes"}, "is_commercial"),
        ({"picture_id": "nonsense"}, "picture"),
        ({"picture_id": uuid.UUID(int=1)}, "picture"),
        ({"translations": {"de": {"title": "x"}}}, "translations.de"),
        ({"translations": {"en": {"summary": "no title"}}}, "translations.en.title"),
        ({"translations": {"en": {"title": "x" * 201}}}, "translations.en.title"),
        ({"translations": {"en": "x"}}, "translations.en"),
        ({"translations": ["x"]}, "translations"),
        ({"evidence": "x" * 5_001}, "evidence"),
    ],
)  # fmt: skip
def test_it_says_at_its_field_what_cannot_be_taken(
    desk: Desk, fields: dict[str, Any], name: str
) -> None:
    errors = refused(lambda: desk.draft(**fields))
    assert list(errors) == [name]
    assert errors[name]
    assert db.session.scalars(select(Story)).all() == []


def test_it_says_every_fault_at_once(desk: Desk) -> None:
    errors = refused(lambda: desk.draft(title="", url="nowhere", kind="poem"))
    assert set(errors) == {"title", "url", "kind"}


def test_the_end_lies_after_the_beginning(desk: Desk) -> None:
    now = clock.now()
    assert "expires_at" in refused(lambda: desk.draft(visible_from=now + DAY, expires_at=now))
    assert "expires_at" in refused(lambda: desk.draft(visible_from=now, expires_at=now))
    found = desk.draft(visible_from=now, expires_at=now + DAY)
    errors = refused(
        lambda: service.change_story(found, {"visible_from": now + 2 * DAY}, desk.curator.id)
    )
    assert "expires_at" in errors


def test_it_cleans_captions_as_they_will_be_sent_and_counts_as_networks_do(desk: Desk) -> None:
    """3,000 UTF-16 units; marks of direction that hide words are gone, blank ones fall away."""
    found = desk.draft(captions=["a\u202eb\u200bc\r\nd", " \n ", "😀" * 1_500])
    assert [s.text for s in material(found).starts] == ["abc\nd", "😀" * 1_500]


def test_a_text_keeps_the_spaces_that_markdown_reads(desk: Desk) -> None:
    found = desk.draft(body="\u202e# Titre\r\n- un\r\n    - deux\r\n\r\n\tcode \x00 ")
    assert material(found).body == "# Titre\n- un\n    - deux\n\n    code"


# --- changing ----------------------------------------------------------------------------


def test_it_changes_what_is_given_and_nothing_else(any_desk: Desk) -> None:
    found = any_desk.draft(
        captions=["Un", "Deux"], topics=["Bois"], url="https://a.example/",
        translations={"en": {"title": "Metres", "captions": ["One"]}},
    )  # fmt: skip
    kept = {s.text: s.id for s in material(found).starts}
    service.change_story(
        found, {"title": "Quarante mètres", "captions": ["Deux", "Trois"]}, any_desk.contributor.id
    )
    now = material(found)
    assert (now.title, now.summary, now.url) == (
        "Quarante mètres", "Pas un boulon.", "https://a.example/",
    )  # fmt: skip
    assert [s.text for s in now.starts] == ["Deux", "Trois"]
    assert now.starts[0].id == kept["Deux"]
    assert [s.text for s in material(found, "en").starts] == ["One"]
    assert any_desk.row(found).version == 2
    assert facts("story.changed") == [{"story_id": str(found)}]
    assert len(db.session.scalars(select(Caption)).all()) == 3


def test_saving_the_same_again_changes_nothing(desk: Desk) -> None:
    found = desk.draft(topics=["Bois", "Acier"])
    service.change_story(found, {"title": "Trente-huit mètres"}, desk.contributor.id, 1)
    assert desk.row(found).version == 1
    assert facts("story.changed") == []


def test_a_language_can_be_taken_away_and_the_own_one_changed(any_desk: Desk) -> None:
    found = any_desk.draft(translations={"en": {"title": "Metres", "captions": ["One"]}})
    service.change_story(found, {"language": "en"}, any_desk.curator.id)
    assert material(found).languages == ("en", "fr")
    assert material(found).title == "Metres"
    service.change_story(found, {"translations": {"fr": None}}, any_desk.curator.id)
    assert material(found, "fr").title == "Metres"
    assert [s.text for s in material(found).starts] == ["One"]


def test_a_second_writer_does_not_undo_the_first(any_desk: Desk) -> None:
    found = any_desk.draft()
    service.change_story(found, {"title": "Premier"}, any_desk.curator.id, version=1)
    with pytest.raises(StoryChanged):
        service.change_story(found, {"title": "Second"}, any_desk.contributor.id, version=1)
    assert material(found).title == "Premier"
    service.change_story(found, {"title": "Second"}, any_desk.contributor.id, version=2)
    assert material(found).title == "Second"


def test_a_contributor_writes_own_drafts_and_nothing_else(desk: Desk) -> None:
    other = desk.house.person("Hugo Meynard", "contributor", joined=False)
    member = desk.house.person("Aminata Sy")
    found = desk.draft()
    with pytest.raises(NotYours):
        service.change_story(found, {"title": "x"}, other.id)
    with pytest.raises(NotYours):
        service.create_story({"title": "x"}, member.id)
    with pytest.raises(NotYours):
        service.publish_story(found, desk.contributor.id)
    service.publish_story(found, desk.curator.id)
    with pytest.raises(NotYours):
        service.change_story(found, {"title": "x"}, desk.contributor.id)
    with pytest.raises(NotYours):
        service.withdraw_story(found, desk.contributor.id)


# --- publishing --------------------------------------------------------------------------


def test_it_is_published_withdrawn_and_published_again_and_told_each_time(any_desk: Desk) -> None:
    """F2, F7."""
    found = any_desk.draft()
    row = service.publish_story(found, any_desk.curator.id)
    assert (row.status, row.published_at, row.published_by) == (
        "published", clock.now(), any_desk.curator.id,
    )  # fmt: skip
    service.publish_story(found, any_desk.curator.id)
    assert service.withdraw_story(found, any_desk.curator.id).withdrawn_at == clock.now()
    service.withdraw_story(found, any_desk.curator.id)
    assert service.publish_story(found, any_desk.curator.id).withdrawn_at is None
    assert len(facts("story.published")) == 2
    assert facts("story.withdrawn") == [{"story_id": str(found)}]
    acts = db.session.scalars(
        select(AuditEntry.action).where(AuditEntry.target_id == str(found)).order_by(AuditEntry.id)
    ).all()
    assert acts == ["story.created", "story.published", "story.withdrawn", "story.published"]


def test_a_picture_needs_its_words_in_every_language(any_desk: Desk) -> None:
    """F9: alternative text is not optional."""
    picture = any_desk.picture()
    found = any_desk.draft(picture_id=picture, translations={"en": {"title": "Metres"}})
    errors = refused(lambda: service.publish_story(found, any_desk.curator.id))
    assert set(errors) == {"alt", "translations.en.alt"}
    assert any_desk.row(found).status == "draft"
    words = {"alt": "Une halle en bois.", "translations": {"en": {"alt": "A timber hall."}}}
    service.change_story(found, words, any_desk.curator.id)
    service.publish_story(found, any_desk.curator.id)
    assert material(found, "en").alt == "A timber hall."
    errors = refused(lambda: service.change_story(found, {"alt": ""}, any_desk.curator.id))
    assert set(errors) == {"alt"}


def test_a_window_that_is_over_is_refused_at_publication(desk: Desk) -> None:
    found = desk.draft(expires_at=clock.now())
    assert set(refused(lambda: service.publish_story(found, desk.curator.id))) == {"expires_at"}


def test_a_title_alone_is_nothing_to_read(desk: Desk) -> None:
    found = desk.draft(summary="")
    assert set(refused(lambda: service.publish_story(found, desk.curator.id))) == {"body"}
    for fields in ({"url": "https://a.example/"}, {"url": None, "body": "Un texte."},
                   {"body": "", "captions": ["À dire."]}):  # fmt: skip
        service.change_story(found, fields, desk.curator.id)
        service.publish_story(found, desk.curator.id)
        service.withdraw_story(found, desk.curator.id)


def test_a_sensitive_topic_needs_a_second_pair_of_eyes(any_desk: Desk) -> None:
    """Rule L4: the publisher is not the author; nor does the author change it alone later."""
    other = any_desk.house.person("Léa Brunet", "curator", joined=False)
    found = any_desk.draft(any_desk.curator, topics=["Finance"])
    with pytest.raises(SecondApprovalNeeded) as caught:
        service.publish_story(found, any_desk.curator.id)
    assert (caught.value.status, caught.value.code) == (409, "second-approval-needed")
    assert any_desk.row(found).status == "draft"
    service.publish_story(found, other.id)
    for fields in ({"title": "Autre"}, {"topics": []}):
        with pytest.raises(SecondApprovalNeeded):
            service.change_story(found, fields, any_desk.curator.id)
    service.change_story(found, {"title": "Autre"}, other.id)
    assert material(found).title == "Autre"


def test_an_author_does_not_slip_a_sensitive_topic_into_what_is_public(desk: Desk) -> None:
    found = desk.draft(desk.curator)
    service.publish_story(found, desk.curator.id)
    with pytest.raises(SecondApprovalNeeded):
        service.change_story(found, {"topics": ["Santé"]}, desk.curator.id)
    assert desk.row(found).topics == []


def test_which_topics_are_sensitive_is_a_setting(desk: Desk) -> None:
    found = desk.draft(desk.curator, topics=["Chantiers"])
    topic = db.session.scalars(select(Topic)).one()
    service.set_sensitive(topic.id, True, None)
    with pytest.raises(SecondApprovalNeeded):
        service.publish_story(found, desk.curator.id)
    service.set_sensitive(topic.id, False, None)
    assert service.publish_story(found, desk.curator.id).status == "published"
    with pytest.raises(UnknownStory):
        service.set_sensitive(uuid.UUID(int=1), True, None)


def test_only_a_draft_is_discarded(any_desk: Desk) -> None:
    found = any_desk.draft(captions=["Un"], topics=["Bois"])
    service.discard(found, any_desk.contributor.id)
    assert db.session.scalars(select(Story)).all() == []
    assert db.session.scalars(select(Caption)).all() == []
    public = any_desk.story()
    with pytest.raises(StoryIsPublic):
        service.discard(public, any_desk.curator.id)
    draft = any_desk.draft()
    with pytest.raises(UnknownStory):
        service.withdraw_story(draft, any_desk.curator.id)
    other = any_desk.house.person("Hugo Meynard", "contributor", joined=False)
    with pytest.raises(NotYours):
        service.discard(draft, other.id)


def test_what_nobody_made_is_not_found(desk: Desk) -> None:
    nobody = uuid.UUID(int=1)
    for act in (service.publish_story, service.withdraw_story, service.discard):
        with pytest.raises(UnknownStory):
            act(nobody, desk.curator.id)
    with pytest.raises(UnknownStory):
        service.change_story(nobody, {}, desk.curator.id)
