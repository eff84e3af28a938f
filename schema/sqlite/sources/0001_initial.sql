-- Who reads a source of events, and how far; see docs/adr/0028-what-an-event-causes.md.
-- Times are Unix milliseconds.

CREATE TABLE source_state (
    -- What is owned: a trigger, a path, a queue, a replication slot.
    id TEXT NOT NULL PRIMARY KEY,
    -- Who owns it; null when nobody does.
    owner TEXT,
    -- Grows whenever somebody takes it: writes that carry an older one are refused.
    fence INTEGER NOT NULL,
    -- Until when nobody else may take it.
    lease_until INTEGER NOT NULL,
    -- The position, in the source's own words, as JSON; null before the first.
    memory BLOB
) WITHOUT ROWID;
