# What both demonstrations do alike: run Fairlead and its command line, and look at what comes through the sample's chain.
# Sourced, never run; needs servers.sh, and of whoever sources it $VNF, $SERVICE and `from_client`, which runs a command where the client is.
# shellcheck shell=bash

DATA=
SERVE_PID=
# How many times it is tried, a quarter of a second and some requests apart, until so many servers answer as are to.
PATIENCE=40

# Shows a command as one would type it, and runs it.
fairlead() {
    printf '\033[36m$ fairlead %s\033[0m\n' "$*"
    "$VENV/bin/fairlead" "$@"
}

# What a command tells, as JSON, for the script's own eyes; $1 is a Python expression on `it`.
ask() {
    local expression=$1
    shift
    "$VENV/bin/fairlead" "$@" -o json | "$VENV/bin/python" -c "import json, sys; it = json.load(sys.stdin); print($expression)"
}

start_fairlead() {
    local i port
    DATA=$(mktemp -d "${TMPDIR:-/tmp}/fairlead-demo.XXXXXX")
    port=$(free_port)
    # Out of reach of Ctrl-C, which ends the demonstration; that then ends this, in that order.
    setsid "$VENV/bin/fairlead" serve --data "$DATA" --port "$port" >"$DATA/log" 2>&1 </dev/null &
    SERVE_PID=$!
    export FAIRLEAD_URL=http://127.0.0.1:$port
    for ((i = 0; i < 300; i++)); do
        FAIRLEAD_TOKEN=$(grep -om1 'flt_[A-Za-z0-9_-]*' "$DATA/log") && break
        kill -0 "$SERVE_PID" 2>/dev/null || break
        sleep 0.1
    done
    [ -n "${FAIRLEAD_TOKEN:-}" ] || { cat "$DATA/log" >&2; fail "fairlead serve did not start"; }
    export FAIRLEAD_TOKEN
}

stop_fairlead() {
    stop_process "$SERVE_PID"
    [ -z "$DATA" ] || rm -rf "$DATA"
    SERVE_PID='' DATA=''
}

# Sends requests through the chain until so many servers have answered; each answer shows on the way.
expect_servers() {
    local wanted=$1 answers i
    say "traffic: client, router, firewall, balancer, $wanted servers"
    for ((i = 0; i < PATIENCE; i++)); do
        answers=$(from_client sh -c "for n in 1 2 3 4 5 6 7 8; do curl -s -m 2 $SERVICE; done" | sort | uniq -c) || true
        if [ "$(printf '%s' "$answers" | grep -c Hello)" = "$wanted" ]; then
            printf '%s\n' "$answers"
            return
        fi
        sleep 0.25
    done
    printf '%s\n' "$answers" >&2
    fail "$wanted servers were expected to answer"
}

expect_blocked() {
    if from_client curl -s -m 1 -o /dev/null "${SERVICE%/}:81/"; then fail "the firewall let port 81 through"; fi
    say "port 81 is blocked by the firewall"
}

# No request may fail while a server is down: the balancer tries another one.
expect_no_failure() {
    from_client sh -c "for n in 1 2 3 4 5 6 7 8 9 10; do curl -sf -m 3 -o /dev/null $SERVICE || exit 1; done" || fail "a request failed"
    say "10 requests with a server down: none failed"
}
