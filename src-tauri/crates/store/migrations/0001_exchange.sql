-- One row for each exchange. Times are milliseconds since 1970, UTC.
CREATE TABLE exchange (
  seq           INTEGER PRIMARY KEY,
  id            TEXT    NOT NULL UNIQUE,
  at            INTEGER NOT NULL,
  client        TEXT    NOT NULL,
  dialect       TEXT    NOT NULL,
  path          TEXT    NOT NULL,
  user_agent    TEXT,
  conversation  TEXT,
  asked         TEXT    NOT NULL,
  model         TEXT    NOT NULL,
  effort        TEXT,
  route         TEXT,
  provider      TEXT    NOT NULL,
  account       TEXT    NOT NULL,
  picked        TEXT,
  streamed      INTEGER NOT NULL,
  input         INTEGER,
  cached        INTEGER,
  output        INTEGER,
  reasoning     INTEGER,
  first_byte_ms INTEGER,
  total_ms      INTEGER NOT NULL,
  outcome       TEXT    NOT NULL,
  status        INTEGER,
  error         TEXT,
  message       TEXT,
  losses        TEXT,
  notes         TEXT,
  attempts      TEXT,
  upstream_id   TEXT,
  prefix        TEXT,
  cost_nano_usd INTEGER
);
-- Each ends in seq by itself, so a filtered page comes newest first without sorting.
CREATE INDEX exchange_at           ON exchange (at);
CREATE INDEX exchange_model        ON exchange (model);
CREATE INDEX exchange_account      ON exchange (account);
CREATE INDEX exchange_client       ON exchange (client);
CREATE INDEX exchange_conversation ON exchange (conversation) WHERE conversation IS NOT NULL;
CREATE INDEX exchange_trouble      ON exchange (outcome) WHERE outcome <> 'completed';

-- The sums of the rows, by hour of UTC. They outlive the rows. An empty text stands for "not known".
CREATE TABLE usage_hour (
  hour          INTEGER NOT NULL, -- hours since 1970
  model         TEXT    NOT NULL,
  provider      TEXT    NOT NULL,
  account       TEXT    NOT NULL,
  client        TEXT    NOT NULL,
  dialect       TEXT    NOT NULL,
  outcome       TEXT    NOT NULL,
  requests      INTEGER NOT NULL,
  input         INTEGER NOT NULL,
  cached        INTEGER NOT NULL,
  output        INTEGER NOT NULL,
  reasoning     INTEGER NOT NULL,
  cost_nano_usd INTEGER NOT NULL,
  counted       INTEGER NOT NULL, -- requests whose tokens are known
  unpriced      INTEGER NOT NULL, -- those of them whose price nobody knows
  begun         INTEGER NOT NULL, -- requests with a first byte
  first_byte_ms INTEGER NOT NULL, -- their sum
  total_ms      INTEGER NOT NULL, -- the sum over all
  PRIMARY KEY (hour, model, provider, account, client, dialect, outcome)
) WITHOUT ROWID;
