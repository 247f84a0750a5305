# The OpenStack of devcloud/ for tests: brought up if it is not, and left up, for bringing it up takes minutes.
# Sourced, never run; needs environment.sh.
# shellcheck shell=bash

# Ends the script, saying why, where no cloud can be brought up: it takes a whole machine over, as root.
expect_cloud() {
    [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null ||
        fail "an OpenStack can be brought up by root, or by who may use sudo without a password; see devcloud/README.md"
    grep -qs '^VERSION_CODENAME=bookworm$' /etc/os-release || fail "devcloud installs Debian 12's OpenStack, and this is not Debian 12"
}

# Begins to bring the cloud up; what it says goes to the file $1.
begin_cloud() {
    CLOUD_LOG=$1
    say "bringing up an OpenStack on this machine, beside what follows; \`python3 devcloud stop\` stops it again"
    as_root /usr/bin/python3 "$ROOT/devcloud" up >"$CLOUD_LOG" 2>&1 </dev/null &
    CLOUD_PID=$!
}

# Waits until it is up, with the environment variables that name it.
await_cloud() {
    wait "$CLOUD_PID" || { cat "$CLOUD_LOG" >&2; fail "the cloud did not come up"; }
    say "the OpenStack is up: $(tail -n 2 "$CLOUD_LOG" | head -n 1)"
    export FAIRLEAD_TEST_NOTIFICATIONS=amqp://guest:guest@127.0.0.1:5672/
    export FAIRLEAD_TEST_CLOUD=devcloud OS_CLIENT_CONFIG_FILE=${DEVCLOUD_OUT:-/var/lib/devcloud}/clouds.yaml
}

# Both in one.
start_cloud() {
    expect_cloud
    begin_cloud "$(mktemp)"
    await_cloud
    rm "$CLOUD_LOG"
}
