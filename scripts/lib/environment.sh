# What every script here starts from: where the repository is, how to be root, the packages of the system and the virtual environment.
# Sourced, never run. Nothing is installed twice: with all in place this takes well under a second.
# shellcheck shell=bash

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
VENV=$ROOT/.venv
export PYTHONDONTWRITEBYTECODE=1

say() { printf '\033[1m==> %s\033[0m\n' "$*" >&2; }

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# Runs a command as root: directly, or through sudo.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "this needs root or sudo: $*"
    fi
}

# Installs those of the named Debian packages that are missing, and says so.
need_packages() {
    local package missing=()
    for package; do
        [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null)" = 'ii ' ] || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    say "installing system packages, as root: ${missing[*]}"
    as_root apt-get update -q -o Acquire::Retries=5 >&2
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q -o Acquire::Retries=5 --no-install-recommends "${missing[@]}" >&2
}

# A Python of 3.11 or later.
find_python() {
    local python
    for python in python3 python3.13 python3.12 python3.11 /usr/bin/python3; do
        if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s' "$python"
            return
        fi
    done
    return 1
}

# Makes .venv with what requirements-dev.lock names and Fairlead itself from the source tree; again when either list changes.
need_venv() {
    local python stamp=$VENV/.made-from wanted
    wanted=$(cat "$ROOT/requirements-dev.lock" "$ROOT/pyproject.toml" | sha256sum)
    [ -x "$VENV/bin/python" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && return
    find_python >/dev/null || need_packages python3
    python=$(find_python) || fail "Python 3.11 or later is needed"
    if [ ! -x "$VENV/bin/pip" ]; then
        "$python" -c 'import ensurepip' 2>/dev/null || need_packages python3-venv
        say "making the virtual environment .venv"
        rm -rf "$VENV"
        "$python" -m venv "$VENV"
    fi
    say "installing the Python packages of requirements-dev.lock"
    "$VENV/bin/pip" install -qq --disable-pip-version-check -r "$ROOT/requirements-dev.lock"
    "$VENV/bin/pip" install -qq --disable-pip-version-check --no-deps -e "$ROOT"
    printf '%s\n' "$wanted" >"$stamp"
}

# The scratch directories of one kind whose owner, the script that made them, is no more; says that they will be removed.
orphans() {
    local directory
    for directory in "${TMPDIR:-/tmp}/fairlead-$1".*; do
        if [ -f "$directory/owner" ] && [ ! -d "/proc/$(cat "$directory/owner")" ]; then
            say "removing what an earlier run left in $directory"
            printf '%s\n' "$directory"
        fi
    done
}

# Runs a command so that a signal to this script ends it too: at a terminal Ctrl-C reaches it anyway, elsewhere it is passed on as an interrupt,
# on which Python programs tidy up.
stoppable() {
    if [ -t 0 ]; then
        "$@"
        return
    fi
    local child code=0
    # In a shell without a terminal a command in the background would ignore interrupts, were it not told otherwise.
    set -m
    env --default-signal=INT "$@" &
    child=$!
    set +m
    trap 'kill -INT -- "-$child" 2>/dev/null; wait "$child" || true; exit 130' INT
    trap 'kill -INT -- "-$child" 2>/dev/null; wait "$child" || true; exit 143' TERM HUP
    wait "$child" || code=$?
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    return $code
}

# Stops a process that this script started, gently at first, and waits until it is gone.
stop_process() {
    local pid=$1 i
    [ -n "$pid" ] || return 0
    as_root kill "$pid" 2>/dev/null || return 0
    for ((i = 0; i < 100; i++)); do
        as_root kill -0 "$pid" 2>/dev/null || return 0
        sleep 0.1
    done
    as_root kill -KILL "$pid" 2>/dev/null || true
}
