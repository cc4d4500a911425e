-- The ledger. Amounts, prices and shares are exact decimals and dates are ISO dates, all as text:
-- SQLite's own numbers are floats, and a float is no amount. What the text must look like is the
-- business of the program, which reads a row only if it means exactly what was written.

-- "LotW": tells our files from others.
PRAGMA application_id = 0x4C6F7457;

CREATE TABLE migration (
    number   INTEGER PRIMARY KEY,
    name     TEXT NOT NULL,
    checksum TEXT NOT NULL
) STRICT;

CREATE TABLE setting (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE account (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- One imported file. Ids are never used twice: a number in somebody's notes keeps its meaning.
CREATE TABLE batch (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    file          TEXT NOT NULL CHECK (file <> '' AND instr(file, '/') = 0),
    format        TEXT NOT NULL,
    sha256        TEXT NOT NULL CHECK (length(sha256) = 64),
    account_given TEXT,
    -- A history happened; a report of lots only says which lots the sales of histories took.
    role          TEXT NOT NULL DEFAULT 'history' CHECK (role IN ('history', 'lots')),
    rows          INTEGER NOT NULL CHECK (rows >= 0),
    imported_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX batch_by_sha256 ON batch (sha256);

-- What a row of a history says, once per content. `content` is a digest over all of it.
CREATE TABLE entry (
    id             INTEGER PRIMARY KEY,
    account        INTEGER NOT NULL REFERENCES account (id),
    transaction_id TEXT NOT NULL,
    content        TEXT NOT NULL CHECK (length(content) = 64),
    trade_date     TEXT NOT NULL CHECK (length(trade_date) = 10),
    settle_date    TEXT CHECK (length(settle_date) = 10),
    action         TEXT NOT NULL,
    symbol         TEXT,
    cusip          TEXT,
    description    TEXT NOT NULL,
    shares         TEXT,
    price          TEXT,
    amount         TEXT NOT NULL,
    fees           TEXT NOT NULL,
    currency       TEXT NOT NULL,
    detail         TEXT,
    split_new      TEXT,
    split_old      TEXT,
    CHECK ((split_new IS NULL) = (split_old IS NULL)),
    UNIQUE (account, transaction_id, content)
) STRICT;
CREATE INDEX entry_by_date ON entry (trade_date);

-- Lots that a row itself names.
CREATE TABLE stated_lot (
    entry      INTEGER NOT NULL REFERENCES entry (id) ON DELETE CASCADE,
    ordinal    INTEGER NOT NULL,
    lot        TEXT,
    acquired   TEXT,
    shares     TEXT NOT NULL,
    basis      TEXT,
    proceeds   TEXT,
    disallowed TEXT,
    long_term  INTEGER CHECK (long_term IN (0, 1)),
    covered    INTEGER CHECK (covered IN (0, 1)),
    PRIMARY KEY (entry, ordinal)
) STRICT, WITHOUT ROWID;

-- Terms of the option that a row is about.
CREATE TABLE option_terms (
    entry      INTEGER PRIMARY KEY REFERENCES entry (id) ON DELETE CASCADE,
    underlying TEXT NOT NULL,
    expiry     TEXT NOT NULL,
    right      TEXT NOT NULL CHECK (right IN ('call', 'put')),
    strike     TEXT NOT NULL,
    multiplier INTEGER NOT NULL CHECK (multiplier >= 0)
) STRICT;

-- Where a file says it: file row and order in the file. An entry lives as long as one of them.
CREATE TABLE sighting (
    batch   INTEGER NOT NULL REFERENCES batch (id) ON DELETE CASCADE,
    ordinal INTEGER NOT NULL,
    entry   INTEGER NOT NULL REFERENCES entry (id),
    row     INTEGER NOT NULL,
    PRIMARY KEY (batch, ordinal)
) STRICT, WITHOUT ROWID;
CREATE INDEX sighting_by_entry ON sighting (entry, batch);

-- Rows of a file that are no transactions, with the reason.
CREATE TABLE note (
    batch       INTEGER NOT NULL REFERENCES batch (id) ON DELETE CASCADE,
    kind        TEXT NOT NULL CHECK (kind IN ('ignored', 'quarantined', 'duplicate')),
    ordinal     INTEGER NOT NULL,
    row         INTEGER NOT NULL,
    column_name TEXT,
    value       TEXT,
    reason      TEXT NOT NULL,
    PRIMARY KEY (batch, kind, ordinal)
) STRICT, WITHOUT ROWID;

-- Holdings that a file states.
CREATE TABLE position (
    batch   INTEGER NOT NULL REFERENCES batch (id) ON DELETE CASCADE,
    ordinal INTEGER NOT NULL,
    account INTEGER NOT NULL REFERENCES account (id),
    symbol  TEXT,
    cusip   TEXT,
    shares  TEXT NOT NULL,
    price   TEXT,
    as_of   TEXT,
    row     INTEGER NOT NULL,
    PRIMARY KEY (batch, ordinal)
) STRICT, WITHOUT ROWID;

-- What a file calls an account, and whose and of what type it says it is.
CREATE TABLE account_statement (
    batch   INTEGER NOT NULL REFERENCES batch (id) ON DELETE CASCADE,
    account INTEGER NOT NULL REFERENCES account (id),
    label   TEXT,
    kind    TEXT,
    PRIMARY KEY (batch, account)
) STRICT, WITHOUT ROWID;

-- What a person was asked about a file.
CREATE TABLE question (
    batch    INTEGER NOT NULL REFERENCES batch (id) ON DELETE CASCADE,
    ordinal  INTEGER NOT NULL,
    key      TEXT NOT NULL,
    text     TEXT NOT NULL,
    proposed TEXT NOT NULL,
    rows     TEXT NOT NULL,
    PRIMARY KEY (batch, ordinal)
) STRICT, WITHOUT ROWID;

-- What the person answered.
CREATE TABLE answer (
    batch INTEGER NOT NULL REFERENCES batch (id) ON DELETE CASCADE,
    key   TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (batch, key)
) STRICT, WITHOUT ROWID;

-- Corporate actions are rows of a history like any other; this shows them alone.
CREATE VIEW corporate_action AS
SELECT entry.id AS entry, account.name AS account, trade_date, action, detail, symbol, cusip, shares,
       amount, split_new, split_old
FROM entry JOIN account ON account.id = entry.account
WHERE action IN ('split', 'spinoff', 'merger', 'return_of_capital');
