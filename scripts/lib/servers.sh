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
