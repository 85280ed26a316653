"""Where a path belongs: repository, worktree, branch, and what git is in the middle of.

Read from the files git keeps, by git's own rules, without a process (2 ms) and without pygit2 (90 ms): every command
and hook asks this. Only where those files do not say it (reftable) git is asked. Names that are no UTF-8 travel as
`os.fsdecode` makes them, and are escaped where they leave us.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from gitqueen.tracing import step

BUSY_REFS = (("CHERRY_PICK_HEAD", "cherry-pick"), ("REVERT_HEAD", "revert"))
BUSY_FILES = (
    ("rebase-merge", "rebase"), ("rebase-apply", "rebase"), ("MERGE_HEAD", "merge"), ("BISECT_LOG", "bisect"),
    *BUSY_REFS,
)  # fmt: skip
LENT = ("rebase", "bisect")
"""While these go on, HEAD is lent and comes back by itself: the worktree is still on its branch."""
_STAND_IN = "refs/heads/.invalid"
"""What HEAD says where refs are no files (reftable)."""
_HEX = frozenset("0123456789abcdef")
_ESCAPES = {"n": "\n", "t": "\t", "b": "\b"}


@dataclass(frozen=True, slots=True)
class Place:
    """All paths absolute and without symlinks."""

    git_dir: str
    common_dir: str
    worktree: str | None
    """None in a bare repository."""
    repo: str
    """Main worktree, or the bare repository: what people call the repository."""
    branch: str | None
    """Short name; None when HEAD is detached."""
    prefix: str = ""
    """Where one stands below the worktree's top, without slashes at the ends."""

    @property
    def folder(self) -> str:
        """Where git is asked about it: the worktree, or the git folder where there is none."""
        return self.worktree or self.git_dir

    @property
    def busy(self) -> str | None:
        """rebase, merge, cherry-pick, revert or bisect when one is going on in this worktree."""
        for name, word in BUSY_FILES:
            if os.path.exists(os.path.join(self.git_dir, name)):
                return word
        if _target(os.path.join(self.git_dir, "HEAD")) == _STAND_IN:
            for name, word in BUSY_REFS:
                if _ask(self.git_dir, "rev-parse", "--verify", "--quiet", name):
                    return word
        return None

    def environment(self, env: Mapping[str, str]) -> dict[str, str]:
        """`env` for git in this worktree: what GIT_DIR and GIT_WORK_TREE named from another folder, they name still."""
        # Never set where they were not: git trusts whom it is told to, and asks for no owner then.
        own = {"GIT_DIR": self.git_dir, "GIT_WORK_TREE": self.worktree}
        return {**env, **{key: path for key, path in own.items() if path and env.get(key)}}


def find(folder: str, env: Mapping[str, str] | None = None) -> Place | None:
    """The place of `folder`, or None outside any repository. What `env` says of it (GIT_DIR...) counts.

    Who stands inside a git folder is in the worktree it belongs to. Owners are not looked at: reading another user's
    repository is refused by git itself, later.
    """
    with step("git", f"find the repository of {folder}"):
        env = env or {}
        try:
            start = os.path.realpath(folder)
            chosen = env.get("GIT_WORK_TREE")
            work_tree = os.path.realpath(os.path.join(start, chosen)) if chosen else None
            if env.get("GIT_DIR"):
                git_dir = _git_dir(os.path.join(start, env["GIT_DIR"]))
                return _place(git_dir, start, work_tree, start) if git_dir else None
            named = env.get("GIT_CEILING_DIRECTORIES", "").split(os.pathsep)
            return _walk_up(start, work_tree, {os.path.realpath(ceiling) for ceiling in named if ceiling})
        except (OSError, ValueError):  # ValueError: a path that no file can have
            return None


def _walk_up(start: str, work_tree: str | None, ceilings: set[str]) -> Place | None:
    folder = start
    while True:
        dot_git = os.path.join(folder, ".git")
        if os.path.lexists(dot_git):
            if (git_dir := _git_dir(dot_git)) is not None:
                return _place(git_dir, start, work_tree, folder)
            if os.path.isfile(dot_git):
                return None  # a worktree whose repository is gone: the one around it is another
        if _is_git_dir(folder):
            return _place(folder, start, work_tree, _worktree_of(folder))
        parent = os.path.dirname(folder)
        if parent == folder or parent in ceilings:
            return None
        folder = parent


def _git_dir(dot_git: str) -> str | None:
    """The git folder that `.git`, a folder or a file `gitdir: PATH`, stands for."""
    if os.path.isfile(dot_git):
        said = _text(dot_git)
        if not said.startswith("gitdir: "):
            return None
        dot_git = os.path.join(os.path.dirname(dot_git), said.removeprefix("gitdir: "))
    real = os.path.realpath(dot_git)
    return real if _is_git_dir(real) else None


def _is_git_dir(folder: str) -> bool:
    # git's own test: a HEAD that makes sense, and objects and refs here or in the common folder.
    head = os.path.join(folder, "HEAD")
    if not os.path.lexists(head):
        return False
    try:
        if _target(head) is None and not _is_id(_text(head)):
            return False
        common_dir = _common_dir(folder)
    except OSError:
        return False
    return all(os.path.isdir(os.path.join(common_dir, part)) for part in ("objects", "refs"))


def _is_id(text: str) -> bool:
    return len(text) in (40, 64) and _HEX.issuperset(text)


def _common_dir(git_dir: str) -> str:
    try:
        said = _text(os.path.join(git_dir, "commondir"))
    except FileNotFoundError:
        return git_dir
    return os.path.realpath(os.path.join(git_dir, said))


def _worktree_of(git_dir: str) -> str | None:
    """The worktree that a git folder given by itself belongs to, as far as that folder says it."""
    if _common_dir(git_dir) == git_dir:
        return os.path.dirname(git_dir) if os.path.basename(git_dir) == ".git" else None
    try:
        back = _text(os.path.join(git_dir, "gitdir")).rstrip()
    except OSError:
        return None
    return os.path.realpath(os.path.dirname(os.path.join(git_dir, back)))


def _place(git_dir: str, start: str, chosen: str | None, found: str | None) -> Place:
    """`chosen`: by GIT_WORK_TREE, which is above everything; `found`: the worktree if nothing else is configured."""
    common_dir = _common_dir(git_dir)
    main = _core(common_dir, common_dir)
    bare, configured = main if git_dir == common_dir else _core(git_dir, common_dir)
    worktree = chosen or configured or (None if bare else found)
    inside = worktree is not None and (start + "/").startswith(worktree.rstrip("/") + "/")
    return Place(
        git_dir=git_dir,
        common_dir=common_dir,
        worktree=worktree,
        repo=_main(common_dir, *main, worktree if git_dir == common_dir else None),
        branch=_branch(git_dir, common_dir),
        prefix=start[len(worktree.rstrip("/")) + 1 :] if inside and worktree else "",
    )


def _main(common_dir: str, bare: bool, configured: str | None, worktree: str | None) -> str:
    # As `git worktree list` names it, which cannot tell where the worktree of a git folder of another name is.
    if configured:
        return configured
    if os.path.basename(common_dir) == ".git":
        return os.path.dirname(common_dir)
    return worktree if worktree and not bare else common_dir


def _branch(git_dir: str, common_dir: str) -> str | None:
    ref = _target(os.path.join(git_dir, "HEAD"))
    if ref == _STAND_IN:
        ref = _ask(git_dir, "symbolic-ref", "--quiet", "HEAD")
    elif ref is not None and (alias := _target(os.path.join(common_dir, ref))):
        ref = alias  # a branch that is another name of a branch; git follows it too
    return ref.removeprefix("refs/heads/") if ref is not None and ref.startswith("refs/heads/") else None


def _target(file: str) -> str | None:
    """The ref that a symbolic ref points at; None for an id, and where nothing can be read."""
    try:
        if os.path.islink(file) and (target := os.readlink(file)).startswith("refs/"):
            return target
        said = _text(file)
    except OSError:
        return None
    ref = said.removeprefix("ref:").strip()
    return ref if said.startswith("ref:") and ref.startswith("refs/") else None


def _ask(git_dir: str, *args: str) -> str | None:
    from gitqueen import errors
    from gitqueen.git import process  # only for repositories that need it

    try:
        asked = process.run(*args, cwd=git_dir, check=False)
    except errors.GitFailed:
        return None
    return os.fsdecode(asked.out.removesuffix(b"\n")) or None


def _text(path: str) -> str:
    """What one of git's small files says, without the line's end. Folders may have newlines in their names."""
    said = _read(path, 16 * 1024)
    return os.fsdecode(said.partition(b"\0")[0].rstrip(b"\r\n"))


def _read(path: str, most: int) -> bytes:
    """The first bytes of a file, without waiting: in a repository from an archive a pipe may stand there."""
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return os.read(file, most)
    finally:
        os.close(file)


def _core(git_dir: str, common_dir: str) -> tuple[bool, str | None]:
    """core.bare, and core.worktree as a path, as they hold for this git folder: git reads them there without includes,
    and for a linked worktree only where it has a configuration of its own."""
    said = _configured(os.path.join(common_dir, "config"))
    if _true(said.get("extensions.worktreeconfig")):
        said |= _configured(os.path.join(git_dir, "config.worktree"))
    elif git_dir != common_dir:
        return False, None
    worktree = said.get("core.worktree")
    return _true(said.get("core.bare")), os.path.realpath(os.path.join(git_dir, worktree)) if worktree else None


def _true(value: str | None) -> bool:
    return value is not None and value.lower() in ("true", "yes", "on", "1")


def _configured(path: str) -> dict[str, str]:
    """The few settings of a configuration file that say where a repository is, the last one of each."""
    try:
        lines = os.fsdecode(_read(path, 256 * 1024)).split("\n")
    except OSError:
        return {}
    found, section = {}, ""
    for line in lines:
        if line.lstrip().startswith("["):
            # One with a name in quotes is none of ours, whatever the brackets in it.
            section, _, line = line.lstrip()[1:].partition("]")
        key, equals, value = line.partition("=")
        name = f"{section.strip()}.{key.strip()}".lower()
        if name in ("core.bare", "core.worktree", "extensions.worktreeconfig"):
            found[name] = _value(value) if equals else "true"
    return found


def _value(raw: str) -> str:
    """A configured value without its quotes, escapes, comment and the space around it."""
    said: list[str] = []
    solid, quoted, chars = 0, False, iter(raw.lstrip())
    for char in chars:
        if char == '"':
            quoted = not quoted
        elif char == "\\":
            escaped = next(chars, "")
            said.append(_ESCAPES.get(escaped, escaped))
        elif char in "#;" and not quoted:
            break
        else:
            said.append(char)
        if quoted or not char.isspace():
            solid = len(said)
    return "".join(said[:solid])
