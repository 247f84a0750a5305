# A container engine of our own for tests and demonstrations: Podman's service on a private socket, with its own storage, its own run
# directory and its own network namespace. A host's own containers and networks are neither seen nor touched, two engines may use the
# same subnets, and all of it is gone with the directory and the namespace.
# Sourced, never run; needs environment.sh.
# shellcheck shell=bash

ENGINE_PACKAGES=(podman runc netavark iptables nftables iproute2 util-linux mmdebstrap curl)
ENGINE=
ENGINE_ADDRESS=

# Podman in the engine's namespace, on the engine's storage.
engine_podman() {
    as_root env CONTAINERS_CONF="$ENGINE/containers.conf" TMPDIR="$ENGINE/tmp" nsenter --net="/run/netns/${ENGINE##*/}" podman \
        --root "$ENGINE/storage" --runroot "$ENGINE/run" --tmpdir "$ENGINE/libpod" \
        --network-config-dir "$ENGINE/networks" --storage-driver "$(cat "$ENGINE/driver")" "$@"
}

# Starts the engine; its address is then in ENGINE_ADDRESS.
start_engine() {
    local i
    need_packages "${ENGINE_PACKAGES[@]}"
    sweep_engines
    ENGINE=$(mktemp -d "${TMPDIR:-/tmp}/fairlead-engine.XXXXXX")
    echo $$ >"$ENGINE/owner"
    mkdir "$ENGINE/tmp" "$ENGINE/networks" "$ENGINE/bin"
    ln -s /usr/lib/podman/netavark "$ENGINE/bin/netavark"
    sed "s|@ENGINE@|$ENGINE|g" "$ROOT/scripts/lib/containers.conf" >"$ENGINE/containers.conf"
    # Overlay cannot lie on overlay: inside a container without a volume for it, plain copies must do.
    if [ "$(stat -f -c %T "$ENGINE")" = overlayfs ]; then echo vfs; else echo overlay; fi >"$ENGINE/driver"
    as_root ip netns add "${ENGINE##*/}"
    as_root nsenter --net="/run/netns/${ENGINE##*/}" ip link set lo up
    ENGINE_ADDRESS=unix://$ENGINE/podman.sock
    engine_podman system service --time 0 "$ENGINE_ADDRESS" >"$ENGINE/log" 2>&1 &
    local job=$!
    for ((i = 0; i < 200; i++)); do
        if as_root curl -s -o /dev/null --unix-socket "$ENGINE/podman.sock" http://engine/_ping; then
            as_root chown "$(id -u)" "$ENGINE" "$ENGINE/podman.sock"
            return
        fi
        kill -0 "$job" 2>/dev/null || break
        sleep 0.1
    done
    cat "$ENGINE/log" >&2
    fail "the container engine did not start"
}

# The engine's processes: Podman's service and the monitors of its containers and exec calls, known by the engine's directory.
engine_processes() {
    local directory
    for directory in $(grep -lsF "$ENGINE/" /proc/[0-9]*/cmdline); do
        directory=${directory%/cmdline}
        case $(cat "$directory/comm" 2>/dev/null) in podman | conmon) printf '%s\n' "${directory#/proc/}" ;; esac
    done
}

# Removes every container of the engine, stops it and deletes all that it left.
stop_engine() {
    local pid
    [ -n "$ENGINE" ] || return 0
    engine_podman rm --all --force --time 0 >/dev/null 2>&1 || true
    for pid in $(engine_processes); do as_root kill "$pid" 2>/dev/null || true; done
    for pid in $(engine_processes); do stop_process "$pid"; done
    as_root umount -R "$ENGINE/storage/overlay" 2>/dev/null || true
    as_root ip netns delete "${ENGINE##*/}" 2>/dev/null || true
    as_root rm -rf --one-file-system "$ENGINE"
    ENGINE=''
}

# Ends engines whose script was killed before it could.
sweep_engines() {
    for ENGINE in $(orphans engine); do stop_engine; done
}
