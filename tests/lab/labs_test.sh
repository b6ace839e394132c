#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# tools/lab itself: several labs at once, and nothing left behind.
# shellcheck disable=SC2317  # the steps are called by check
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

# Hugepages of this machine less what the labs that stand have added: others' labs may come
# and go while this test runs.
pages() {
	# Without another lab there is nothing but the first.
	{ flock /run cat /proc/sys/vm/nr_hugepages /run/wiremill/*/hugepages 2>/dev/null || true; } |
		awk 'NR == 1 { pages = $1; next } { pages -= $1 } END { print pages }'
}

# left_by LAB: what there still is of a lab.
left_by() {
	ls -d "/run/wiremill/$1" "/run/netns/wm-$1-"* 2>/dev/null || true
	pgrep -af -- "/run/wiremill/$1/wiremilld.sock" || true
	for pid in "${recorded[@]}"; do
		# A zombie has ended; whoever adopted it has just not looked.
		ps -o pid=,stat=,comm= -p "$pid" | awk '$2 !~ /^Z/' || true
	done
}

nothing_left_by() {
	equal "what is left of lab $1" "$(left_by "$1")" ""
}

record_pids() {
	recorded=()
	for file in "/run/wiremill/$lab"/*.pid; do
		[[ -e $file ]] || continue
		recorded+=("$(cut -d' ' -f1 "$file")")
	done
}
recorded=()

two_at_once() {
	local first second first_socket
	lab=$lab_a socket=/run/wiremill/$lab_a/wiremilld.sock
	make_data "$scratch/a" $((16 * 1024 * 1024))
	make_data "$scratch/b" $((16 * 1024 * 1024 + 320))
	submit "$scratch/a" "$scratch/a.out" &
	first=$!
	first_socket=$socket
	lab=$lab_b socket=/run/wiremill/$lab_b/wiremilld.sock
	submit "$scratch/b" "$scratch/b.out" &
	second=$!
	wait "$first"
	wait "$second"
	matches_reference "$scratch/a" "$scratch/a.out"
	matches_reference "$scratch/b" "$scratch/b.out"
	[[ $first_socket != "$socket" ]]
}

listed() {
	"$root/tools/lab" list >"$scratch/list"
	cat "$scratch/list"
	grep -E "^$lab_a +2 of 2 +9000 " "$scratch/list"
	grep -E "^$lab_b +1 of 1 +1500 " "$scratch/list"
}

name_in_use() {
	local status=0
	lab=$lab_a
	lab up --build "$build" --nodes 1 --mtu 1500 2>"$scratch/said" || status=$?
	cat "$scratch/said"
	equal "exit status" "$status" 1
	grep "stands already" "$scratch/said"
	nodes >/dev/null
}

down_leaves_nothing() {
	lab=$lab_b
	record_pids
	lab down
	nothing_left_by "$lab_b"
	lab=$lab_a socket=/run/wiremill/$lab_a/wiremilld.sock
	holds 'len(it["nodes"]) == 2' "$(nodes)"
	record_pids
	lab down
	nothing_left_by "$lab_a"
	lab down
}

hugepages_are_as_before() {
	equal "hugepages" "$(pages)" "$pages_before"
}

# Another lab that is just being taken down has given its pages back, and is still there.
hugepages_come_back() {
	eventually 30 hugepages_are_as_before
}

failed_up_leaves_nothing() {
	local status=0
	lab up --build "$build" --nodes 2 --mtu 9000 --node-arg --no-such-option 2>"$scratch/said" || status=$?
	cat "$scratch/said"
	equal "exit status" "$status" 1
	grep -E "node [12] ended" "$scratch/said"
	nothing_left_by "$lab"
	hugepages_come_back
}

interrupted_up_leaves_nothing() {
	for seconds in 0.1 0.4 0.9 1.5; do
		env --default-signal timeout -s INT "$seconds" \
			"$root/tools/lab" up --name "$lab" --build "$build" --nodes 12 --mtu 9000 \
			2>&1 | tee "$scratch/interrupted" || true
		# It may have been done before: then it stands, as it should.
		! grep -q "'$lab' stands: " "$scratch/interrupted" || lab down || true
		nothing_left_by "$lab"
	done
	hugepages_come_back
}

killed_up_is_taken_down() {
	timeout -s KILL 0.8 "$root/tools/lab" up --name "$lab" --build "$build" --nodes 3 --mtu 9000 || true
	record_pids
	lab down
	nothing_left_by "$lab"
	hugepages_come_back
}

# A switch's own view of the ways that a job takes: what has gone through the queue
# of a port, in bytes.
went_through() {
	lab exec --switch -- tc -s -j qdisc show dev "$1" | python3 -c 'import json, sys
print(next(q["bytes"] for q in json.load(sys.stdin) if q["kind"] == "tbf"))'
}

rate_of() {
	lab exec --switch -- tc qdisc show dev "$1" | sed -n 's/.* rate \([^ ]*\) .*/\1/p'
}

links_have_their_rates() {
	equal "rate to node 1" "$(rate_of n1)" 500Mbit
	equal "rate to node 2" "$(rate_of n2)" 50Mbit
	equal "rate to the controller" "$(rate_of ctl0)" 1Gbit
	equal "rate from the controller" "$(rate_of ctl0-in)" 1Gbit
	job_is_exact $((16 * mib))
	(($(went_through ctl0) > 16 * mib))
	(($(went_through ctl0-in) > 16 * mib))
	(($(went_through n1) > $(went_through n2)))
}

# A program that ends without a word is not told by what an earlier life of it had said; a
# node that was killed is not ready because the controller has not missed it yet.
only_this_life_speaks() {
	local log=/run/wiremill/$lab/ctl.log silent=$scratch/silent
	mkdir -p "$silent/control/cli"
	printf '#!/bin/sh\nexit 1\n' | tee "$silent/control/wiremilld" >"$silent/control/wiremill-node"
	chmod +x "$silent"/control/wiremill*
	cp "$build/control/cli/wiremill" "$silent/control/cli/"
	lab kill --controller
	echo "wiremilld: error: of an earlier life" >>"$log"
	echo "$silent" >"/run/wiremill/$lab/build"
	refused 1 "did not start: \(it logged nothing\)" lab start --controller
	echo "$build" >"/run/wiremill/$lab/build"
	lab start --controller
	eventually 30 both_are_in
	lab kill --node 2
	echo "$silent" >"/run/wiremill/$lab/build"
	refused 1 "node 2 ended: \(it logged nothing\)" lab start --node 2
	echo "$build" >"/run/wiremill/$lab/build"
	lab start --node 2
}

both_are_in() {
	holds 'sorted(n["name"] for n in it["nodes"] if n["state"] in ("admitted", "ready")) == ["n1", "n2"]' "$(nodes)"
}

alters_links_and_fails() {
	link_fault 1 --loss 100% --corrupt 100%
	link_rate all 1mbit
	link_ports down 1 2
	echo "altered: $(rate_of n2), $(lab fault --node 2), $(lab fault --node 1)"
	false
}

# What this file's other checks rest on: the next one finds the links as they were made.
a_failed_check_leaves_its_links() {
	(check "fails" alters_links_and_fails) >"$scratch/failed"
	cat "$scratch/failed"
	grep "not ok" "$scratch/failed"
	grep "altered: 1Mbit, n2 no faults, n1 from frames=" "$scratch/failed"
	equal "faults" "$(lab fault --node all | xargs)" "n1 no faults n2 no faults"
	equal "rates" "$(rate_of n1) $(rate_of n2)" "500Mbit 50Mbit"
	eventually 10 all_links_are_up
}

all_links_are_up() {
	equal "links that are up" "$(lab exec --switch -- ip -br link show up | grep -c '^n[12]@.*LOWER_UP')" 2
}

# bridge_of NAME
bridge_of() {
	lab exec --switch -- ip -j link show "$1" | python3 -c 'import json, sys
print(json.load(sys.stdin)[0]["master"])'
}

no_controller() {
	equal "programs" "$(cd "/run/wiremill/$lab" && echo *.pid)" "n1.pid n2.pid n3.pid"
	equal "what up has printed at the end" "$(tail -n 1 "$scratch/up.log")" "/run/wiremill/$lab/key"
	lab kill --node 2
	lab start --node 2
	"$root/tools/lab" list | grep -E "^$lab +3 of 3 +1500 +none "
}

two_bridges() {
	equal "bridges" "$(for name in ctl0 ctl1 n1 n2 n3; do bridge_of "$name"; done | xargs)" \
		"br0 br1 br0 br1 br0"
	lab exec -- ip link show port0
	lab exec -- ip link show port1
}

wrong_options() {
	refused 2 "bridges is 1 to 4" lab up --nodes 1 --mtu 1500 --bridges 5
	refused 2 "a node's number, at most 1 here, and its rate" lab up --nodes 1 --mtu 1500 --node-rate 2=10mbit
	refused 2 "a node's number, at most 1 here, and its MTU" lab up --nodes 1 --mtu 1500 --node-mtu 2=1280
	refused 2 "leaves out" lab up --nodes 1 --mtu 1500 --no-controller --controller-arg --version
	refused 2 "has nodes 1 to 3, not '4'" lab kill --node 4
	refused 2 "name the program" lab start --switch
	refused 2 "unknown option" lab fault --node all --los 1%
	refused 2 "range such as 1-100" lab fault --node all --loss 1% --frames 9-1
	refused 2 "rate goes with no other" lab fault --node all --loss 1% --rate 1mbit
}

pages_before=$(pages)
lab_up --nodes 2 --mtu 9000
lab_a=$lab
lab_up --nodes 1 --mtu 1500
lab_b=$lab
check "two labs are listed" listed
check "two labs work at the same time" two_at_once
check "a name in use is refused and its lab stays" name_in_use
check "down leaves nothing of a lab, and the other lab alone" down_leaves_nothing
check "hugepages are given back" hugepages_come_back
lab_up --nodes 2 --mtu 9000 --rate 500mbit --node-rate 2=50mbit --uplink-rate 1gbit
check "links have their rates, and a job keeps to the ways" links_have_their_rates
check "what a program said in an earlier life is not told of this one" only_this_life_speaks
check "a check that fails leaves no fault, rate or dead link behind" a_failed_check_leaves_its_links
lab_down
lab_up --nodes 3 --mtu 1500 --no-controller --bridges 2
check "a lab without a controller has the rest" no_controller
check "two bridges: a port of the controller on each, nodes in turn" two_bridges
check "wrong options are refused" wrong_options
lab_down
lab_new
check "an up that fails leaves nothing" failed_up_leaves_nothing
check "an up that is interrupted leaves nothing" interrupted_up_leaves_nothing
check "what a killed up leaves, down takes away" killed_up_is_taken_down
finish
