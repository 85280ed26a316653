"""Real hook managers, each with a hook of the user's at every event, and a yard where they and we live side by side.

The yard's gitqueen is a copy of the product whose shell text tells of each call before it does what it always does: so
it is seen that we fire, and how often, without a sister for every commit.
"""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import gitqueen
from tests import conftest
from tests.hive import Repo, Runner

CACHE = Path(conftest.CACHE)

EVENTS = ("pre-commit", "post-checkout", "post-commit", "post-merge", "post-rewrite")

TELL = """\
#!/bin/sh
# The user's own hook: tells its event, arguments and input, and refuses when asked to.
event=$1; shift
printf '%s|%s|%s\\n' "$event" "$*" "$(cat)" >>"$BOOK"
[ "$event" != "${REFUSE-}" ]
"""


def copy_of_gitqueen(folder: Path) -> Path:
    """gitqueen as it is, but for a line that tells of each call to the file that CANARY names."""
    checkout = Path(gitqueen.__file__).parents[1]
    shutil.copytree(checkout / "gitqueen", folder / "gitqueen", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(checkout / "hooks", folder / "hooks")
    shim = folder / "hooks" / "git-hook.sh"
    head, start, rest = shim.read_text().partition("gitqueen_hook() {\n")
    assert start
    told = """  [ -z "${CANARY-}" ] || echo $3 ${4-} ${5-} ${6-} >>"$CANARY"\n"""
    shim.write_text(head + start + told + rest)
    return folder


def lefthook() -> str:
    """The folder of lefthook itself, which its hooks find too; what npm links is a script for node, and slow."""
    found = (CACHE / "npm/node_modules").glob("lefthook-*/bin/lefthook")
    return next((os.fspath(path.parent) for path in found), "")


@dataclass(frozen=True)
class Round:
    """One of everything that fires: what git says to each hook, in order."""

    calls: tuple[tuple[str, str, str], ...]
    """Event, arguments, standard input."""

    @property
    def ours(self) -> list[str]:
        return [f"{event} {arguments}".strip() for event, arguments, _ in self.calls]

    @property
    def told(self) -> list[str]:
        return ["|".join(call) for call in self.calls]


@dataclass(frozen=True)
class Yard:
    """A repository with somebody's hooks in it, a gitqueen, and the books that all of them write into."""

    repo: Repo
    run: Runner
    product: Path
    book: Path
    canary: Path

    def gitqueen(self, *words: str, rc: int = 0) -> str:
        env = {"PYTHONPATH": os.fspath(self.product)}
        done = self.run(sys.executable, "-m", "gitqueen", *words, cwd=self.repo, env=env)
        assert done.returncode == rc, (words, done)
        return done.stdout

    def arm(self) -> None:
        """Install; no look around of a hook may heal anything behind the test's back."""
        self.gitqueen("hooks", "install")
        later = Path(os.environ["GITQUEEN_HOME"], "next-scan")
        later.touch()
        os.utime(later, (4_000_000_000, 4_000_000_000))

    def told(self) -> list[str]:
        return _taken(self.book)

    def fired(self) -> list[str]:
        """Each call of ours, in order."""
        return _taken(self.canary)

    def round(self) -> Round:
        """A branch, a commit, an amended one, back again, and a merge."""
        git = self.repo.git
        self.told(), self.fired()
        start = self.repo.head
        branch = f"side-{start[:12]}"
        git("checkout", "-q", "-b", branch)
        first = self.repo.commit("one", {"work": start})
        git("commit", "--quiet", "--amend", "--no-verify", "--message", f"two after {start}")
        second = self.repo.head
        git("checkout", "-q", "main")
        git("merge", "-q", branch)
        return Round(
            (
                ("post-checkout", f"{start} {start} 1", ""),
                ("pre-commit", "", ""),
                ("post-commit", "", ""),
                ("post-commit", "", ""),
                ("post-rewrite", "amend", f"{first} {second}"),
                ("post-checkout", f"{second} {start} 1", ""),
                ("post-merge", "0", ""),
            )
        )

    def refused(self) -> bool:
        """Whether a commit is refused when the user's own pre-commit says no."""
        before = self.repo.head
        self.repo.write("work", "refused")
        done = self.run("git", "commit", "-qam", "no", cwd=self.repo, env={"REFUSE": "pre-commit"})
        assert (done.returncode != 0) == (self.repo.head == before)
        self.repo.git("reset", "-q", "--hard")
        self.told(), self.fired()
        return done.returncode != 0

    def hooks(self) -> dict[str, tuple[int, bytes]]:
        """Every hook file wherever hooks may be, and the configuration: mode and bytes."""
        folders = [self.repo.path / ".git" / "hooks", self.repo.path / ".husky" / "_"]
        files = [path for folder in folders if folder.is_dir() for path in folder.iterdir() if path.suffix != ".sample"]
        files.append(self.repo.path / ".git" / "config")
        return {str(path.relative_to(self.repo.path)): (path.stat().st_mode, path.read_bytes()) for path in files}

    def traces(self) -> list[str]:
        """Files in which anything of ours stands."""
        return [name for name, (_, text) in sorted(self.hooks().items()) if b"gitqueen_hook" in text]


def _taken(book: Path) -> list[str]:
    lines = book.read_text().splitlines() if book.exists() else []
    book.unlink(missing_ok=True)
    return lines


class Manager:
    """How one hook manager is installed, and what it makes of git's calls."""

    rewrites = True
    """Installing it puts its own file where ours was."""
    guards = True
    """It runs the user's own pre-commit."""
    program = ""
    """What its hooks call, where they tell nothing themselves."""

    def prepare(self, yard: Yard) -> None:
        """What the user writes and commits, before any manager is installed."""
        tell = yard.repo.path / "tell"
        tell.write_text(TELL)
        tell.chmod(0o755)

    def install(self, yard: Yard) -> None:
        raise NotImplementedError

    def uninstall(self, yard: Yard) -> None:
        raise NotImplementedError

    def expected(self, round: Round) -> list[str]:
        """What stands in the book after a round."""
        return round.told


class Husky(Manager):
    """core.hooksPath at a folder that git ignores; its files find the user's by their own name (`$0`)."""

    def prepare(self, yard: Yard) -> None:
        super().prepare(yard)
        for event in EVENTS:
            yard.repo.write(f".husky/{event}", './tell "$(basename "$0")" "$@"\n')

    def install(self, yard: Yard) -> None:
        yard.run(CACHE / "npm/node_modules/.bin/husky", cwd=yard.repo, check=True)

    def uninstall(self, yard: Yard) -> None:
        yard.repo.git("config", "--unset", "core.hooksPath")
        shutil.rmtree(yard.repo.path / ".husky" / "_")


class Lefthook(Manager):
    """Moves the hook that it finds to `<hook>.old`, where nothing runs it."""

    def prepare(self, yard: Yard) -> None:
        super().prepare(yard)
        parts = [
            f"{event}:\n  commands:\n    tell:\n      run: ./tell {event} {{0}}\n      use_stdin: true\n"
            for event in EVENTS
        ]
        yard.repo.write("lefthook.yml", "".join(parts))

    def install(self, yard: Yard) -> None:
        yard.run("lefthook", "install", cwd=yard.repo, check=True)

    def uninstall(self, yard: Yard) -> None:
        yard.run("lefthook", "uninstall", cwd=yard.repo, check=True)


class PreCommit(Manager):
    """Moves the hook that it finds to `<hook>.legacy` and runs it first. Gives arguments by environment, no input."""

    def prepare(self, yard: Yard) -> None:
        super().prepare(yard)
        stages = ", ".join(EVENTS)
        config = f"""\
            default_install_hook_types: [{stages}]
            repos:
            - repo: local
              hooks:
            """
        hook = """\
              - id: {event}
                name: {event}
                language: system
                entry: sh -c './tell {event} {arguments} </dev/null'
                always_run: true
                pass_filenames: false
                stages: [{event}]
            """
        given = {
            "post-checkout": "$PRE_COMMIT_FROM_REF $PRE_COMMIT_TO_REF $PRE_COMMIT_CHECKOUT_TYPE",
            "post-merge": "$PRE_COMMIT_IS_SQUASH_MERGE",
            "post-rewrite": "$PRE_COMMIT_REWRITE_COMMAND",
        }
        text = textwrap.dedent(config)
        for event in EVENTS:
            text += textwrap.indent(textwrap.dedent(hook.format(event=event, arguments=given.get(event, ""))), "  ")
        yard.repo.write(".pre-commit-config.yaml", text)

    def install(self, yard: Yard) -> None:
        yard.run(CACHE / "pre-commit/bin/pre-commit", "install", cwd=yard.repo, check=True)

    def uninstall(self, yard: Yard) -> None:
        yard.run(CACHE / "pre-commit/bin/pre-commit", "uninstall", cwd=yard.repo, check=True)

    def expected(self, round: Round) -> list[str]:
        return [f"{event}|{arguments}|" for event, arguments, _ in round.calls]


class GitLfs(Manager):
    """Installs nothing where any file is, and says so with exit 2."""

    rewrites = False
    guards = False
    program = "git-lfs"

    def install(self, yard: Yard) -> None:
        done = yard.run("git", "lfs", "install", "--local", cwd=yard.repo)
        assert done.returncode == 0 or "Hook already exists" in done.stdout + done.stderr, done
        yard.told()

    def uninstall(self, yard: Yard) -> None:
        yard.run("git", "lfs", "uninstall", "--local", cwd=yard.repo, check=True)

    def expected(self, round: Round) -> list[str]:
        calls = [call for call in round.calls if call[0] in ("post-checkout", "post-commit", "post-merge")]
        return [f"git-lfs {event} {arguments}".strip() for event, arguments, _ in calls]


class GitAnnex(Manager):
    """Installs nothing where any file is, and says so in passing."""

    rewrites = False
    guards = False
    program = "git-annex"

    def install(self, yard: Yard) -> None:
        yard.run("git", "annex", "init", "--quiet", "here", cwd=yard.repo, check=True)
        yard.told()

    def uninstall(self, yard: Yard) -> None:
        yard.run("git", "annex", "uninit", "--quiet", cwd=yard.repo, check=True)

    def expected(self, round: Round) -> list[str]:
        said = {
            "pre-commit": "git-annex pre-commit .",
            "post-checkout": "git-annex smudge --update",
            "post-merge": "git-annex smudge --update",
        }
        return [said[event] for event, _, _ in round.calls if event in said]


def telling(program: str, folder: Path) -> None:
    """Put `program` first on PATH as one that tells its hook calls to the book, and then is the real one."""
    folder.mkdir(exist_ok=True)
    script = folder / program
    if script.exists():
        return
    real = shutil.which(program)
    script.write_text(
        "#!/bin/sh\n"
        'case "$*" in pre-commit* | post-* | "smudge --update") echo "${0##*/} $*" >>"$BOOK" ;; esac\n'
        f'exec {real} "$@"\n'
    )
    script.chmod(0o755)
