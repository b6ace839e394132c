# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154,SC2034
# The rack: bridges "br0", "br1", ... as its switches, all in one namespace. A node
# has an interface "port0", whose other end is a port of one bridge, named like the
# node. The controller has one for each bridge: "portB" to "ctlB" of "brB".

# port_address MACHINE PORT
port_address() {
	case $1 in
	ctl) printf '02:57:4d:%02x:00:00\n' "$2" ;;
	*) printf '02:57:4d:00:%02x:%02x\n' $((${1#n} >> 8)) $((${1#n} & 255)) ;;
	esac
}

# Nothing but Wiremill on the wire: no router solicitation, no MLD.
namespace_create() {
	local namespace
	namespace=$(namespace_of "$1")
	ip netns add "$namespace"
	# shellcheck disable=SC2016  # expanded inside
	in_machine "$1" bash -c 'for scope in all default; do
		file=/proc/sys/net/ipv6/conf/$scope/disable_ipv6
		[[ ! -e $file ]] || echo 1 >"$file"
	done'
	ip -n "$namespace" link set lo up
}

bridge_create() {
	ip -n "$(namespace_of sw)" link add "$1" mtu "$2" type bridge \
		stp_state 0 mcast_snooping 0
	ip -n "$(namespace_of sw)" link set "$1" up
}

# link_create MACHINE PORT BRIDGE NAME MTU: NAME is that of the bridge's port.
link_create() {
	local machine=$1 port=port$2 bridge=$3 name=$4 mtu=$5 address
	address=$(port_address "$machine" "$2")
	ip -n "$(namespace_of sw)" link add "$name" mtu "$mtu" type veth \
		peer name "$port" mtu "$mtu" address "$address" netns "$(namespace_of "$machine")"
	# A raw frame is sent as it is; merged or cut ones would be other frames.
	in_machine sw ethtool -K "$name" tso off gso off gro off >/dev/null
	in_machine "$machine" ethtool -K "$port" tso off gso off gro off >/dev/null
	# Unknown addresses are not flooded and none are learnt: all are known.
	ip -n "$(namespace_of sw)" link set "$name" master "$bridge" up
	bridge -n "$(namespace_of sw)" link set dev "$name" learning off flood off mcast_flood off
	bridge -n "$(namespace_of sw)" fdb replace "$address" dev "$name" master static
	ip -n "$(namespace_of "$machine")" link set "$port" up
}

# rate_limit NAME RATE: what the switch sends out of that port. A rack switch holds
# some tens of milliseconds; what does not fit is dropped. The overhead is what a
# frame takes on a wire beside its bytes: checksum, preamble and gap.
rate_limit() {
	in_machine sw tc qdisc replace dev "$1" root \
		tbf rate "$2" burst 256kb latency 20ms overhead 24 ||
		fail "'$2' is no rate that tc knows: write 1gbit or 100mbit"
}

# rate_limit_incoming NAME RATE: what comes in at that port. Only what goes out of an
# interface can be shaped, so it takes the way through one that is nothing else.
rate_limit_incoming() {
	local queue=$1-in
	ip -n "$(namespace_of sw)" link add "$queue" type ifb
	ip -n "$(namespace_of sw)" link set "$queue" up
	rate_limit "$queue" "$2"
	in_machine sw tc qdisc add dev "$1" clsact
	in_machine sw tc filter add dev "$1" ingress protocol all u32 match u32 0 0 \
		action mirred egress redirect dev "$queue"
}

# Bridge B, and the controller's port to it.
switch_create() {
	local uplink
	uplink=$(state_get uplink "")
	bridge_create "br$1" "$(state_get mtu 0)"
	link_create ctl "$1" "br$1" "ctl$1" "$(state_get mtu 0)"
	[[ -n $uplink ]] || return 0
	rate_limit "ctl$1" "$uplink"
	rate_limit_incoming "ctl$1" "$uplink"
}

# node_create MACHINE BRIDGE
node_create() {
	local rate
	rate=$(state_get "rate.$1" "$(state_get rate "")")
	namespace_create "$1"
	link_create "$1" 0 "$2" "$1" "$(state_get "mtu.$1" "$(state_get mtu 0)")"
	[[ -z $rate ]] || rate_limit "$1" "$rate"
}

# network_create: from the lab's state.
network_create() {
	local bridges nodes index
	bridges=$(state_get bridges 1)
	nodes=$(state_get nodes 0)

	namespace_create sw
	namespace_create ctl
	for ((index = 0; index < bridges; index++)); do
		switch_create "$index"
	done
	for ((index = 0; index < nodes; index++)); do
		node_create "n$((index + 1))" "br$((index % bridges))"
	done
}

network_remove() {
	local path
	for path in "/run/netns/wm-$lab_name-"*; do
		[[ -e $path ]] || continue
		ip netns del "${path##*/}"
	done
}
