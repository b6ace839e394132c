# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154,SC2034
# The rack: in each machine one interface "port0", whose other end is a port of
# the bridge "br0" in the switch, named like the machine.

machine_address() {
	case $1 in
	ctl) echo 02:57:4d:00:00:00 ;;
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

# link_create MACHINE MTU
link_create() {
	local machine=$1 mtu=$2 address
	address=$(machine_address "$machine")
	ip -n "$(namespace_of sw)" link add "$machine" mtu "$mtu" type veth \
		peer name port0 mtu "$mtu" address "$address" netns "$(namespace_of "$machine")"
	# A raw frame is sent as it is; merged or cut ones would be other frames.
	in_machine sw ethtool -K "$machine" tso off gso off gro off >/dev/null
	in_machine "$machine" ethtool -K port0 tso off gso off gro off >/dev/null
	# Unknown addresses are not flooded and none are learnt: all are known.
	ip -n "$(namespace_of sw)" link set "$machine" master br0 up
	bridge -n "$(namespace_of sw)" link set dev "$machine" learning off flood off mcast_flood off
	bridge -n "$(namespace_of sw)" fdb replace "$address" dev "$machine" master static
	ip -n "$(namespace_of "$machine")" link set port0 up
}

# rate_limit MACHINE RATE: what the switch sends to that machine. A rack switch
# holds some tens of milliseconds; what does not fit is dropped.
rate_limit() {
	in_machine sw tc qdisc replace dev "$1" root tbf rate "$2" burst 256kb latency 20ms ||
		fail "'$2' is no rate that tc knows: write 1gbit or 100mbit"
}

# network_create: from the lab's state.
network_create() {
	local nodes mtu machine node rate uplink
	nodes=$(state_get nodes 0)
	mtu=$(state_get mtu 0)
	rate=$(state_get rate "")
	uplink=$(state_get uplink "")

	namespace_create sw
	ip -n "$(namespace_of sw)" link add br0 mtu "$mtu" type bridge \
		stp_state 0 mcast_snooping 0
	ip -n "$(namespace_of sw)" link set br0 up
	namespace_create ctl
	link_create ctl "$mtu"
	[[ -z $uplink ]] || rate_limit ctl "$uplink"
	for ((node = 1; node <= nodes; node++)); do
		machine=n$node
		namespace_create "$machine"
		link_create "$machine" "$(state_get "mtu.$machine" "$mtu")"
		[[ -z $rate ]] || rate_limit "$machine" "$rate"
	done
}

network_remove() {
	local path
	for path in "/run/netns/wm-$lab_name-"*; do
		[[ -e $path ]] || continue
		ip netns del "${path##*/}"
	done
}
