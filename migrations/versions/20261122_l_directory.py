"""Who may see what, how people are found and counted

Revision f64da2c59e85, after e53c91b48d74.
"""

import re
import unicodedata
import uuid

import sqlalchemy as sa
from alembic import op

revision = "f64da2c59e85"
down_revision = "e53c91b48d74"
branch_labels = None
depends_on = None

PERSON_INDEXES = {
    "ix_person_site": ["site", "name", "id"],
    "ix_person_department": ["department", "name", "id"],
    "ix_person_kind": ["kind", "name", "id"],
    "ix_person_hired": ["hired_on", "site", "department"],
    "ix_person_entity": ["entity_id", "name", "id"],
}

SAID = ("site", "department", "language", "contract", "function", "kind")
LIGATURES = str.maketrans(
    {"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)


def _bytewise() -> sa.String:
    return sa.String(80).with_variant(sa.String(80, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "directory_cell",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site", sa.String(length=200), nullable=True),
        sa.Column("department", sa.String(length=200), nullable=True),
        sa.Column("language", sa.String(length=5), nullable=False),
        sa.Column("contract", sa.String(length=80), nullable=True),
        sa.Column("function", sa.String(length=200), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("entity_id", sa.Uuid(), nullable=True),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("is_folded", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_directory_cell")),
    )
    op.create_index("ix_directory_cell_site", "directory_cell", ["site"])
    op.create_index("ix_directory_cell_department", "directory_cell", ["department"])
    op.create_index(
        "ix_directory_cell_open",
        "directory_cell",
        ["id"],
        sqlite_where=sa.text("not is_folded"),
        postgresql_where=sa.text("not is_folded"),
    )
    op.create_table(
        "person_word",
        sa.Column("word", _bytewise(), nullable=False),
        sa.Column("sort_name", _bytewise(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
            name=op.f("fk_person_word_person_id_person"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("word", "sort_name", "person_id", name=op.f("pk_person_word")),
    )
    op.create_index("ix_person_word_person", "person_word", ["person_id", "word"])
    for name, columns in PERSON_INDEXES.items():
        op.create_index(name, "person", columns)
    op.create_index(
        "ix_person_departed",
        "person",
        ["name", "id"],
        sqlite_where=sa.text("departed_at is not null"),
        postgresql_where=sa.text("departed_at is not null"),
    )

    with op.batch_alter_table("segment", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("search_name", sa.String(length=240), nullable=False, server_default="")
        )
    with op.batch_alter_table("segment", schema=None) as batch_op:
        batch_op.alter_column("search_name", server_default=None)
    _fill()


def _folded(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold().translate(LIGATURES))
    return " ".join("".join(c for c in letters if not unicodedata.combining(c)).split())


def _words(name: str, email: str, number: str | None) -> set[str]:
    texts = (name, email.partition("@")[0], number or "")
    found = {word[:80] for text in texts for word in re.findall(r"[^\W_]+", _folded(text))}
    return found | {f"@{_folded(email)}"[:80]}


def _fill() -> None:
    """Words and counters of the people who are in the directory already."""
    connection = op.get_bind()
    person = sa.table(
        "person",
        sa.column("id", sa.Uuid()),
        *(sa.column(name) for name in ("name", "email", "employee_id", *SAID)),
        sa.column("entity_id", sa.Uuid()),
        sa.column("departed_at"),
    )
    kept = sa.table(
        "person_word", sa.column("word"), sa.column("sort_name"), sa.column("person_id", sa.Uuid())
    )
    cell = sa.table(
        "directory_cell",
        sa.column("id", sa.Uuid()),
        *(sa.column(name) for name in SAID),
        sa.column("entity_id", sa.Uuid()),
        sa.column("people"),
        sa.column("is_folded"),
    )
    entries = sa.select(person.c.id, person.c.name, person.c.email, person.c.employee_id)
    last = None
    while True:
        query = entries.order_by(person.c.id).limit(1_000)
        rows = connection.execute(query if last is None else query.where(person.c.id > last)).all()
        if not rows:
            break
        last = rows[-1].id
        connection.execute(
            sa.insert(kept),
            [
                {"word": word, "sort_name": _folded(row.name)[:80], "person_id": row.id}
                for row in rows
                for word in sorted(_words(row.name, row.email, row.employee_id))
            ],
        )
    segment = sa.table(
        "segment", sa.column("id", sa.Uuid()), sa.column("name"), sa.column("search_name")
    )
    for key, name in connection.execute(sa.select(segment.c.id, segment.c.name)).all():
        connection.execute(
            sa.update(segment).where(segment.c.id == key).values(search_name=_folded(name)[:240])
        )
    fields = [person.c[name] for name in (*SAID, "entity_id")]
    counted = sa.select(*fields, sa.func.count().label("people")).group_by(*fields)
    found = connection.execute(counted.where(person.c.departed_at.is_(None))).mappings().all()
    if found:
        connection.execute(
            sa.insert(cell), [{**row, "id": uuid.uuid4(), "is_folded": True} for row in found]
        )


def downgrade() -> None:
    op.drop_index("ix_person_departed", "person")
    for name in PERSON_INDEXES:
        op.drop_index(name, "person")
    with op.batch_alter_table("segment", schema=None) as batch_op:
        batch_op.drop_column("search_name")
    op.drop_table("person_word")
    op.drop_table("directory_cell")
