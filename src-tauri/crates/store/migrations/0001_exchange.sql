-- One row for each exchange. Times are milliseconds since 1970, UTC.
CREATE TABLE exchange (
  seq           INTEGER PRIMARY KEY,
  id            TEXT    NOT NULL UNIQUE,
  at            INTEGER NOT NULL,
  facet         INTEGER NOT NULL REFERENCES facet (id),
  path          TEXT    NOT NULL,
  user_agent    TEXT,
  conversation  TEXT,
  effort        TEXT,
  route         TEXT,
  picked        TEXT,
  streamed      INTEGER NOT NULL,
  input         INTEGER,
  cached        INTEGER,
  output        INTEGER,
  reasoning     INTEGER,
  first_byte_ms INTEGER,
  total_ms      INTEGER NOT NULL,
  error         TEXT,
  message       TEXT,
  losses        TEXT,
  notes         TEXT,
  attempts      TEXT,
  upstream_id   TEXT,
  prefix        TEXT,
  cost_nano_usd INTEGER
);
CREATE INDEX exchange_at           ON exchange (at);
CREATE INDEX exchange_facet        ON exchange (facet, at);
CREATE INDEX exchange_conversation ON exchange (conversation, at) WHERE conversation IS NOT NULL;

-- What rows are looked for by, once for each combination that occurs. There are few, so any filter becomes a list of
-- them, and the rows of each come in order of time.
CREATE TABLE facet (
  id            INTEGER PRIMARY KEY,
  client        TEXT    NOT NULL,
  dialect       TEXT    NOT NULL,
  asked         TEXT    NOT NULL,
  model         TEXT    NOT NULL,
  provider      TEXT    NOT NULL,
  account       TEXT    NOT NULL,
  outcome       TEXT    NOT NULL,
  status        INTEGER NOT NULL, -- 0: none was sent
  UNIQUE (client, dialect, asked, model, provider, account, outcome, status)
);

-- For whoever looks in by hand.
CREATE VIEW exchanges AS
SELECT seq, exchange.id, strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch') AS time, client, dialect, asked, model,
  provider, account, outcome, status, effort, input, cached, output, reasoning, first_byte_ms, total_ms, error, message,
  attempts, losses
FROM exchange JOIN facet ON facet.id = exchange.facet;

-- The sums of the rows, by hour of UTC. They outlive the rows. An empty text stands for "not known".
CREATE TABLE usage_hour (
  hour          INTEGER NOT NULL, -- hours since 1970
  model         TEXT    NOT NULL,
  provider      TEXT    NOT NULL,
  account       TEXT    NOT NULL,
  client        TEXT    NOT NULL,
  dialect       TEXT    NOT NULL,
  requests      INTEGER NOT NULL,
  refused       INTEGER NOT NULL, -- of these
  failed        INTEGER NOT NULL,
  cancelled     INTEGER NOT NULL,
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
  counted_ms    INTEGER NOT NULL, -- the sum over those whose tokens are known
  PRIMARY KEY (hour, model, provider, account, client, dialect)
) WITHOUT ROWID;
