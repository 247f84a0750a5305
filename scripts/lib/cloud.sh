# The OpenStack of devcloud/ for tests: brought up if it is not, and left up, for bringing it up takes minutes.
# Sourced, never run; needs environment.sh.
# shellcheck shell=bash

# Brings the cloud up, with the environment variables that name it.
start_cloud() {
    say "bringing up an OpenStack on this machine; \`python3 devcloud stop\` stops it again"
    as_root /usr/bin/python3 "$ROOT/devcloud" up >&2 || fail "the cloud did not come up"
    export FAIRLEAD_TEST_CLOUD=devcloud OS_CLIENT_CONFIG_FILE=${DEVCLOUD_OUT:-/var/lib/devcloud}/clouds.yaml
}
