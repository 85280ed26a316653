#!/bin/sh
# gitqueen hook 1: @EVENT@. Written by `gitqueen hooks install`, removed by `gitqueen hooks uninstall`.
# Starts nothing unless another sister may live in this repository or holds a claim on it; never stops a commit by a
# fault of its own. Off for one command: GITQUEEN_SKIP=1.

# Builtins only until somebody else is seen: a commit pays for every process (git itself takes 4 ms, a process 1).
gitqueen_common_dir() {
  gq_dir=${GIT_DIR:-.git}
  if [ -f "$gq_dir" ]; then
    IFS= read -r gq_line <"$gq_dir" || [ -n "$gq_line" ] || return 1
    gq_dir=${gq_line#gitdir: }
  fi
  gq_common=$gq_dir
  if [ -f "$gq_dir/commondir" ]; then
    IFS= read -r gq_line <"$gq_dir/commondir" || [ -n "$gq_line" ] || return 1
    case $gq_line in
      /*) gq_common=$gq_line ;;
      *) gq_common=$gq_dir/$gq_line ;;
    esac
  fi
}

# The pids above this hook, between spaces. Without /proc nobody is known to be above: then every marker is somebody
# else, which costs milliseconds and no more.
gitqueen_above() {
  gq_above=" ${GITQUEEN_PID:-} "
  gq_pid=$PPID
  gq_left=64
  while [ "$gq_left" -gt 0 ] && [ -r "/proc/$gq_pid/stat" ]; do
    gq_above="$gq_above$gq_pid "
    gq_stat=
    # A process name may hold newlines and parentheses: what follows the last one is what counts.
    while IFS= read -r gq_line || [ -n "$gq_line" ]; do gq_stat=$gq_line; done <"/proc/$gq_pid/stat"
    # shellcheck disable=SC2086  # split into its fields on purpose
    set -- ${gq_stat##*") "}
    [ "${2:-0}" -gt 1 ] 2>/dev/null || break
    gq_pid=$2
    gq_left=$((gq_left - 1))
  done
}

gitqueen_somebody_else() {
  [ -e "$gq_common/gitqueen/claims" ] && return 0
  gq_above=
  for gq_marker in "$gq_common"/gitqueen/live/*; do
    gq_live=${gq_marker##*/}
    case $gq_live in '' | *[!0-9]*) continue ;; esac
    # kill -0 fails for another user's process too: /proc knows that one.
    kill -0 "$gq_live" 2>/dev/null || [ -d "/proc/$gq_live" ] || continue
    [ -n "$gq_above" ] || gitqueen_above
    case $gq_above in *" $gq_live "*) ;; *) return 0 ;; esac
  done
  return 1
}

gitqueen_hook() {
  [ "${GITQUEEN_SKIP:-}" != 1 ] && [ -z "${GITQUEEN_CHILD:-}" ] || return 0
  gitqueen_common_dir && gitqueen_somebody_else || return 0
  if [ ! -x @PYTHON@ ] || [ ! -r @DOOR@ ]; then
    echo "gitqueen: its installation is gone, this hook does nothing (gitqueen hooks uninstall removes it)" >&2
    return 0
  fi
  @PYTHON@ -I -S @DOOR@ git @EVENT@ "$@"
  # 1 is a refusal by policy. Anything else is a fault of ours: git goes on.
  [ $? -ne 1 ]
}

gitqueen_hook "$@"
