# What tests, benchmarks and soaks run against: a PostgreSQL, a container engine, the sample's package and the client's image, with the
# environment variables that name them. Everything is stopped when the script ends, by whatever way.
# Sourced, never run.
# shellcheck shell=bash

# shellcheck source=scripts/lib/environment.sh
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
# shellcheck source=scripts/lib/postgresql.sh
. "$ROOT/scripts/lib/postgresql.sh"
# shellcheck source=scripts/lib/containers.sh
. "$ROOT/scripts/lib/containers.sh"

start_servers() {
    trap stop_servers EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    say "starting PostgreSQL and a container engine"
    start_postgresql
    export FAIRLEAD_TEST_POSTGRESQL=$POSTGRESQL_URL
    start_engine
    export FAIRLEAD_TEST_CONTAINERS=$ENGINE_ADDRESS
    build_sample
    export FAIRLEAD_TEST_PACKAGE=$SAMPLE_PACKAGE FAIRLEAD_TEST_CLIENT_IMAGE=$CLIENT_IMAGE
}

stop_servers() {
    trap '' INT TERM HUP
    stop_engine
    stop_postgresql
    [ -z "${SCRATCH:-}" ] || rm -rf "$SCRATCH"
}

# Names a scratch directory for what tests write in SCRATCH: in memory where there is enough of it. The tests kill processes, not machines, so
# nothing that they write needs to reach a disk, and waiting for the disk is most of what their databases would do.
make_scratch() {
    local place=${TMPDIR:-/tmp} free
    free=$(df --output=avail -k /dev/shm 2>/dev/null | tail -n 1)
    [ "${free:-0}" -lt 4000000 ] || [ ! -w /dev/shm ] || place=/dev/shm
    SCRATCH=$(mktemp -d "$place/fairlead-tests.XXXXXX")
}

# Builds the edge gateway, or finds it built.
build_sample() {
    need_packages mmdebstrap
    find_python >/dev/null || need_packages python3
    SAMPLE_PACKAGE=$("$ROOT/samples/edge-gateway/build")
    CLIENT_IMAGE=$(dirname "$SAMPLE_PACKAGE")/images/client.tar
}

elapsed_minutes() {
    awk "BEGIN { print ($SECONDS - $1) / 60 }"
}
