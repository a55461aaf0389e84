-- Which prices what is recorded was priced with. Others, and all is priced anew.
CREATE TABLE pricing (
  fingerprint   TEXT    NOT NULL
);
