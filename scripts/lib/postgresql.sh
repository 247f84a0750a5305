# A PostgreSQL server of our own for tests and benchmarks: Debian's binaries on a scratch directory and a free port of 127.0.0.1. It keeps
# nothing and therefore does not wait for the disk.
# Sourced, never run; needs environment.sh.
# shellcheck shell=bash

POSTGRESQL=
POSTGRESQL_URL=
# The server refuses to run as root: its own account then runs it.
as_postgresql() {
    if [ "$(id -u)" = 0 ]; then
        (cd / && exec runuser -u postgres -- "$@")
    else
        "$@"
    fi
}

# Installs PostgreSQL, but not the server for all that Debian's package would set up and start.
need_postgresql() {
    local setting=/etc/postgresql-common/createcluster.d/fairlead-tests.conf
    if [ ! -d /usr/lib/postgresql ]; then
        as_root mkdir -p "${setting%/*}"
        echo 'create_main_cluster = false' | as_root tee "$setting" >/dev/null
        need_packages postgresql
        as_root rm -f "$setting"
    fi
    need_packages postgresql util-linux
}

# Starts the server; its address, for SQLAlchemy with psycopg, is then in POSTGRESQL_URL.
start_postgresql() {
    local bin port
    need_postgresql
    sweep_postgresql
    bin=$(find /usr/lib/postgresql -maxdepth 3 -name initdb -printf '%h\n' | sort -V | tail -n 1)
    POSTGRESQL=$(mktemp -d "${TMPDIR:-/tmp}/fairlead-postgresql.XXXXXX")
    echo $$ >"$POSTGRESQL/owner"
    [ "$(id -u)" != 0 ] || chown postgres: "$POSTGRESQL"
    as_postgresql "$bin/initdb" --pgdata "$POSTGRESQL/data" --username fairlead --auth trust --encoding UTF8 --locale C --no-sync >/dev/null
    as_postgresql mkdir "$POSTGRESQL/socket"
    port=$(free_port)
    as_postgresql "$bin/pg_ctl" start --silent --wait --pgdata "$POSTGRESQL/data" --log "$POSTGRESQL/log" --options \
        "-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories=$POSTGRESQL/socket -c max_connections=200 \
         -c fsync=off -c synchronous_commit=off -c full_page_writes=off" >&2 || { cat "$POSTGRESQL/log" >&2; fail "PostgreSQL did not start"; }
    POSTGRESQL_URL=postgresql+psycopg://fairlead@127.0.0.1:$port/postgres
}

stop_postgresql() {
    local i pid
    [ -n "$POSTGRESQL" ] || return 0
    pid=$(head -n 1 "$POSTGRESQL/data/postmaster.pid" 2>/dev/null || true)
    if [ -n "$pid" ] && grep -qsF "$POSTGRESQL/" "/proc/$pid/cmdline"; then
        # SIGINT: ends connections rather than waiting for them.
        as_postgresql kill -INT "$pid" || true
        for ((i = 0; i < 100; i++)); do
            [ -d "/proc/$pid" ] || break
            sleep 0.1
        done
    fi
    rm -rf "$POSTGRESQL"
    POSTGRESQL=
}

# Ends servers whose script was killed before it could.
sweep_postgresql() {
    for POSTGRESQL in $(orphans postgresql); do stop_postgresql; done
}

free_port() {
    "$(find_python)" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
