-- Lots as the engine derived them: a cache. It may be dropped at any time, is no part of a dump, and
-- counts only while its key is the digest of what it was derived from.

CREATE TABLE derived (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    key  TEXT NOT NULL
) STRICT;

CREATE TABLE derived_lot (
    ordinal      INTEGER PRIMARY KEY,
    account      TEXT NOT NULL,
    symbol       TEXT NOT NULL,
    lot          TEXT NOT NULL,
    shares       TEXT NOT NULL,
    basis        TEXT,
    acquired     TEXT,
    holding_from TEXT,
    washed       INTEGER NOT NULL CHECK (washed IN (0, 1))
) STRICT;

CREATE INDEX entry_by_symbol ON entry (symbol, trade_date);
