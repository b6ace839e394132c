#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A kernel that no node has built in, on a rack of twelve: it gets to all of them over links
# that lose frames, to who joins late, and to who dies and comes back; the output is exact. A
# driver that does not come back from compiling holds up nobody.
# shellcheck disable=SC2317  # the steps are called by check
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

input=$scratch/input
output=$scratch/output
kernel=$scratch/skip.glsl
library=$build/tests/lab/gpu_compile.so
[[ -e $library ]] || skip_all "$library is not built"

cat >"$kernel" <<'GLSL'
//!KERNEL skip
//!TEXT each word with the one after the next, and a key
//!IN u32
//!OUT u32
//!HALO 0 2
//!PARAM key uint 1 0 1000000
void element(int i)
{
	out(i, in(i) ^ in(i + 2) ^ key);
}
GLSL

# matches KEY: the same by one large number, which knows nothing of kernels.
matches() {
	python3 - "$input" "$output" "$1" <<-'PYTHON'
		import sys
		data, found = (open(name, "rb").read() for name in sys.argv[1:3])
		count = len(data) // 4 - 2
		key = int(sys.argv[3]).to_bytes(4, "little") * count
		number = lambda run: int.from_bytes(run, "little")
		right = number(data[:-8]) ^ number(data[8:]) ^ number(key)
		if right.to_bytes(4 * count, "little") != found:
		    sys.exit("the output is not what the kernel makes of the input")
	PYTHON
}

# begin_own KEY: submits without waiting; sets job.
begin_own() {
	rm -f "$output"*
	job=$(value 'it["job"]' "$(ctl job submit --kernel "$kernel" --param key="$1" \
		--input "$input" --output "$output" --json)")
}

# And when this returns, the job is in the middle and stays there until links_let_go.
begin_own_held() {
	links_hold
	begin_own "$1"
	eventually 60 job_holds 'it["batches_done"] > 0'
	still_runs
}

is_exact() {
	ends "done"
	is_finished "$output"
	matches "$1"
}

all_took_part() {
	holds 'sum(n["results"] > 0 for n in it["nodes"]) == 12' "$(nodes)"
}

it_gets_to_all() {
	link_fault all "${faults[@]}"
	begin_own 7
	is_exact 7
	eventually 5 all_took_part
	equal "nodes that got it" "$(grep -c 'gets kernel skip' "/run/wiremill/$lab/ctl.log")" 12
}

it_is_sent_once() {
	local before
	before=$(grep -c 'gets kernel skip' "/run/wiremill/$lab/ctl.log")
	begin_own 7
	is_exact 7
	equal "transfers" "$(grep -c 'gets kernel skip' "/run/wiremill/$lab/ctl.log")" "$before"
}

machines_die_and_come_back() {
	begin_own_held 8
	lab kill --node 2
	lab kill --node 3
	lab kill --controller
	links_let_go all
	link_fault all --loss 1%
	lab start --controller
	lab start --node 2
	lab start --node 3
	is_exact 8
}

# Its compiler takes a minute: others do the job, and it beats.
a_slow_driver_holds_up_nobody() {
	lab kill --node 4 --signal TERM
	LD_PRELOAD=$library WM_GPU_COMPILE_MS=60000 lab start --node 4
	eventually 30 node_holds n4 "n['state'] == 'admitted'"
	begin_own 9
	is_exact 9
	node_holds n4 "n['state'] == 'admitted' and n['results'] == 0"
	if grep -q "node n4 was not heard of" "/run/wiremill/$lab/ctl.log"; then
		echo "it fell silent"
		return 1
	fi
}

lab_up --nodes 12 --mtu 9000
make_data "$input" $((64 * mib))
check "a kernel of one's own gets to twelve nodes over bad links" it_gets_to_all
check "who has it does not get it again" it_is_sent_once
check "controller and nodes die in the middle, and it is exact" machines_die_and_come_back
check "a driver that compiles for a minute holds up nobody" a_slow_driver_holds_up_nobody
check "all programs end well" programs_end_well
finish
