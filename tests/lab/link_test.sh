#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What happens to a node's link, said for what it is by whoever can see it: frames in
# another receive queue, an interface that is set down, renamed, deleted; two machines
# with one MAC address; a second controller, or a tester, on the switch.
# shellcheck disable=SC2317  # the steps are called by check
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

input=$scratch/input
output=$scratch/output

# says LOG WORDS: of the lab, from where `mark` was.
says() {
	tail -c "+$((${marks[$1]:-0} + 1))" "/run/wiremill/$lab/$1.log" | grep -qE -- "$2"
}

declare -A marks
mark() {
	local log
	for log in ctl n1 n2 n3; do
		[[ -e /run/wiremill/$lab/$log.log ]] || continue
		marks[$log]=$(stat -c %s "/run/wiremill/$lab/$log.log")
	done
}

is_in() {
	node_holds "$1" "n['state'] in ('admitted', 'ready')"
}

on_switch() {
	lab exec --switch -- "$@"
}

on_node() {
	local node=$1
	shift
	lab exec --node "$node" -- "$@"
}

# A job that is under way when this returns.
begin_running() {
	rm -f "$output"*
	make_data "$input" $((16 * mib))
	begin "$input" "$output"
	eventually 20 job_holds "it['output_bytes_done'] > 0"
}

# For 20 s if nobody makes its links faster.
begin_slowly() {
	link_rate all 2mbit
	begin_running
}

# send_by_queue QUEUE: the switch's port to node 1, whatever core sends.
send_by_queue() {
	on_switch unshare --mount sh -c "mount -t sysfs sysfs /sys &&
		echo 3 >/sys/class/net/n1/queues/tx-$1/xps_cpus"
}

# Two queues, and the switch sends all to the second.
frames_come_to_another_queue() {
	mark
	lab kill --node 1 --signal TERM
	on_switch ethtool -L n1 tx 2
	on_node 1 ethtool -L port0 rx 2
	send_by_queue 1
	lab start --node 1 & # which waits until it is let in, by the next step
	eventually 20 says n1 "port0 has 2 receive queues.*ethtool -L port0 combined 1"
	eventually 20 says n1 "frames of the controller came to other receive queues of port0 than 0, most of them to 1"
}

one_queue_mends_it() {
	on_switch ethtool -L n1 tx 1
	on_node 1 ethtool -L port0 rx 1
	eventually 20 is_in n1
	eventually 10 node_holds n1 "n['unheard'] > 0"
}

set_down_and_up() {
	mark
	on_node 2 ip link set port0 down
	eventually 20 says n2 "interface port0 was set down: run 'ip link set port0 up'"
	on_node 2 ip link set port0 up
	eventually 20 says n2 "interface port0 is as it was"
	eventually 20 is_in n2
}

unplugged() {
	mark
	on_switch ip link set n2 down
	eventually 20 says n2 "interface port0 has no link"
	on_switch ip link set n2 up
	eventually 20 is_in n2
}

other_mtu() {
	mark
	on_node 2 ip link set port0 mtu 1500
	eventually 20 says n2 "has an MTU of 1500 now, and had 9000"
	on_node 2 ip link set port0 mtu 9000
	eventually 20 says n2 "is as it was"
	eventually 20 is_in n2
}

other_address() {
	local own
	mark
	own=$(address --node 2)
	on_node 2 ip link set port0 address 02:00:5e:00:53:77
	eventually 20 says n2 "port0 has another MAC address than $own, with which this node started"
	on_node 2 ip link set port0 address "$own"
	eventually 20 says n2 "interface port0 is as it was"
	eventually 20 is_in n2
}

# A node that cannot do anything ends; a controller waits for its port.
down_at_the_start() {
	mark
	lab kill --node 2 --signal TERM
	on_node 2 ip link set port0 down
	refused 1 "interface port0 is down: run 'ip link set port0 up'" on_node 2 timeout -k 5 20 \
		"$build/control/wiremill-node" --interface port0 --name n2 --key "/run/wiremill/$lab/key"
	on_node 2 ip link set port0 up
	lab start --node 2
	lab kill --controller --signal TERM
	lab exec -- ip link set port0 down
	lab start --controller
	says ctl "port port0: the interface is down: run 'ip link set port0 up'"
	lab exec -- ip link set port0 up
	for node in n1 n2 n3; do
		eventually 20 is_in "$node"
	done
	job_is_exact "$mib"
}

# The controller's own port, under a running job, is not the switch's fault.
controllers_mtu() {
	mark
	trap 'lab exec -- ip link set port0 mtu 9000' EXIT
	begin_slowly
	lab exec -- ip link set port0 mtu 1500
	eventually 20 says ctl "port port0: its MTU is 1500 now, and was 9000 when this controller started: run 'ip link set port0 mtu 9000'"
	eventually 20 says ctl "larger ones do not: the controller's own port was set below the 9000"
	! says ctl "set the MTU of the switch's ports" || return 1
	eventually 20 job_holds "'own port was set lower' in it['waiting']"
	lab exec -- ip link set port0 mtu 9000
	eventually 20 says ctl "port port0: its MTU is 9000 again"
	link_clear all
	ends "done"
	matches_reference "$input" "$output"
}

# The interface is the same one, whatever its name is; in the middle of a job.
renamed() {
	mark
	begin_slowly
	on_node 2 ip link set port0 name eth7
	eventually 20 says n2 "interface port0 is called eth7 now: this node goes on"
	is_in n2
	link_clear all
	ends "done"
	matches_reference "$input" "$output"
}

# A tester in the place of node 3 is a controller as well.
a_tester() {
	mark
	lab kill --node 3 --signal TERM
	on_node 3 timeout 30 "$build/tools/gen/wiremill-gen" roundtrip --interface port0 \
		--key "/run/wiremill/$lab/key" --rate 100pps --duration 8s >"$scratch/gen.out" 2>&1 &
	sleep 2 # it is up by then, or the loop below finds it later
	for _ in 1 2 3; do
		lab kill --node 1 --signal TERM
		lab start --node 1 || true
		! has_met_a_rival || break
	done
	cat "$scratch/gen.out"
	has_met_a_rival
	wait
	lab start --node 3
	eventually 30 is_in n1
	eventually 30 is_in n3
}

has_met_a_rival() {
	says n1 "a second controller, [0-9a-f:]*, answers on this Ethernet"
}

# In the place of node 2, with the key of the first.
a_second_controller() {
	local second first daemon
	mark
	second=$(address --node 2)
	first=$(address --controller)
	lab kill --node 2 --signal TERM
	nsenter "--net=/run/netns/wm-$lab-n2" -- timeout -k 5 120 "$build/control/wiremilld" \
		--interface port0 --key "/run/wiremill/$lab/key" --state "$scratch/second" \
		--socket "$scratch/second.sock" >"$scratch/second.log" 2>&1 &
	daemon=$!
	eventually 60 test -S "$scratch/second.sock"
	lab kill --node 1 --signal TERM
	lab start --node 1 || true # it may have gone to the other
	eventually 30 has_met_a_rival
	# Whichever answered first has it.
	says n1 "a second controller, ($first, .* stays with $second|$second, .* stays with $first):"
	kill "$daemon"
	wait "$daemon"
	eventually 30 is_in n1
	lab start --node 2
	job_is_exact "$mib"
	rm -rf "$scratch"/second*
}

is_told_of_its_twin() {
	says n1 "not admitted: refused: another machine here has its MAC address" ||
		says n3 "not admitted: refused: another machine here has its MAC address"
}

twins() {
	local address own port
	mark
	address=$(address --node 1)
	lab kill --node 3 --signal TERM
	own=$(address --node 3)
	on_node 3 ip link set port0 address "$address"
	on_switch bridge fdb del "$address" dev n1 master static
	for port in n1 n3; do # as a switch does it
		on_switch bridge link set dev "$port" learning on
	done
	lab start --node 3 & # which waits: one of the two is out
	eventually 30 says ctl "two machines have the MAC address $address, and take turns as node n[13] and node n[13]"
	eventually 20 is_told_of_its_twin
	lab kill --node 3 --signal TERM
	on_node 3 ip link set port0 address "$own"
	on_switch bridge fdb replace "$address" dev n1 master static
	lab start --node 3
	eventually 60 is_in n1
}

# In the middle of a job; the others end it.
deleted() {
	mark
	local node
	for node in 1 2 3; do # of which one is not there to be restored after the step
		on_switch tc qdisc replace dev "n$node" root tbf rate 20mbit burst 256kb latency 20ms
	done
	begin_running
	on_node 2 ip link del eth7
	eventually 20 says n2 "interface eth7 is gone: it was deleted"
	ends "done"
	matches_reference "$input" "$output"
	eventually 10 node_holds n2 "n['state'] == 'gone'"
}

lab_up --nodes 3 --mtu 9000
check "frames in a queue that nobody listens to are counted, and the cure is said" frames_come_to_another_queue
check "with one queue the node joins" one_queue_mends_it
check "an interface that is set down is named as such" set_down_and_up
check "one without a link, too" unplugged
check "one with another MTU, too" other_mtu
check "one with another MAC address, too" other_address
check "one that is down at the start, of a node and of the controller" down_at_the_start
check "the controller's own port with another MTU, too" controllers_mtu
check "one that is renamed in the middle of a job goes on" renamed
check "a tester with the same key on the switch is named by the node that it answers" a_tester
check "two machines with one MAC address are named" twins
check "an interface that is deleted ends its node, not the job" deleted
lab_down

# The hugepages of a lab are enough for two at this MTU.
lab_up --nodes 2 --mtu 1500
check "a second controller with the same key is named by the node that both answer" a_second_controller
finish
