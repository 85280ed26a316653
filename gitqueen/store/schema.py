"""The shape of the queen's database, as one linear list of migrations.

`PRAGMA user_version` counts how many have run. The four public tables are a contract with other programs: exactly these
columns for ever; everything else of ours stands in side tables. A migration that has been released is never edited.
"""

from __future__ import annotations

import sqlite3

PUBLIC = {
    "sisters": "pid name git_branch current_task task_source status last_seen".split(),
    "messages": "id from_sister to_sister body priority sent_at read_at acked_at".split(),
    "claims": "id owner description claimed_at released_at".split(),
    "conflicts": "id type sisters detail detected_at resolved_at".split(),
}
"""The columns of the public tables, in their order."""

# A database that the original queen or another program made has the four tables already: hence IF NOT EXISTS.
_PUBLIC = """
CREATE TABLE IF NOT EXISTS sisters (pid INTEGER PRIMARY KEY, name TEXT NOT NULL, git_branch TEXT, current_task TEXT,
    task_source TEXT DEFAULT 'auto', status TEXT, last_seen TEXT);
CREATE TABLE IF NOT EXISTS messages (id INTEGER PRIMARY KEY AUTOINCREMENT, from_sister TEXT, to_sister TEXT NOT NULL,
    body TEXT NOT NULL, priority TEXT DEFAULT 'normal', sent_at TEXT NOT NULL, read_at TEXT, acked_at TEXT);
CREATE TABLE IF NOT EXISTS claims (id TEXT PRIMARY KEY, owner TEXT NOT NULL, description TEXT,
    claimed_at TEXT NOT NULL, released_at TEXT);
CREATE TABLE IF NOT EXISTS conflicts (id TEXT PRIMARY KEY, type TEXT NOT NULL, sisters TEXT NOT NULL, detail TEXT,
    detected_at TEXT NOT NULL, resolved_at TEXT);
"""

# Paths are BLOBs: a file name may hold any byte but NUL, and TEXT may not.
_SIDE = """
CREATE TABLE sessions (row INTEGER PRIMARY KEY, name TEXT NOT NULL, wanted TEXT, origin TEXT NOT NULL,
    pid INTEGER NOT NULL, ticks INTEGER NOT NULL, agent TEXT NOT NULL, started_at TEXT, session_id TEXT,
    repo BLOB, worktree BLOB, common_dir BLOB, head TEXT, dirty INTEGER);
CREATE INDEX sessions_by_body ON sessions (origin, pid, ticks);
CREATE TABLE names (name TEXT PRIMARY KEY, alive_at TEXT, died_at TEXT) WITHOUT ROWID;
CREATE TABLE replies (message INTEGER PRIMARY KEY, reply_to INTEGER NOT NULL);
CREATE TABLE holds (id TEXT PRIMARY KEY, owner TEXT NOT NULL, claimed_at TEXT NOT NULL, paths TEXT NOT NULL,
    repo BLOB, common_dir BLOB, expires_at TEXT, nonce TEXT NOT NULL, origin TEXT, pid INTEGER, ticks INTEGER);
CREATE TABLE findings (id TEXT PRIMARY KEY, severity TEXT NOT NULL, repo BLOB, common_dir BLOB, worktree BLOB,
    subject TEXT NOT NULL, facts TEXT NOT NULL, muted INTEGER NOT NULL DEFAULT 0);
CREATE TABLE events (id INTEGER PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL, sister TEXT, repo BLOB,
    detail TEXT NOT NULL);
CREATE INDEX events_by_sister ON events (sister, id);
CREATE INDEX events_by_repo ON events (repo, id);
CREATE TABLE repos (common_dir BLOB PRIMARY KEY, path BLOB NOT NULL, managed INTEGER NOT NULL DEFAULT 0);
CREATE TABLE worktrees (path BLOB PRIMARY KEY, common_dir BLOB NOT NULL, branch TEXT, head TEXT, scanned_at REAL);
CREATE TABLE changes (worktree BLOB NOT NULL, path BLOB NOT NULL, PRIMARY KEY (worktree, path)) WITHOUT ROWID;
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX messages_unread ON messages (to_sister, id, priority) WHERE read_at IS NULL;
CREATE INDEX messages_by_reader ON messages (to_sister, id);
CREATE INDEX conflicts_open ON conflicts (id) WHERE resolved_at IS NULL;
CREATE INDEX claims_held ON claims (id) WHERE released_at IS NULL;
"""

# A session that is resumed in another process finds its name again, also when its row is long gone.
_SESSIONS = "ALTER TABLE names ADD COLUMN session_id TEXT"

# `armed`: how the hooks of each worktree were found last, and by which state of their files.
_COMMITS = """
CREATE TABLE commits (common_dir BLOB NOT NULL, oid TEXT NOT NULL, sister TEXT, task TEXT, at TEXT NOT NULL,
    picked INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (common_dir, oid)) WITHOUT ROWID;
CREATE TABLE armed (worktree BLOB PRIMARY KEY, folder BLOB NOT NULL, fingerprint TEXT NOT NULL, fault TEXT NOT NULL,
    since TEXT NOT NULL) WITHOUT ROWID;
"""

# `mirrored`: which refs in a repository are this queen's, by every object she may have let them point at. `unnoted` and
# `carried`: lines that a commit's note still has to get, and commits whose notes go on to the ones that replaced them.
_MIRRORED = """
CREATE TABLE mirrored (common_dir BLOB NOT NULL, ref TEXT NOT NULL, oid TEXT NOT NULL,
    PRIMARY KEY (common_dir, ref, oid)) WITHOUT ROWID;
CREATE TABLE unnoted (id INTEGER PRIMARY KEY, common_dir BLOB NOT NULL, oid TEXT NOT NULL, line TEXT NOT NULL);
CREATE TABLE carried (id INTEGER PRIMARY KEY, common_dir BLOB NOT NULL, old TEXT NOT NULL, new TEXT NOT NULL);
"""

# Clones of one project are known by their first commit, else by where they come from. `brought`: the paths that a
# sister's commit changed.
_CLONES = """
ALTER TABLE repos ADD COLUMN root TEXT;
ALTER TABLE repos ADD COLUMN remote TEXT;
CREATE TABLE brought (common_dir BLOB NOT NULL, path BLOB NOT NULL, oid TEXT NOT NULL,
    PRIMARY KEY (common_dir, path, oid)) WITHOUT ROWID;
CREATE INDEX brought_by_commit ON brought (common_dir, oid);
"""

# Whose a ref is, it says itself: what is kept is how each repository was left. `told`: when a line was written into the
# notes; it goes when it is still there a moment later, because git overwrites what came while it read and wrote.
_MIRRORS = """
ALTER TABLE unnoted ADD COLUMN told REAL;
ALTER TABLE carried ADD COLUMN told REAL;
DROP TABLE mirrored;
CREATE TABLE mirrors (common_dir BLOB PRIMARY KEY, wanted TEXT NOT NULL, stamp TEXT, fault TEXT NOT NULL) WITHOUT ROWID;
"""

# `watched`: 1 where somebody asked to look at it. `unread`: worktrees that could not be read, and why.
_WATCHED = """
ALTER TABLE repos ADD COLUMN watched INTEGER NOT NULL DEFAULT 0;
ALTER TABLE worktrees ADD COLUMN git_dir BLOB;
ALTER TABLE worktrees ADD COLUMN upstream TEXT;
ALTER TABLE worktrees ADD COLUMN ahead INTEGER;
ALTER TABLE worktrees ADD COLUMN behind INTEGER;
ALTER TABLE worktrees ADD COLUMN busy TEXT;
ALTER TABLE worktrees ADD COLUMN dirty INTEGER;
ALTER TABLE worktrees ADD COLUMN untracked INTEGER;
ALTER TABLE worktrees ADD COLUMN took REAL;
CREATE TABLE unread (worktree BLOB PRIMARY KEY, fault TEXT NOT NULL, took REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE jobs (id INTEGER PRIMARY KEY, source TEXT NOT NULL, schedule TEXT NOT NULL, command TEXT NOT NULL,
    next_run TEXT, repo BLOB, fault TEXT NOT NULL);
"""

# `touches`: which sister wrote which path last, and how the file stood then. `attended`: when a sister's agent was last
# told what is new, and up to which letter.
_TOUCHES = """
CREATE TABLE touches (worktree BLOB NOT NULL, path BLOB NOT NULL, sister TEXT NOT NULL, at REAL NOT NULL,
    stamp TEXT NOT NULL, PRIMARY KEY (worktree, path, sister)) WITHOUT ROWID;
CREATE TABLE attended (sister TEXT PRIMARY KEY, at REAL NOT NULL, letter INTEGER NOT NULL) WITHOUT ROWID;
"""

# The window that a sister was seen in, and what the scan last made of her status: another one was said by her agent.
_TERMINALS = """
ALTER TABLE sessions ADD COLUMN terminal TEXT;
ALTER TABLE sessions ADD COLUMN window TEXT;
ALTER TABLE sessions ADD COLUMN title TEXT;
ALTER TABLE sessions ADD COLUMN focused INTEGER;
ALTER TABLE sessions ADD COLUMN waiting_for TEXT;
ALTER TABLE sessions ADD COLUMN seen_status TEXT;
"""

# `heard`: when the queen heard whose a commit is (Unix time): a hook's record may wait in the spool for a while.
_HEARD = """
ALTER TABLE commits ADD COLUMN heard REAL NOT NULL DEFAULT 0;
"""

# `states`: all that stands in a worktree as one commit, good while `mark` holds. `merges`: what git says of merging two
# commits under `settings`, as JSON.
_MERGES = """
CREATE TABLE states (worktree BLOB PRIMARY KEY, mark TEXT NOT NULL, oid TEXT NOT NULL, head TEXT,
    left_out TEXT NOT NULL, at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE merges (ours TEXT NOT NULL, theirs TEXT NOT NULL, settings TEXT NOT NULL, answer TEXT NOT NULL,
    at REAL NOT NULL, PRIMARY KEY (ours, theirs, settings)) WITHOUT ROWID;
"""

MIGRATIONS: tuple[str, ...] = (
    _PUBLIC + _SIDE,
    _SESSIONS,
    _COMMITS,
    _MIRRORED,
    _CLONES,
    _MIRRORS,
    _WATCHED,
    _TOUCHES,
    _TERMINALS,
    _HEARD,
    _MERGES,
)
VERSION = len(MIGRATIONS)


def misfit(db: sqlite3.Connection) -> str | None:
    """The sentence that says why this is no database of the queen's, or None; a table that is missing is none."""
    for table, columns in PUBLIC.items():
        found = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
        if found and found != columns:
            return f"its table {table} has the columns {', '.join(found)}, not {', '.join(columns)}"
    return None
