"""Commits of every form: the paths that each takes, and what a person types for it."""

from __future__ import annotations

COMMITS: dict[str, tuple[list[str], str]] = {
    "what is added": (
        ["edited.txt"],
        """
        echo 2 >edited.txt
        echo 2 >kept.txt
        git add edited.txt
        git commit -qm x
        """,
    ),
    "all": (
        ["deleted.txt", "edited.txt"],
        """
        echo 2 >edited.txt
        rm deleted.txt
        echo 1 >new
        git commit -qam x
        """,
    ),
    "one file": (
        ["kept.txt"],
        """
        echo 2 >edited.txt
        git add edited.txt
        echo 2 >kept.txt
        git commit -qm x kept.txt
        """,
    ),
    "only": (
        ["kept.txt"],
        """
        echo 2 >edited.txt
        git add edited.txt
        echo 2 >kept.txt
        git commit -qm x --only -- dir kept.txt
        """,
    ),
    "included": (
        ["edited.txt", "kept.txt"],
        """
        echo 2 >edited.txt
        git add edited.txt
        echo 2 >kept.txt
        git commit -qm x --include kept.txt
        """,
    ),
    "a part of a file": (
        ["edited.txt"],
        r"""
        printf '0\nbefore\n1\n' >edited.txt
        echo 2 >>README
        printf 's\ny\nn\n' | git add -p edited.txt >/dev/null
        git commit -qm x
        """,
    ),
    "a pathspec from below": (
        ["dir/deep/inner.txt"],
        """
        cd dir
        echo 2 >deep/inner.txt
        echo 2 >../kept.txt
        git commit -qm x deep
        """,
    ),
    "a move": (
        ["dir/here.txt", "moved.txt"],
        """
        git mv moved.txt dir/here.txt
        git commit -qm x
        """,
    ),
    "a removal": (
        ["dir/deep/inner.txt", "dir/inner.txt"],
        """
        git rm -rq dir
        git commit -qm x
        """,
    ),
    "a file in a folder's place": (
        ["dir", "dir/deep/inner.txt", "dir/inner.txt"],
        """
        git rm -rq dir
        echo 1 >dir
        git add dir
        git commit -qm x
        """,
    ),
    "a mode": (
        ["script.sh"],
        """
        chmod +x script.sh
        git commit -qam x
        """,
    ),
    "a type": (
        ["script.sh"],
        """
        rm script.sh
        ln -s README script.sh
        git commit -qam x
        """,
    ),
    "one intended and left out": (
        ["kept.txt"],
        """
        echo 1 >later.txt
        git add -N later.txt
        echo 2 >kept.txt
        git add kept.txt
        git commit -qm x
        """,
    ),
    "nothing": (
        [],
        """
        git commit -qm x --allow-empty
        """,
    ),
    "what another index holds": (
        ["kept.txt"],
        """
        export GIT_INDEX_FILE=$PWD/.git/other
        git read-tree HEAD
        echo 2 >kept.txt
        git add kept.txt
        git commit -qm x
        """,
    ),
    "from elsewhere": (
        ["kept.txt"],
        """
        echo 2 >kept.txt
        cd /
        git -C $APP add -A
        git -C $APP commit -qm x
        """,
    ),
    "by folders": (
        ["kept.txt"],
        """
        echo 2 >kept.txt
        cd /
        export GIT_AUTHOR_NAME=x
        git --git-dir $APP/.git --work-tree $APP add -A
        git --git-dir $APP/.git --work-tree $APP commit -qm x
        """,
    ),
    "by folders named from below": (
        ["kept.txt"],
        """
        echo 2 >kept.txt
        cd dir
        git --git-dir ../.git --work-tree .. commit -qam x
        """,
    ),
    "with settings": (
        ["dir/inner.txt", "dir/out.txt"],
        """
        git config diff.relative true
        git config diff.noprefix true
        git config diff.external false
        git config diff.renames copies
        git config status.short true
        cd dir
        git mv inner.txt out.txt
        git -c core.quotePath=true commit -qm x
        """,
    ),
    "names like options": (
        ["--output=x", ":(top)y"],
        """
        echo 1 >--output=x
        echo 1 >':(top)y'
        git add .
        git commit -qm x
        """,
    ),
    "a pick's remains": (
        ["edited.txt", "kept.txt"],
        """
        git switch -qc other
        echo 2 >kept.txt
        echo 2 >edited.txt
        git commit -qam other
        git switch -q main
        echo 3 >kept.txt
        git commit -qam mine
        git cherry-pick other
        echo 4 >kept.txt
        git add kept.txt
        git commit -qm x
        """,
    ),
    "a squash": (
        ["kept.txt"],
        """
        git switch -qc other
        echo 2 >kept.txt
        git commit -qam other
        git switch -q main
        git merge -q --squash other
        git commit -qm x
        """,
    ),
    "a checkout of a path": (
        ["kept.txt"],
        """
        echo 2 >kept.txt
        git commit -qam 2
        git checkout -q HEAD~1 -- kept.txt
        git commit -qm x
        """,
    ),
}
