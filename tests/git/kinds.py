"""Every kind of repository that people have, each built for real: what the contract of reading is run over.

A builder gets an empty folder and returns where one stands. `stir` then changes a worktree in every way at once.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.hive import Repo, new_repo

FILES = {
    "README": "hive\n",
    "kept.txt": "kept\n",
    "edited.txt": "before\n",
    "staged.txt": "before\n",
    "both.txt": "before\n",
    "deleted.txt": "gone soon\n",
    "removed.txt": "gone soon\n",
    "moved.txt": "a line that moves\nand another\nand a third\n",
    "script.sh": "#!/bin/sh\n",
    "dir/deep/inner.txt": "inner\n",
    "dir/inner.txt": "inner\n",
    "a space/ü.txt": "ü\n",
    "out/side.txt": "outside of a sparse tree\n",
    ".gitignore": "*.log\n/build/\n",
}


@dataclass(frozen=True)
class Kind:
    """Where one stands, and what is special there."""

    top: Path
    """Top of the worktree; of a bare repository its folder."""
    repo: Path | None = None
    """What `Place.repo` says where `git worktree list` cannot tell the main worktree."""
    bare: bool = False


def stir(top: Path) -> None:
    """Change what can be changed: edits, staged and not, deletes, a rename, a mode, types, new and ignored files."""
    repo = Repo(top)
    repo.write("edited.txt", "after\n")
    repo.write("staged.txt", "after\n")
    repo.write("both.txt", "staged\n")
    repo.git("add", "staged.txt", "both.txt")
    repo.write("both.txt", "and edited\n")
    (top / "deleted.txt").unlink()
    repo.git("rm", "--quiet", "removed.txt")
    repo.git("mv", "moved.txt", "arrived.txt")
    (top / "script.sh").chmod(0o755)
    (top / "dir/inner.txt").unlink()
    (top / "dir/inner.txt").symlink_to("deep/inner.txt")
    repo.write("new/untracked.txt", "new\n")
    repo.write("new/deep/untracked too.txt", "new\n")
    repo.write("new/added.txt", "new\n")
    repo.git("add", "new/added.txt")
    repo.write("intended.txt", "not yet\n")
    repo.git("add", "--intent-to-add", "intended.txt")
    repo.write("ignored.log", "ignored\n")
    repo.write("build/ignored", "ignored\n")


def plain(box: Path) -> Kind:
    return Kind(new_repo(box / "app", FILES).path)


def unborn(box: Path) -> Kind:
    repo = Repo(box / "app")
    repo.path.mkdir()
    repo.git("init", "--quiet", "--initial-branch", "not/yet")
    repo.write("new.txt", "new\n")
    repo.write("staged.txt", "new\n")
    repo.git("add", "staged.txt")
    return Kind(repo.path)


def detached(box: Path) -> Kind:
    repo = new_repo(box / "app", FILES)
    repo.git("checkout", "--quiet", "--detach")
    return Kind(repo.path)


def linked(box: Path) -> Kind:
    return Kind(new_repo(box / "app", FILES).worktree("topic/one").path)


def linked_inside(box: Path) -> Kind:
    """A worktree within the worktree, as Claude Code makes them."""
    repo = new_repo(box / "app", FILES)
    repo.git("worktree", "add", "--quiet", "-b", "one", ".claude/worktrees/one")
    return Kind(repo.path)


def inside(box: Path) -> Kind:
    return Kind(linked_inside(box).top / ".claude/worktrees/one")


def bare(box: Path) -> Kind:
    new_repo(box / "app", FILES).git("clone", "--quiet", "--bare", ".", box / "bare.git")
    return Kind(box / "bare.git", bare=True)


def of_bare(box: Path) -> Kind:
    top = bare(box).top
    Repo(top).git("worktree", "add", "--quiet", "-b", "topic", box / "topic")
    return Kind(box / "topic")


def of_dot_git(box: Path) -> Kind:
    """`git clone --bare URL project/.git`: worktrees beside a bare repository that is called `.git`."""
    new_repo(box / "app", FILES).git("clone", "--quiet", "--bare", ".", box / "project" / ".git")
    Repo(box / "project").git("worktree", "add", "--quiet", "-b", "topic", "topic")
    return Kind(box / "project" / "topic")


def beside_bare(box: Path) -> Kind:
    """`project/.git` is a file that leads to the bare repository `project/.bare`."""
    new_repo(box / "app", FILES).git("clone", "--quiet", "--bare", ".", box / "project" / ".bare")
    (box / "project" / ".git").write_text("gitdir: ./.bare\n")
    return Kind(box / "project", bare=True)


def separate(box: Path) -> Kind:
    repo = new_repo(box / "app", FILES)
    (box / "elsewhere").mkdir()
    repo.git("init", "--quiet", "--separate-git-dir", box / "elsewhere" / "app-git")
    return Kind(repo.path, repo=repo.path)


def of_separate(box: Path) -> Kind:
    return Kind(Repo(separate(box).top).worktree("topic").path)


def _with_submodule(outer: Repo, inner: Repo) -> Repo:
    outer.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inner.path, "parts/inner")
    outer.commit("a submodule")
    return Repo(outer.path / "parts/inner")


def submodule(box: Path) -> Kind:
    part = _with_submodule(new_repo(box / "outer"), new_repo(box / "inner", FILES))
    return Kind(part.path, repo=part.path)


def nested_submodule(box: Path) -> Kind:
    middle = _with_submodule(new_repo(box / "outer"), new_repo(box / "middle"))
    part = _with_submodule(middle, new_repo(box / "inner", FILES))
    return Kind(part.path, repo=part.path)


def of_submodule(box: Path) -> Kind:
    part = submodule(box).top
    return Kind(Repo(part).worktree("topic").path, repo=part)


def superproject(box: Path) -> Kind:
    outer = new_repo(box / "outer", FILES)
    for name in ("clean", "moved", "edited", "littered"):
        inner = new_repo(box / name)
        outer.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inner.path, f"parts/{name}")
    outer.commit("submodules")
    Repo(outer.path / "parts/moved").commit("on")
    Repo(outer.path / "parts/edited").write("README", "edited\n")
    Repo(outer.path / "parts/littered").write("litter", "new\n")
    return Kind(outer.path)


def around_repository(box: Path) -> Kind:
    """Somebody cloned another repository into this one and did not say so."""
    repo = new_repo(box / "app", FILES)
    new_repo(repo.path / "vendor/inner")
    return Kind(repo.path)


def sha256(box: Path) -> Kind:
    repo = Repo(box / "app")
    repo.path.mkdir()
    repo.git("init", "--quiet", "--object-format=sha256")
    repo.commit("first", FILES)
    return Kind(repo.path)


def reftable(box: Path) -> Kind:
    repo = Repo(box / "app")
    repo.path.mkdir()
    repo.git("init", "--quiet", "--ref-format=reftable", "--initial-branch=topic/one")
    repo.commit("first", FILES)
    return Kind(repo.path)


def reftable_linked(box: Path) -> Kind:
    return Kind(Repo(reftable(box).top).worktree("topic/two").path)


def reftable_detached(box: Path) -> Kind:
    top = reftable(box).top
    Repo(top).git("checkout", "--quiet", "--detach")
    return Kind(top)


def relative_links(box: Path) -> Kind:
    """Worktrees whose two ends name each other by relative paths."""
    repo = new_repo(box / "app", FILES)
    repo.git("worktree", "add", "--quiet", "--relative-paths", "-b", "topic", box / "topic")
    return Kind(box / "topic")


def sparse_cone(box: Path) -> Kind:
    repo = new_repo(box / "app", FILES)
    repo.git("sparse-checkout", "set", "--cone", "dir", "new", "a space")
    return Kind(repo.path)


def sparse_patterns(box: Path) -> Kind:
    repo = new_repo(box / "app", FILES)
    repo.git("sparse-checkout", "set", "--no-cone", "/*", "!/out/")
    return Kind(repo.path)


def sparse_index(box: Path) -> Kind:
    repo = new_repo(box / "app", FILES)
    repo.git("sparse-checkout", "set", "--cone", "--sparse-index", "dir", "new")
    return Kind(repo.path)


def of_sparse(box: Path) -> Kind:
    """A sparse worktree beside one that is not: the setting stands in its own configuration."""
    top = linked(box).top
    Repo(top).git("sparse-checkout", "set", "--cone", "dir", "new")
    return Kind(top)


def partial(box: Path) -> Kind:
    source = new_repo(box / "app", FILES)
    source.git("config", "uploadpack.allowFilter", "true")
    source.git("clone", "--quiet", "--filter=blob:none", f"file://{source.path}", box / "clone")
    return Kind(box / "clone")


def shallow(box: Path) -> Kind:
    source = new_repo(box / "app", FILES)
    source.commit("second", {"README": "again\n"})
    source.git("clone", "--quiet", "--depth=1", f"file://{source.path}", box / "clone")
    return Kind(box / "clone")


def _filter(repo: Repo) -> None:
    repo.git("config", "filter.shout.clean", "tr a-z A-Z")
    repo.git("config", "filter.shout.smudge", "tr A-Z a-z")
    repo.git("config", "filter.shout.required", "true")


def filtered(box: Path) -> Kind:
    """Content that a driver makes, as Git LFS does; touched since, so that only the driver can tell it is the same."""
    repo = new_repo(box / "app", {".gitattributes": "shout* filter=shout\n"})
    _filter(repo)
    repo.commit("filtered", {**FILES, "shout.txt": "same as ever\n", "dir/shouted.txt": "other soon\n"})
    repo.write("dir/shouted.txt", "another\n")
    os.utime(repo.path / "shout.txt", (2_000_000_000, 2_000_000_000))
    return Kind(repo.path)


def filtered_below(box: Path) -> Kind:
    """The attributes stand in a folder, and nobody added them: only the worktree has them."""
    repo = new_repo(box / "app", FILES)
    _filter(repo)
    repo.write("dir/.gitattributes", "shout* filter=shout\n")
    repo.commit("filtered", {"dir/shout.txt": "same as ever\n"})
    os.utime(repo.path / "dir/shout.txt", (2_000_000_000, 2_000_000_000))
    return Kind(repo.path)


def filtered_privately(box: Path) -> Kind:
    """Attributes of this clone alone, seen from a linked worktree."""
    repo = new_repo(box / "app")
    _filter(repo)
    info = repo.path / ".git/info"
    info.mkdir(exist_ok=True)
    (info / "attributes").write_text("shout* filter=shout\n")
    repo.commit("filtered", {**FILES, "shout.txt": "same as ever\n"})
    top = repo.worktree("topic").path
    os.utime(top / "shout.txt", (2_000_000_000, 2_000_000_000))
    return Kind(top)


def crlf(box: Path) -> Kind:
    repo = new_repo(box / "app", {".gitattributes": "*.txt text eol=crlf\n*.bin -text\n"})
    repo.commit("lines", {**FILES, "windows.txt": "one\r\ntwo\r\n", "raw.bin": "one\r\ntwo\n"})
    for name in ("windows.txt", "raw.bin"):
        os.utime(repo.path / name, (2_000_000_000, 2_000_000_000))
    return Kind(repo.path)


def autocrlf(box: Path) -> Kind:
    repo = new_repo(box / "app", FILES)
    repo.git("config", "core.autocrlf", "true")
    repo.commit("lines", {"windows.txt": "one\r\ntwo\r\n"})
    os.utime(repo.path / "windows.txt", (2_000_000_000, 2_000_000_000))
    return Kind(repo.path)


def encoded(box: Path) -> Kind:
    """Files in UTF-16 that git keeps in UTF-8."""
    repo = new_repo(box / "app", {".gitattributes": "*.utf16 text working-tree-encoding=UTF-16\n"})
    (repo.path / "wide.utf16").write_text("wide\n", encoding="utf-16")
    repo.git("add", "wide.utf16")
    repo.commit("wide", FILES)
    os.utime(repo.path / "wide.utf16", (2_000_000_000, 2_000_000_000))
    return Kind(repo.path)


def identified(box: Path) -> Kind:
    repo = new_repo(box / "app", {".gitattributes": "*.id ident\n"})
    repo.commit("ident", {**FILES, "a.id": "$Id$\n"})
    (repo.path / "a.id").unlink()
    repo.git("checkout", "--", "a.id")
    os.utime(repo.path / "a.id", (2_000_000_000, 2_000_000_000))
    return Kind(repo.path)


def split_index(box: Path) -> Kind:
    repo = new_repo(box / "app", FILES)
    repo.git("update-index", "--split-index")
    return Kind(repo.path)


def split_index_set(box: Path) -> Kind:
    repo = new_repo(box / "app", FILES)
    repo.git("config", "core.splitIndex", "true")
    repo.git("update-index", "--refresh")
    return Kind(repo.path)


def index_v4(box: Path) -> Kind:
    repo = new_repo(box / "app", FILES)
    repo.git("update-index", "--index-version", "4")
    return Kind(repo.path)


def untracked_cache(box: Path) -> Kind:
    repo = new_repo(box / "app", FILES)
    repo.git("config", "core.untrackedCache", "true")
    repo.git("status")
    return Kind(repo.path)


def hidden_bits(box: Path) -> Kind:
    """Files that git was told not to look at."""
    repo = new_repo(box / "app", {**FILES, "assumed.txt": "1\n", "skipped.txt": "1\n", "absent.txt": "1\n"})
    repo.git("update-index", "--assume-unchanged", "assumed.txt")
    repo.git("update-index", "--skip-worktree", "skipped.txt", "absent.txt")
    repo.write("assumed.txt", "2\n")
    repo.write("skipped.txt", "2\n")
    (repo.path / "absent.txt").unlink()
    return Kind(repo.path)


def modeless(box: Path) -> Kind:
    repo = new_repo(box / "app", FILES)
    repo.git("config", "core.fileMode", "false")
    (repo.path / "README").chmod(0o755)
    return Kind(repo.path)


def worktree_config(box: Path) -> Kind:
    repo = new_repo(box / "app", FILES)
    repo.git("config", "extensions.worktreeConfig", "true")
    top = repo.worktree("topic").path
    Repo(top).git("config", "--worktree", "gitqueen.policy", "off")
    return Kind(top)


def of_bare_config(box: Path) -> Kind:
    """A bare repository that says so in its own `config.worktree`, as `git worktree` itself arranges it."""
    top = bare(box).top
    Repo(top).git("config", "extensions.worktreeConfig", "true")
    Repo(top).git("config", "--unset", "core.bare")
    Repo(top).git("config", "--worktree", "core.bare", "true")
    Repo(top).git("worktree", "add", "--quiet", "-b", "topic", box / "topic")
    return Kind(box / "topic")


def bare_config(box: Path) -> Kind:
    of_bare_config(box)
    return Kind(box / "bare.git", bare=True)


def core_worktree(box: Path) -> Kind:
    """A worktree far from its repository that finds it by a file, and is found back by core.worktree, with escapes."""
    repo = new_repo(box / "app", FILES)
    home = box / ' a "quoted" \\ home; # of its own'
    home.mkdir()
    repo.git("config", "core.worktree", home)
    (home / ".git").write_text(f"gitdir: {repo.path}/.git\n")
    Repo(home).git("checkout", "--", ".")
    return Kind(home, repo=home)


def symlinked(box: Path) -> Kind:
    """Reached through a link, and its `.git` is a link too."""
    repo = new_repo(box / "real" / "app", FILES)
    (repo.path / ".git").rename(box / "store")
    (repo.path / ".git").symlink_to(box / "store")
    (box / "alias").symlink_to(repo.path)
    return Kind(box / "alias", repo=repo.path)


def head_is_link(box: Path) -> Kind:
    """HEAD as a symbolic link: how git wrote it long ago, and still reads it."""
    repo = new_repo(box / "app", FILES)
    (repo.path / ".git/HEAD").unlink()
    (repo.path / ".git/HEAD").symlink_to("refs/heads/main")
    return Kind(repo.path)


def alias_branch(box: Path) -> Kind:
    repo = new_repo(box / "app", FILES)
    repo.git("symbolic-ref", "refs/heads/alias", "refs/heads/main")
    repo.git("symbolic-ref", "HEAD", "refs/heads/alias")
    return Kind(repo.path)


def packed(box: Path) -> Kind:
    repo = new_repo(box / "app", FILES)
    repo.git("tag", "main")
    repo.git("gc", "--quiet")
    return Kind(repo.path)


def merging(box: Path) -> Kind:
    """In the middle of a merge with conflicts of every sort."""
    repo = new_repo(box / "app", {**FILES, "clash.txt": "base\n", "lost.txt": "base\n"})
    repo.git("switch", "--quiet", "--create", "theirs")
    repo.git("rm", "--quiet", "lost.txt")
    repo.commit("theirs", {"clash.txt": "theirs\n", "added.txt": "theirs\n", "carried.txt": "theirs\n"})
    repo.git("switch", "--quiet", "main")
    repo.commit("ours", {"clash.txt": "ours\n", "added.txt": "ours\n", "lost.txt": "ours\n"})
    subprocess.run(["git", "merge", "--quiet", "theirs"], cwd=repo.path, capture_output=True, check=False)
    return Kind(repo.path)


def many_commits(box: Path) -> Kind:
    repo = new_repo(box / "app", FILES)
    stream = ["reset refs/heads/main", "from refs/heads/main^0", ""]
    for number in range(10_000):
        who = f"committer Keeper <keeper@example.org> {1_700_000_000 + number} +0000"
        stream += ["commit refs/heads/main", who, "data 2", "c", f"M 100644 inline log/{number % 50}", "data 1", "x"]
    feed = "\n".join(stream).encode() + b"\n"
    subprocess.run(["git", "fast-import", "--quiet"], cwd=repo.path, input=feed, check=True)
    repo.git("reset", "--quiet", "--hard")
    return Kind(repo.path)


def odd_paths(box: Path) -> Kind:
    """Names of every byte that a file name can have, and some that look like something else."""
    top = new_repo(box / "app", FILES).path
    every = bytes(byte for byte in range(1, 256) if byte != 0x2F)
    names = [every[:120], every[120:], b"-dash", b"--output=x", b"two\nlines", b'"quoted"', b"\xff\xfe", b" ", b"\\"]
    names += [b":(top)magic", b"*", b"[a]", b"tab\there", b"end ", b"\xc3\xa9", b"e\xcc\x81", b"%s", b"?? fake"]
    folder = os.fsencode(top)
    for name in names:
        os.makedirs(os.path.join(folder, b"odd", name))
        for kind in (b"tracked-", b"new-"):
            with open(os.path.join(folder, b"odd", name, kind + name[:40]), "wb") as file:
                file.write(b"1\n")
    Repo(top).git("add", "odd/*tracked-*")
    Repo(top).commit("odd")
    for name in names:
        with open(os.path.join(folder, b"odd", name, b"tracked-" + name[:40]), "wb") as file:
            file.write(b"2\n")
    return Kind(top)


def odd_folder(box: Path) -> Kind:
    """A worktree whose path has newlines, and a repository too."""
    folder = box / os.fsdecode(b"two\nlines \xff")
    return Kind(new_repo(folder / "app\n", FILES).worktree("topic").path)


def _on_branch(box: Path, name: bytes) -> Kind:
    repo = new_repo(box / "app", FILES)
    repo.git("switch", "--quiet", "--create", os.fsdecode(name))
    return Kind(repo.path)


def unicode_branch(box: Path) -> Kind:
    return _on_branch(box, "fünf/蜂".encode())


def byte_branch(box: Path) -> Kind:
    return _on_branch(box, b"caf\xe9/\xff")


def long_branch(box: Path) -> Kind:
    return _on_branch(box, b"/".join([b"x" * 200] * 3))


BUILDERS: Mapping[str, Callable[[Path], Kind]] = {
    build.__name__: build
    for build in (
        plain, unborn, detached, linked, linked_inside, inside, bare, of_bare, of_dot_git, beside_bare, separate,
        of_separate, submodule, nested_submodule, of_submodule, superproject, around_repository, sha256, reftable,
        reftable_linked, reftable_detached, relative_links, sparse_cone, sparse_patterns, sparse_index, of_sparse,
        partial, shallow, filtered, filtered_below, filtered_privately, crlf, autocrlf, encoded, identified,
        split_index, split_index_set, index_v4, untracked_cache, hidden_bits, modeless, worktree_config,
        of_bare_config, bare_config, core_worktree, symlinked, head_is_link, alias_branch, packed, merging,
        many_commits, odd_paths, odd_folder, unicode_branch, byte_branch, long_branch,
    )
}  # fmt: skip
NEWER = ("reftable", "reftable_linked", "reftable_detached", "relative_links")
"""Kinds that the git of a stable distribution does not know."""
