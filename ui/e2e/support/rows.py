"""Writes many exchanges into the request log of a gateway, as a month of a busy team would: python3 rows.py FILE HOW_MANY"""

import sqlite3
import sys
import time

file, many = sys.argv[1], int(sys.argv[2])
log = sqlite3.connect(file, timeout=10)
facets = []
for client in ("laptop", "desk", "ci"):
    for model in ("gpt-6.1-sol", "gpt-6-luna"):
        for outcome, status in (("completed", 200), ("refused", 429)):
            facet = (client, "anthropic", "claude-opus-4-8", model, "codex", "acc_00000000000000aa", outcome, status)
            log.execute(
                "INSERT OR IGNORE INTO facet (client, dialect, asked, model, provider, account, outcome, status)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                facet,
            )
            where = "client = ? AND dialect = ? AND asked = ? AND model = ? AND provider = ? AND account = ? AND outcome = ?"
            facets.append(log.execute(f"SELECT id FROM facet WHERE {where}", facet[:7]).fetchone()[0])
now = int(time.time() * 1000)
STEP = 25_000
log.executemany(
    "INSERT INTO exchange (id, at, facet, path, streamed, input, cached, output, reasoning, first_byte_ms, total_ms, cost_nano_usd)"
    " VALUES (?, ?, ?, '/v1/messages', 1, 40000, 36000, 700, 300, 900, 9000, 41000000)",
    # One in many was refused.
    ((f"req_{row:032x}", now - (many - row) * STEP, facets[1 if row % 50 == 0 else (row % 6) * 2]) for row in range(many)),
)
log.commit()
