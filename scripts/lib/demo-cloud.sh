# The demonstration on a real OpenStack: the same VNF as virtual machines, on the cloud of devcloud/, which is brought up for it and stays up.
# The client is this machine, in the network namespace of the DHCP server of the operator's network; traffic goes through real guests.
# Sourced by scripts/demo, never run.
# shellcheck shell=bash

# shellcheck source=scripts/lib/cloud.sh
. "$ROOT/scripts/lib/cloud.sh"

OPERATOR=fairlead-demo-$$
NETWORK=
# Emulated guests take their time.
PATIENCE=160

# What the cloud's administrator, and the member of the demonstration's own project, do with OpenStack's command line.
admin() { env -u PYTHONPATH /usr/bin/python3 /usr/bin/openstack --os-cloud devcloud "$@"; }
member() { OS_CLIENT_CONFIG_FILE=$DATA/clouds.yaml env -u PYTHONPATH /usr/bin/python3 /usr/bin/openstack --os-cloud demo "$@"; }

# A project with a user, and a network of the operator's in it.
prepare_cloud() {
    admin project create "$OPERATOR" -f value -c id >/dev/null
    admin user create "$OPERATOR" --password "$OPERATOR" --project "$OPERATOR" -f value -c id >/dev/null
    admin role add --user "$OPERATOR" --project "$OPERATOR" member
    sed -n '/^  devcloud:/,/^  devcloud-demo:/p' "$OS_CLIENT_CONFIG_FILE" | sed '$d' |
        sed "s/^  devcloud:/clouds:\n  demo:/; s/\(username\|password\|project_name\): .*/\1: $OPERATOR/" >"$DATA/clouds.yaml"
    NETWORK=$(member network create operator --disable-port-security -f value -c id)
    # Neutron's DHCP server takes the first address of the pool; the router of the VNF is to have 10.61.0.1.
    member subnet create operator --network operator --subnet-range 10.61.0.0/24 --gateway none \
        --allocation-pool start=10.61.0.200,end=10.61.0.250 -f value -c id >/dev/null
}

# The client is on the network as soon as Neutron's agent has its DHCP server there.
start_client() {
    local i
    for ((i = 0; i < 120; i++)); do
        from_client ip -o -4 address show 2>/dev/null | grep -q 10.61.0. && break
        sleep 0.5
    done
    from_client ip route replace 10.61.2.0/24 via 10.61.0.1 || fail "the operator's network did not come up"
}

from_client() { as_root ip netns exec "qdhcp-$NETWORK" "$@"; }

# The server of the first VNFC of the VDU `server`, or the id of that VNFC.
first_server() {
    ask "next(c$1 for c in it['instantiatedVnfInfo']['vnfcResourceInfo'] if c['vduId'] == 'server')" vnf show "$VNF"
}

# Kills a guest's process on its host, and waits until Nova has seen that it is dead.
kill_guest() {
    local server=$1 domain i
    domain=$(admin server show "$server" -f value -c OS-EXT-SRV-ATTR:instance_name)
    as_root virsh --quiet destroy "$domain"
    for ((i = 0; i < 60; i++)); do
        [ "$(admin server show "$server" -f value -c status)" = SHUTOFF ] && return
        sleep 1
    done
    fail "Nova has not seen that the guest is dead"
}

# Everything in the project that an operation could leave behind.
inventory() {
    member server list -f value -c ID -c Name | sed 's/^/server /'
    member network list --internal --project "$OPERATOR" -f value -c ID -c Name | sed 's/^/network /'
    member port list --project "$OPERATOR" -f value -c ID -c Name --device-owner '' | sed 's/^/port /'
    member volume list -f value -c ID -c Name | sed 's/^/volume /'
    member image list --private -f value -c ID -c Name | sed 's/^/image /'
}

expect_nothing_left() {
    local left
    left=$(diff <(printf '%s\n' "$BEFORE" | sort) <(inventory | sort) | grep '^>' || true)
    [ -z "$left" ] || { printf '%s\n' "$left" >&2; fail "this was left in the cloud"; }
    say "no server, network, port, volume or image is left"
}

# Also after a failure in the middle: what Fairlead has made goes by Fairlead, the rest by hand.
clean_up() {
    trap '' INT TERM HUP
    [ -z "$SERVE_PID" ] || "$VENV/bin/fairlead" vnf terminate "$VNF" --yes --wait >/dev/null 2>&1 || true
    if [ -n "$NETWORK" ]; then
        member network delete operator >/dev/null 2>&1 || true
        admin user delete "$OPERATOR" >/dev/null 2>&1 || true
        admin project delete "$OPERATOR" >/dev/null 2>&1 || true
    fi
    stop_fairlead
}

need_venv
cd "$ROOT"
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
start_cloud
say "building the sample's guests and package (kept in .cache)"
need_packages mmdebstrap
SAMPLE_PACKAGE=$("$ROOT/samples/edge-gateway/build" --guests)
SECONDS=0
say "Fairlead, and an operator's project with a network"
start_fairlead
prepare_cloud
start_client
BEFORE=$(inventory)

say "a cloud and a package"
fairlead vim register cloud --type openstack --default --from-clouds "$DATA/clouds.yaml" --cloud demo
fairlead vim check cloud
fairlead package create --name "$PACKAGE"
fairlead package upload "$PACKAGE" "$SAMPLE_PACKAGE" --wait

say "an instance, and the plan of what instantiating it would do"
fairlead vnf create "$PACKAGE" --name "$VNF"
fairlead vnf plan instantiate "$VNF" "${REQUEST[@]}" || [ $? = 2 ]
fairlead vnf instantiate "$VNF" "${REQUEST[@]}" --wait
expect_servers 2
expect_blocked

say "killing a server's guest behind Fairlead's back"
kill_guest "$(first_server "['computeResource']['resourceId']")"
expect_no_failure
# 2 means that something is not as recorded.
fairlead vnf drift "$VNF" && fail "the drift was not seen" || [ $? = 2 ]
fairlead vnf heal "$VNF" --vnfc "$(first_server "['id']")" --wait
expect_servers 2
fairlead vnf drift "$VNF"

say "one more server"
fairlead vnf scale "$VNF" --aspect servers --out --wait
expect_servers 3
fairlead operation show "$(ask "next(o['id'] for o in reversed(it) if o['operation'] == 'HEAL')" operation list)" --timeline

say "the end"
fairlead vnf terminate "$VNF" --yes --wait
fairlead vnf delete "$VNF" --yes
fairlead package disable "$PACKAGE"
fairlead package delete "$PACKAGE" --yes
expect_nothing_left
say "done in $SECONDS s, without the build of the guests"
