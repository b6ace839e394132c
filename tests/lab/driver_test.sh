#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A port whose driver treats mbufs as those of real cards do (card.c): jumbo frames come
# in two segments, transmitted mbufs stay in its ring until it comes round again. Then a
# driver of rings in memory, virtio's, whose other end is dpdk-testpmd's vhost. And a link
# that goes down.
# shellcheck disable=SC2317  # the steps are called by check
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

gen=$build/tools/gen/wiremill-gen
library=$build/tests/lab/card.so
[[ -e $library ]] || skip_all "$library is not built"
# More jobs than a lane has places for extents.
jobs=52

# with_card BUFFER RING COMMAND...
with_card() {
	local buffer=$1 ring=$2
	shift 2
	LD_PRELOAD=$library WM_CARD_BUFFER=$buffer WM_CARD_RING=$ring "$@"
}

# Of each frame of 8234 bytes 42 are copied, to lie behind the others.
segments_are_joined() {
	job_is_exact $((8 * mib))
	holds 'it["lanes"][0]["obtained"]["receive"] == "in place"' "$(stats)"
	holds 'it["lanes"][0]["drops"]["length"] == 0' "$(stats)"
	holds '0 < it["lanes"][0]["copied_bytes"]["receive"] < it["lanes"][0]["payload_bytes"]["receive"] / 100' \
		"$(stats)"
}

# Each job is one extent, in a place of its own while frames of it may be in the ring.
small_jobs_go_on() {
	make_data "$scratch/small" 65536
	job=$(python3 - "$socket" "$scratch/small" "$jobs" <<-'PYTHON'
		import json, socket, sys
		path, small, jobs = sys.argv[1:]
		with socket.socket(socket.AF_UNIX) as s:
		    s.connect(path)
		    answers = s.makefile()
		    for i in range(int(jobs)):
		        s.sendall(json.dumps({"jsonrpc": "2.0", "id": i, "method": "job.submit", "params":
		            {"kernel": "xor", "input": small, "output": f"{small}.{i}"}}).encode() + b"\n")
		        last = json.loads(answers.readline())["result"]["job"]
		print(last)
	PYTHON
	)
	ends "done"
	matches_reference "$scratch/small" "$scratch/small.$((jobs - 1))"
	rm -f "$scratch"/small*
}

all_is_given_back() {
	lab kill --controller --signal TERM
	lab logs >"$scratch/logs"
	grep -E 'card: [1-9][0-9]* mbufs were in its ring' "$scratch/logs"
	! grep -E 'in its ring is freed|not given back|lost the reference|SUMMARY: |runtime error:' "$scratch/logs"
}

nodes_are_there() {
	holds 'sum(n["state"] in ("admitted", "ready") for n in it["nodes"]) == 2' "$(nodes)"
}

link() {
	lab exec --switch -- ip link set ctl0 "$1"
}

link_is() {
	holds "it['lanes'][0]['port']['link'] == '$1'" "$(stats)"
}

# last_said WORDS: of that port, by the controller.
last_said() {
	grep 'port port0: ' "/run/wiremill/$lab/ctl.log" | tail -n 1 | grep -F "$1"
}

a_link_comes_back() {
	local input=$scratch/input output=$scratch/output
	rm -f "$output"*
	make_data "$input" $((8 * mib))
	last_said 'link up'
	link_rate all 2mbit
	begin "$input" "$output"
	trap 'link up' EXIT
	eventually 20 job_holds 'it["batches_done"] > 0'
	link down
	eventually 20 job_holds 'it["state"] == "running" and "link" in it["waiting"]'
	link_is down
	last_said 'link down'
	holds 'it["lanes"][0]["port"]["transmit_dropped"] > 0' "$(stats)"
	link up
	link_clear all
	ends "done"
	matches_reference "$input" "$output"
	job_holds 'it["waiting"] == ""'
	# Looked at now and then; the job may be faster.
	eventually 10 link_is up
	eventually 10 last_said 'link up'
}

a_link_that_is_down_is_said_at_the_start() {
	trap 'link up' EXIT
	link down
	lab start --controller
	last_said 'link down'
	link_is down
	link up
	eventually 20 nodes_are_there
	job_is_exact "$mib"
	lab kill --controller --signal TERM
}

gen_loses_nothing() {
	with_card 8192 1024 lab exec -- timeout 60 "$gen" roundtrip --interface port0 \
		--key "/run/wiremill/$lab/key" --size jumbo --rate 500pps --duration 1s \
		--json "$scratch/gen.json" 2>"$scratch/gen.log"
	cat "$scratch/gen.log"
	equal "rows with lost frames, or none received" "$(python3 -c 'import json, sys
rows = json.load(open(sys.argv[1]))["results"]
print([r["target"] for r in rows if r["lost"] or not r["received"]["frames"]])' \
		"$scratch/gen.json")" "[]"
	! grep -E 'in its ring is freed|not given back' "$scratch/gen.log"
}

# pair_start: testpmd forwards between a vhost port and the controller's interface; the
# controller has the other end of it, and that interface's address. Sets testpmd, daemon.
pair_start() {
	local state=/run/wiremill/$lab mac
	local inside=(nsenter "--net=/run/netns/wm-$lab-ctl" -- timeout -k 5 200)
	mac=$(address --controller)
	"${inside[@]}" dpdk-testpmd --no-huge -m 512 --no-pci --no-telemetry --no-shconf \
		--iova-mode=va --lcores '0@(0-1),1@(0-1)' \
		--vdev "net_vhost0,iface=$state/vhost.sock,queues=1" \
		--vdev net_af_packet0,iface=port0,qdisc_bypass=1 \
		-- --forward-mode=io --auto-start --total-num-mbufs=8192 --no-mlockall \
		--stats-period 1 </dev/null >"$state/testpmd.log" 2>&1 &
	testpmd=$!
	eventually 30 test -S "$state/vhost.sock"
	"${inside[@]}" "$build/control/wiremilld" --socket "$socket" --state "$state/state" \
		--key "$state/key" --lcores '0@(0-1),1@(0-1)' \
		--vdev "net_virtio_user0,path=$state/vhost.sock,queues=1,queue_size=256,mac=$mac" \
		>"$state/ctl.log" 2>&1 &
	daemon=$!
	eventually 60 test -S "$socket"
	eventually 60 nodes_are_there
}

pair_end() {
	kill "$daemon"
	wait "$daemon"
	kill "$testpmd"
	wait "$testpmd" || true
	! grep -E 'not given back|SUMMARY: |runtime error:' "/run/wiremill/$lab/ctl.log"
}

# One step, since what it starts is a child of its shell.
small_jobs_go_on_virtio() {
	pair_start
	small_jobs_go_on
	job_is_exact $((2 * mib))
	pair_end
}

lab_up --nodes 2 --mtu 9000
lab kill --controller --signal TERM
with_card 8192 1024 lab start --controller
check "results in two segments are joined where they lie, and written from there" segments_are_joined
check "small jobs do not wait for mbufs that the driver keeps" small_jobs_go_on
check "a link that goes down is said, and a job goes on when it is up again" a_link_comes_back
check "at the end the port gives back what its ring holds before its memory goes" all_is_given_back
check "a link that is down is said at the start" a_link_that_is_down_is_said_at_the_start
check "wiremill-gen takes jumbo frames in segments" gen_loses_nothing
lab_down

if command -v dpdk-testpmd >/dev/null; then
	lab_up --nodes 2 --mtu 1500 --no-controller
	check "nor on virtio's driver, against dpdk-testpmd" small_jobs_go_on_virtio
	lab_down
else
	report ok "nor on virtio's driver # SKIP dpdk-testpmd is not installed" /dev/null
fi

finish
