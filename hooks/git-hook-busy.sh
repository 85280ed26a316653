# The other half of git-hook.sh, for when somebody lives in the repository or holds a claim on it. Sourced by it.
# What must be answered starts Python, if it is about somebody else; what only wants recording goes into the spool.
# shellcheck shell=sh disable=SC2154

gitqueen_busy() {
  gq_python=$1 gq_door=$2 gq_event=$3
  shift 3
  if [ ! -x "$gq_python" ] || [ ! -r "$gq_door" ]; then
    echo 'gitqueen: its installation is gone, this hook does nothing (gitqueen hooks uninstall removes it)' >&2
    return 0
  fi
  gitqueen_above
  case $gq_event in
    pre-commit | post-checkout)
      [ -n "${gq_others# }" ] || [ -e "$gq_common/gitqueen/claims" ] || return 0
      "$gq_python" -I -S "$gq_door" git "$gq_event" "$@"
      # 77 is a refusal by policy. Anything else is a fault of ours: git goes on.
      [ $? -ne 77 ]
      ;;
    *)
      gitqueen_spool "$@"
      return 0
      ;;
  esac
}

# Walks up from this hook: gq_above gets each process as `pid:start`, gq_others keeps the live ones that are not met. It
# stops when there is nothing more to learn, because read takes a byte at a time (0.2 ms a process). Without /proc nobody
# is known to be above: then every marker is somebody else, which costs milliseconds and no more.
gitqueen_above() {
  gq_above=' ' gq_others="$gq_live " gq_left=64
  # A launcher's word for the process whose life the session's is.
  case ${GITQUEEN_PID-} in '' | *[!0-9]*) ;; *) gitqueen_met "$GITQUEEN_PID" ;; esac
  gq_parent=$PPID
  while [ "$gq_left" -gt 0 ] && [ -n "${gq_others# }" ] && [ "$gq_parent" -gt 0 ] 2>/dev/null; do
    gitqueen_met "$gq_parent"
    gq_left=$((gq_left - 1))
  done
}

# The process $1 is above this hook; its parent goes into gq_parent.
gitqueen_met() {
  gq_pid=$1 gq_parent=0
  case $gq_others in *" $1 "*) gq_others="${gq_others%%" $1 "*} ${gq_others#*" $1 "}" ;; esac
  # When it began is for the record, which these two do not write.
  case $gq_event in pre-commit | post-checkout) [ -n "${gq_others# }" ] || return 0 ;; esac
  gitqueen_stat "$1" || return 0
  # shellcheck disable=SC2086  # split into its fields on purpose
  set -- $gq_stat
  gq_parent=${2:-0} gq_above="$gq_above$gq_pid:${20-} "
}

# One file a process, its fields ended by NULs (no path holds one), the last field `end`: a torn one is seen.
gitqueen_spool() {
  [ -d "$gq_home/spool" ] && [ ! -e "$gq_home/spool/full" ] || return 0
  gq_stdin=
  [ "$gq_event" != post-rewrite ] || gitqueen_stdin
  gq_busy=
  for gq_line in rebase-merge rebase-apply; do [ ! -d "$gq_git/$gq_line" ] || gq_busy=rebase; done
  gitqueen_head
  { printf '%s\000' "$gq_event" "$PWD" "$gq_git" "${GIT_WORK_TREE-}" "$gq_head" "$gq_busy" "$gq_above" \
    "${GITQUEEN_NAME-}" "${CLAUDE_CODE_SESSION_ID:-${CODEX_THREAD_ID-}}" "$*" "$gq_stdin" end \
    >>"$gq_home/spool/$gq_event.$$"; } 2>/dev/null || return 0
  # A drain removes this file before its last look: who sees it may rely on being seen.
  if { IFS= read -r gq_line <"$gq_home/spool/draining"; } 2>/dev/null && kill -0 "$gq_line" 2>/dev/null; then return 0; fi
  "$gq_python" -I -S "$gq_door" drain </dev/null >/dev/null 2>&1 &
}

# What stands on stdin into gq_stdin, and back onto stdin: the hook that we stand in gets to read the same.
gitqueen_stdin() {
  gq_left=16
  while [ "$gq_left" -gt 0 ] && { IFS= read -r gq_line || [ -n "$gq_line" ]; }; do
    gq_stdin="$gq_stdin$gq_line
"
    gq_left=$((gq_left - 1))
  done
  # `read` makes a system call of each byte: 5,000 rewritten commits take seconds, and with one process more none.
  if [ "$gq_left" -eq 0 ] && gq_line=$(cat) && [ -n "$gq_line" ]; then
    gq_stdin="$gq_stdin$gq_line
"
  fi
  # `command`: a shell dies of a failing `exec`, and the rest of this hook with it.
  command exec <<GITQUEEN
${gq_stdin%?}
GITQUEEN
}

# The commit that HEAD is; where no plain file says it (packed, or refs that are no files) git does.
gitqueen_head() {
  gq_head=
  # Nothing that one could wait at: in a repository from an archive a pipe may stand there.
  [ -f "$gq_git/HEAD" ] || return 0
  gitqueen_line "$gq_git/HEAD"
  case $gq_line in 'ref: '*) gitqueen_line "$gq_common/${gq_line#ref: }" ;; esac
  case $gq_line in
    '' | *[!0-9a-f]*) gq_head=$(git rev-parse --verify -q HEAD 2>/dev/null) || gq_head= ;;
    *) gq_head=$gq_line ;;
  esac
}

gitqueen_line() {
  gq_line=
  [ ! -f "$1" ] || { IFS= read -r gq_line <"$1"; } 2>/dev/null || gq_line=
}
