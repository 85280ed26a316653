# What git's hooks source: `gitqueen_hook PYTHON DOOR EVENT [ARGUMENT...]`; status 1 refuses what git is about to do.
# Whoever sources it has set gitqueen_hooks to this folder. Any POSIX sh (-nt is in POSIX since 2024, and was everywhere
# before). The quiet path starts no process: a commit takes 4 ms, and every process is one of them. What may fail to open
# stands in `{ ...; } 2>/dev/null`: zsh says so before it has redirected anything of the command itself.
# shellcheck shell=sh disable=SC1091,SC2154,SC3013

gitqueen_hook() {
  [ -z "${ZSH_VERSION-}" ] || emulate -L sh
  [ "${GITQUEEN_SKIP-}" != 1 ] && [ -z "${GITQUEEN_CHILD-}" ] || return 0
  # A checkout of files (flag 0) switches no branch.
  [ "$3" != post-checkout ] || [ "${6-}" = 1 ] || return 0
  gq_git=${GIT_DIR:-.git}
  if [ -f "$gq_git" ]; then
    IFS= read -r gq_line <"$gq_git" || [ -n "$gq_line" ] || return 0
    gq_git=${gq_line#gitdir: }
  fi
  # A rebase's own picks: post-rewrite tells of all of them at once. Who commits while one waits is another process.
  if [ "$3" = post-commit ] && [ -d "$gq_git/rebase-merge" ]; then
    gq_line=
    { IFS= read -r gq_line <"/proc/$PPID/cmdline"; } 2>/dev/null
    case $gq_line in *commit*) ;; *rebase*) return 0 ;; esac
  fi
  gq_common=$gq_git
  if [ -f "$gq_git/commondir" ]; then
    IFS= read -r gq_line <"$gq_git/commondir" || [ -n "$gq_line" ] || return 0
    case $gq_line in
      /*) gq_common=$gq_line ;;
      *) gq_common=$gq_git/$gq_line ;;
    esac
  fi
  # Only a repository that gitqueen manages has this folder; a link is none of ours, it came with an archive.
  [ -d "$gq_common/gitqueen" ] && [ ! -h "$gq_common/gitqueen" ] && [ ! -h "$gq_common/gitqueen/live" ] || return 0
  gq_home=${GITQUEEN_HOME:-${HOME:-/nowhere}/.claude/queen}
  gq_live='' gq_unseen=''
  for gq_line in "$gq_common"/gitqueen/live/*; do
    gq_line=${gq_line##*/}
    case $gq_line in '' | *[!0-9]*) continue ;; esac
    # kill -0 fails for another user's process too: /proc knows that one.
    if kill -0 "$gq_line" 2>/dev/null || [ -d "/proc/$gq_line" ]; then
      gq_live="$gq_live $gq_line"
    else
      gq_unseen="$gq_unseen $gq_line"
    fi
  done
  # A sandbox with process numbers of its own sees none of those outside: whoever has a marker may live.
  if [ -n "$gq_unseen" ] && gitqueen_apart; then gq_live="$gq_live$gq_unseen"; fi
  if [ -z "$gq_live" ] && [ ! -e "$gq_common/gitqueen/claims" ]; then
    gitqueen_look "$1" "$2"
  elif [ -r "$gitqueen_hooks/git-hook-busy.sh" ]; then
    . "$gitqueen_hooks/git-hook-busy.sh"
    gitqueen_busy "$@"
  fi
}

# Whether the first process here began more than a minute after the machine: then it is a sandbox's or a container's.
gitqueen_apart() {
  gitqueen_stat 1 || return 1
  # shellcheck disable=SC2086  # split into its fields on purpose
  set -- $gq_stat
  [ "${20:-0}" -gt 6000 ] 2>/dev/null
}

# What /proc says of the process $1 behind its name into gq_stat: its state, its parent and, 20th, when it began.
gitqueen_stat() {
  gq_stat=
  [ -r "/proc/$1/stat" ] || return 1
  # A process name may hold newlines and parentheses: what follows the last one is what counts.
  { while IFS= read -r gq_line || [ -n "$gq_line" ]; do gq_stat=$gq_line; done <"/proc/$1/stat"; } 2>/dev/null
  # Not by `##`: dash tries that from the end of the line on, which takes as long as reading it.
  while case $gq_stat in *") "*) ;; *) false ;; esac do gq_stat=${gq_stat#*") "}; done
}

# Nobody is known to live here: sessions that never said a word are seen by a look around, one in 30 s at most.
gitqueen_look() {
  [ -d "$gq_home" ] && [ -x "$1" ] && [ -r "$2" ] || return 0
  # Not by `:`, a special builtin: a shell dies when the redirection of such a one fails, and the commit with it.
  { true >"$gq_home/now"; } 2>/dev/null || return 0
  # A look around sets the time of this file to when the next one is due.
  [ ! "$gq_home/next-scan" -nt "$gq_home/now" ] || return 0
  if { IFS= read -r gq_line <"$gq_home/daemon.pid"; } 2>/dev/null && kill -0 "$gq_line" 2>/dev/null; then return 0; fi
  "$1" -I -S "$2" look </dev/null >/dev/null 2>&1 &
}
