#!/bin/sh
# Installs gitqueen for this user, from this checkout, which may be deleted afterwards. Any POSIX sh will do.
set -eu

usage() {
  cat <<'END'
./install.sh              install gitqueen, or bring it up to date with this checkout
./install.sh --demo       the same, then show it: two sisters declare, mail, claim and collide
./install.sh --uninstall  remove it again

Needs git and Python 3.11 or newer. Installs into ~/.local/share/gitqueen, links gitqueen, queen and iam into
~/.local/bin, needs no root, and changes no file of your shell.
END
}

main() {
  demo='' uninstall='' new=''
  for word in "$@"; do
    case $word in
      --demo) demo=yes ;;
      --uninstall) uninstall=yes ;;
      -h | --help) usage && exit 0 ;;
      *) usage >&2 && exit 2 ;;
    esac
  done
  [ -n "${HOME:-}" ] || stop 'HOME is not set: where should it go?'
  checkout=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
  place=$HOME/.local/share/gitqueen
  venv=$place/venv
  bin=$HOME/.local/bin
  # What a user set for other Python programs must not steer this one.
  unset PYTHONPATH PYTHONHOME PIP_TARGET PIP_PREFIX PIP_USER PIP_REQUIRE_VIRTUALENV
  if [ -n "$uninstall" ]; then
    remove
    return
  fi
  install
  if [ -n "$demo" ]; then "$venv/bin/gitqueen" demo; fi
  advise
}

install() {
  command -v git >/dev/null || stop 'git is missing: install it, then run this again'
  if foreign gitqueen; then
    stop "$bin/gitqueen is there already and not from here: nothing was changed. Remove it, then run this again"
  fi
  mkdir -p "$place" "$bin"
  # Written last and removed first: what was interrupted is seen, and mended, by the next run.
  stamp=$venv/installed-from
  sources=$(fingerprint)
  if [ "$(cat "$stamp" 2>/dev/null)" = "$sources" ] && "$venv/bin/gitqueen" --version >/dev/null 2>&1; then
    echo "gitqueen is up to date"
  else
    again=''
    if [ -d "$venv" ] && [ ! -f "$stamp" ]; then again=--force-reinstall; fi
    rm -f "$stamp"
    environment
    echo 'Installing gitqueen ...'
    "$venv/bin/python" -m pip install -qq --disable-pip-version-check --no-user --upgrade $again "$checkout" ||
      stop 'pip could not install it (see above); what was there before is still there'
    "$venv/bin/gitqueen" --version >/dev/null || stop 'it is installed and does not start (see above)'
    printf '%s\n' "$sources" >"$stamp"
    new=yes
    "$venv/bin/gitqueen" --version
  fi
  for name in gitqueen queen iam; do link "$name"; done
}

# Last, where it is read: the demo fills a screen.
advise() {
  case :$PATH: in
    *":$bin:"*) ;;
    *)
      echo "$bin is not on your PATH. Add this line to your shell's start file (~/.profile, ~/.zshrc ...):"
      # shellcheck disable=SC2016  # it is the shell that reads the line that shall expand it
      echo '  export PATH="$HOME/.local/bin:$PATH"'
      ;;
  esac
  if [ -n "$new" ]; then
    echo 'Next: gitqueen install --dry-run   (everywhere), or in one repository: gitqueen hooks install .'
  fi
}

# An environment whose pip works, or a new one in its place. The path stays: git hooks name the interpreter in it.
environment() {
  if "$venv/bin/python" -m pip --version >/dev/null 2>&1; then return; fi
  python=$(find_python) || stop 'needs Python 3.11 or newer: put python3 on PATH, then run this again'
  if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    stop "$python cannot make environments. On Debian and Ubuntu: sudo apt install python3-venv, then run this again"
  fi
  echo "Making an environment in $venv ..."
  "$python" -m venv --clear "$venv" || stop 'the environment could not be made (see above)'
}

# The name may be there and not the thing (version managers have stand-ins): only what runs counts.
find_python() {
  for python in python3 python3.14 python3.13 python3.12 python3.11; do
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$python"
      return
    fi
  done
  return 1
}

# One number for all that is installed from this checkout.
fingerprint() {
  (cd "$checkout" && find gitqueen hooks pyproject.toml -type f ! -name '*.py[co]' -exec cksum {} + | sort | cksum)
}

link() {
  if foreign "$1"; then
    echo "$bin/$1 is there already and not from here: left alone. Ours is $venv/bin/$1"
  else
    ln -sf "$venv/bin/$1" "$bin/$1"
  fi
}

ours() { [ -L "$bin/$1" ] && [ "$(readlink "$bin/$1")" = "$venv/bin/$1" ]; }

foreign() { { [ -e "$bin/$1" ] || [ -L "$bin/$1" ]; } && ! ours "$1"; }

remove() {
  for name in gitqueen queen iam; do
    if ours "$name"; then rm -f "$bin/$name"; fi
  done
  if [ ! -d "$venv" ]; then
    echo 'gitqueen is not installed here'
    return
  fi
  rm -rf "$venv"
  # Whatever else somebody put there stays.
  rmdir "$place" 2>/dev/null || :
  echo 'gitqueen is removed. Its git hooks that are still in repositories do nothing from now on.'
  queen=${GITQUEEN_HOME:-$HOME/.claude/queen}
  if [ -e "$queen" ]; then echo "The queen's database (mail, claims, history) is still in $queen"; fi
}

stop() {
  echo "install.sh: $1" >&2
  exit 1
}

main "$@"
