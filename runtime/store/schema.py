"""The tables of the database, and the migrations from earlier versions."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from runtime.store.sealing import Seal

Step = str | Callable[[sqlite3.Connection, Seal], None]

# the bucket with the state of the database's own sealing
_BUCKET = "sealing"
# proves that a key is the right one, even in a database without other values
_CHECK = "check"
# present while freed pages may still hold values in plain text
_RESIDUE = "residue"


def _seal_values(connection: sqlite3.Connection, seal: Seal) -> None:
    rows = connection.execute("SELECT bucket, key, value FROM entries").fetchall()
    connection.executemany(
        "UPDATE entries SET value = ? WHERE bucket = ? AND key = ?",
        [(seal.sealed(*row), row[0], row[1]) for row in rows],
    )
    if rows:
        _put(connection, seal, _RESIDUE)


# One step per version of the schema. A database gets the steps after its
# `user_version`. Never change a released step; append another.
MIGRATIONS: tuple[Step, ...] = (
    """
    CREATE TABLE entries (
        bucket TEXT NOT NULL,
        key TEXT NOT NULL,
        value BLOB NOT NULL,
        PRIMARY KEY (bucket, key)
    ) WITHOUT ROWID;
    CREATE TABLE topics (
        id TEXT PRIMARY KEY
    ) WITHOUT ROWID;
    CREATE TABLE event_states (
        topic TEXT NOT NULL,
        id TEXT NOT NULL,
        message TEXT NOT NULL,
        details TEXT NOT NULL,
        time INTEGER NOT NULL,
        duration INTEGER NOT NULL,
        level INTEGER NOT NULL,
        PRIMARY KEY (topic, id)
    ) WITHOUT ROWID;
    """,
    """
    CREATE TABLE deliveries (
        id INTEGER PRIMARY KEY,
        topic TEXT NOT NULL,
        handler TEXT NOT NULL,
        event_id TEXT NOT NULL,
        event BLOB NOT NULL,
        state TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        created INTEGER NOT NULL,
        due INTEGER NOT NULL,
        error TEXT NOT NULL
    );
    CREATE INDEX deliveries_of_handlers ON deliveries (topic, handler, state, id);
    """,
    """
    ALTER TABLE deliveries ADD COLUMN maybe_duplicate INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX deliveries_that_ended ON deliveries (id) WHERE state <> 'pending';
    """,
    # data written with every event holds no secrets, and must not be sealed each time
    """
    CREATE TABLE outbox (
        name TEXT PRIMARY KEY,
        value BLOB NOT NULL
    ) WITHOUT ROWID;
    INSERT INTO outbox SELECT key, value FROM entries WHERE bucket = 'outbox';
    DELETE FROM entries WHERE bucket = 'outbox';
    """,
    """
    ALTER TABLE deliveries ADD COLUMN summary INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX deliveries_of_summaries ON deliveries (summary) WHERE summary <> 0;
    """,
    _seal_values,
    # a topic is deleted with one row; its states, which are then unreachable, follow
    # bit by bit. Numbers are not reused.
    """
    CREATE TABLE new_topics (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE
    );
    INSERT INTO new_topics (id) SELECT id FROM topics ORDER BY id;
    CREATE TABLE new_event_states (
        topic INTEGER NOT NULL,
        id TEXT NOT NULL,
        message TEXT NOT NULL,
        details TEXT NOT NULL,
        time INTEGER NOT NULL,
        duration INTEGER NOT NULL,
        level INTEGER NOT NULL,
        PRIMARY KEY (topic, id)
    ) WITHOUT ROWID;
    INSERT INTO new_event_states
        SELECT new_topics.number, event_states.id, message, details, time, duration,
            level
        FROM event_states JOIN new_topics ON new_topics.id = event_states.topic;
    DROP TABLE event_states;
    DROP TABLE topics;
    ALTER TABLE new_topics RENAME TO topics;
    ALTER TABLE new_event_states RENAME TO event_states;
    CREATE TABLE deleted_topics (
        number INTEGER PRIMARY KEY
    );
    CREATE INDEX deliveries_by_end ON deliveries (state, id) WHERE state <> 'pending';
    """,
    # Summaries of floods no longer exist. A pending summary is delivered like any
    # event; it reports the events that it replaced, so these are deleted. Events of a
    # dead or cancelled summary take its state and error. The column stays: SQLite
    # before 3.35 cannot drop one.
    """
    UPDATE deliveries SET (state, error) = (
        SELECT state, error FROM deliveries AS summaries
        WHERE summaries.id = deliveries.summary
    ) WHERE state = 'summarized' AND EXISTS (
        SELECT 1 FROM deliveries AS summaries
        WHERE summaries.id = deliveries.summary
            AND summaries.state IN ('dead', 'cancelled')
    );
    DELETE FROM deliveries WHERE state = 'summarized';
    DROP INDEX deliveries_of_summaries;
    """,
    # the steps of a delivery that succeeded, sealed: their answers may hold tokens
    """
    ALTER TABLE deliveries ADD COLUMN progress BLOB;
    """,
    """
    CREATE TABLE memories (
        number INTEGER PRIMARY KEY,
        topic TEXT NOT NULL,
        handler TEXT NOT NULL,
        event_id TEXT NOT NULL,
        value BLOB NOT NULL,
        UNIQUE (topic, handler, event_id)
    );
    """,
)
NEWEST = len(MIGRATIONS)
_SEALED = MIGRATIONS.index(_seal_values) + 1


def version_of(connection: sqlite3.Connection) -> int:
    """The version of a database's schema; 0 for a new database."""
    [version] = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def sealed_value(connection: sqlite3.Connection) -> tuple[str, str, bytes] | None:
    """Any value that needs the key, with its bucket and its own key."""
    if version_of(connection) < _SEALED:
        return None
    found: tuple[str, str, bytes] | None = connection.execute(
        "SELECT bucket, key, value FROM entries LIMIT 1"
    ).fetchone()
    return found


def migrate(connection: sqlite3.Connection, seal: Seal, to: int = NEWEST) -> None:
    """Bring a database to a version of the schema, in one transaction."""
    run = connection.execute
    run("BEGIN IMMEDIATE")
    version = version_of(connection)
    for number, step in enumerate(MIGRATIONS[version:to], start=version + 1):
        if isinstance(step, str):
            for statement in step.split(";"):
                run(statement)
        else:
            step(connection, seal)
        run(f"PRAGMA user_version = {number}")
    if to >= _SEALED:
        _put(connection, seal, _CHECK)
    run("COMMIT")


def has_residue(connection: sqlite3.Connection) -> bool:
    """True if the file may still contain sealed values in plain text."""
    found = connection.execute(
        "SELECT 1 FROM entries WHERE bucket = ? AND key = ?", (_BUCKET, _RESIDUE)
    )
    return found.fetchone() is not None


def remove_residue(connection: sqlite3.Connection) -> None:
    """Rewrite the whole file without its free pages, and empty its log.

    Raises:
        sqlite3.Error: the disk lacks the space, or the log is in use.
    """
    connection.execute("VACUUM")
    [is_busy, _, _] = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if is_busy:
        raise sqlite3.OperationalError("its log is in use")
    connection.execute(
        "DELETE FROM entries WHERE bucket = ? AND key = ?", (_BUCKET, _RESIDUE)
    )


def _put(connection: sqlite3.Connection, seal: Seal, key: str) -> None:
    connection.execute(
        "INSERT OR IGNORE INTO entries VALUES (?, ?, ?)",
        (_BUCKET, key, seal.sealed(_BUCKET, key, b"")),
    )
