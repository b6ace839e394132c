#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The faults that tools/lab puts on a link: as often as asked, of the kind asked,
# in both directions, and on no other traffic. Needs no controller.
# shellcheck disable=SC2317  # the steps are called by check
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

wm_fault=$build/tools/fault/wm-fault
[[ -x $wm_fault ]] || skip_all "$wm_fault is not built"
# The machine at the faulty port of a bridge, and another one.
prefix=wmtest-$$
# So many that five standard deviations are a small part of what is expected.
count=10000

remove_namespaces() {
	local name
	for name in machine other switch; do
		ip netns del "$prefix-$name" 2>/dev/null
	done
}
trap 'remove_namespaces; clean_up' EXIT

for name in switch machine other; do
	ip netns add "$prefix-$name"
done
ip -n "$prefix-switch" link add bridge0 mtu 9000 type bridge
ip -n "$prefix-switch" link set bridge0 up
for name in machine other; do
	ip -n "$prefix-switch" link add "$name" mtu 9000 type veth \
		peer name link0 mtu 9000 netns "$prefix-$name"
	ip -n "$prefix-switch" link set "$name" master bridge0 up
	ip -n "$prefix-$name" link set link0 up promisc on
done

inside() {
	local name=$1
	shift
	nsenter --net="/run/netns/$prefix-$name" -- "$@"
}

fault() {
	local verb=$1
	shift
	inside switch "$wm_fault" "$verb" machine "$@"
}

# traffic FROM TO BYTES ETHERTYPE: prints what arrived.
traffic() {
	local receiver output=$scratch/received
	rm -f "$output"
	touch "$output"
	inside "$2" python3 "$tests/fault_probe.py" receive link0 "$count" "$3" "$4" >"$output" &
	receiver=$!
	until grep -q listening "$output"; do
		kill -0 "$receiver"
		sleep 0.02
	done
	inside "$1" python3 "$tests/fault_probe.py" send link0 "$count" "$3" "$4"
	wait "$receiver"
	tail -n 1 "$output"
}

# counted DIRECTION: the program's own counters as an object.
counted() {
	fault show | sed -n "s/^$1 //p" |
		python3 -c 'import json, sys
print(json.dumps({k: int(v) for k, v in (w.split("=") for w in sys.stdin.read().split())}))'
}

# as_often_as FOUND PERCENT: within five standard deviations.
as_often_as() {
	python3 - "$1" "$2" "$count" <<-'PYTHON'
		import sys
		found, share, count = int(sys.argv[1]), float(sys.argv[2]) / 100, int(sys.argv[3])
		expected, deviation = count * share, (count * share * (1 - share)) ** 0.5
		if abs(found - expected) > 5 * deviation:
		    sys.exit(f"{found} of {count}, expected {expected:.0f} +- {deviation:.0f}")
	PYTHON
}

# fault_happens DIRECTION BYTES FAULT PERCENT
fault_happens() {
	local saw counters from=other to=machine
	[[ $1 == to ]] || {
		from=machine
		to=other
	}
	fault set "--$3" "$4%"
	saw=$(traffic "$from" "$to" "$2" 0x88B5)
	counters=$(counted "$1")
	echo "saw $saw, counted $counters"
	holds "it['frames'] == $count" "$counters"
	holds "it['frames'] == $count - $(value 'it["lost"]' "$counters") + $(value 'it["duplicated"]' "$counters")" "$saw"
	holds "it['damaged'] == it['flipped_bits'] == $(value 'it["corrupted"]' "$counters")" "$saw"
	holds "it['other_length'] == 0 and 'ended' not in it" "$saw"
	case $3 in
	loss) as_often_as "$(value 'it["missing"]' "$saw")" "$4" ;;
	corrupt) as_often_as "$(value 'it["damaged"]' "$saw")" "$4" ;;
	duplicate) as_often_as "$(value 'it["copies"]' "$saw")" "$4" ;;
	esac
}

together() {
	local saw counters
	fault set --loss 5% --corrupt 5% --duplicate 5%
	saw=$(traffic other machine 1514 0x88B5)
	counters=$(counted to)
	echo "saw $saw, counted $counters"
	as_often_as "$(value 'it["lost"]' "$counters")" 5
	as_often_as "$(value 'it["corrupted"]' "$counters")" 4.75
	as_often_as "$(value 'it["duplicated"]' "$counters")" 4.75
	holds "it['frames'] == $count - $(value 'it["lost"] - it["duplicated"]' "$counters")" "$saw"
}

untouched() {
	local saw
	fault set --loss 100%
	saw=$(traffic other machine 1514 0x88B7)
	holds "it['frames'] == $count and it['missing'] == 0 and it['damaged'] == 0" "$saw"
}

all_lost() {
	local saw
	fault set --loss 100%
	saw=$(traffic other machine 1514 0x88B5)
	holds "it['frames'] == 0" "$saw"
}

cleared() {
	local saw
	fault clear
	fault clear
	saw=$(traffic other machine 1514 0x88B5)
	holds "it['missing'] == 0 and it['damaged'] == 0 and it['copies'] == 0" "$saw"
	equal "wm-fault show" "$(fault show)" "no faults"
}

for direction in to from; do
	for bytes in 1514 9014; do
		for fault in loss corrupt duplicate; do
			check "10% $fault $direction the machine in frames of $bytes bytes" \
				fault_happens "$direction" "$bytes" "$fault" 10
		done
	done
done
check "1% loss" fault_happens to 1514 loss 1
check "0.5% corruption" fault_happens to 1514 corrupt 0.5
check "loss, corruption and duplication do not depend on each other" together
check "100% loss leaves nothing" all_lost
check "frames of other protocols are not touched" untouched
check "clear removes all faults, also twice" cleared
finish
