#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# wiremill-gen: what it counts is what the kernel counted, what the faults did, and
# what tshark saw; nodes answer it, up to their GPU.
# shellcheck disable=SC2317  # the steps are called by check
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

gen=$build/tools/gen/wiremill-gen

# run_gen OPTION...: in the controller's place.
run_gen() {
	lab exec -- timeout 300 "$gen" "$@"
}

# peer_start COMMAND OPTION...: in the place of node 1, listening; sets peer.
peer_start() {
	local command=$1
	shift
	# Of an earlier one, whose log says that it runs.
	rm -f "$scratch/peer.json" "$scratch/peer.log"
	lab exec --node 1 -- timeout 300 "$gen" "$command" --interface port0 --idle 2s \
		--json "$scratch/peer.json" "$@" >/dev/null 2>"$scratch/peer.log" &
	peer=$!
	eventually 30 grep -q 'runs on port' "$scratch/peer.log"
}

peer_wait() {
	wait "$peer"
}

# sniff_start COUNT: on the switch's end of node 1's link, until there are so many of our
# frames; sets sniffer. (net_af_packet goes past the taps of its own interface.)
sniff_start() {
	rm -f "$scratch/tshark.log"
	lab exec --switch -- timeout 120 tshark -i n1 -F pcapng -w "$scratch/seen.pcapng" \
		-c "$1" -f 'ether proto 0x88b5' >/dev/null 2>"$scratch/tshark.log" &
	sniffer=$!
	eventually 30 grep -q 'Capturing on' "$scratch/tshark.log"
}

# counter FIELD OPTION...: of a machine's port, as the kernel counts.
counter() {
	local field=$1
	shift
	lab exec "$@" -- ip -j -s link show port0 | python3 -c 'import json, sys
way, unit = sys.argv[1].split(".")
print(json.load(sys.stdin)[0]["stats64"][way][unit])' "$field"
}

# fault_count DIRECTION NAME: what the lab's faults did to node 1's link.
fault_count() {
	lab fault --node 1 | sed -nE "s/^n1 $1 .*\b$2=([0-9]+).*/\1/p"
}

# results FILE: its rows without their histograms, which no command line holds.
results() {
	python3 -c 'import json, sys
rows = json.load(open(sys.argv[1]))["results"]
print(json.dumps([{k: r[k] for k in r if k != "histogram"} for r in rows]))' "$1"
}

# total FILE: its last row of all targets.
total() {
	value 'json.dumps([r for r in it if r["scope"] == "total"][-1])' "$(results "$1")"
}

# head_of FILE: all but its rows.
head_of() {
	python3 -c 'import json, sys
result = json.load(open(sys.argv[1]))
print(json.dumps({k: result[k] for k in result if k != "results"}))' "$1"
}

# ---- nodes --------------------------------------------------------------------

nodes_answer_each_probe() {
	run_gen roundtrip --interface port0 --key "$key" --nodes 3 --size 64,9018 --flows 3 \
		--window 8 --count 3000 --json "$scratch/echo.json" >/dev/null
	holds 'len(it) == 8 and all(r["lost"] == r["duplicates"] == 0 and
		r["latency_ns"]["count"] == r["received"]["frames"] == r["sent"]["frames"] and
		r["sent"]["frames"] == 3000 or r["scope"] == "node" for r in it)' \
		"$(results "$scratch/echo.json")"
}

nodes_compute_each_batch() {
	run_gen roundtrip --interface port0 --key "$key" --nodes 3 --op map --size 110,1518,jumbo \
		--window 8 --count 3000 --json "$scratch/map.json" >/dev/null
	holds 'len(it) == 12 and all(r["lost"] == r["damaged"] == 0 and
		r["received"]["frames"] == r["sent"]["frames"] > 0 for r in it)' \
		"$(results "$scratch/map.json")"
}

nodes_are_measured_one_by_one() {
	run_gen roundtrip --interface port0 --key "$key" --node n1,n3 --one-by-one --window 4 \
		--count 500 --json "$scratch/one.json" >/dev/null
	holds 'sorted(r["target"] for r in it if r["scope"] == "node") == ["n1", "n3"]
		and all(r["sent"]["frames"] == 500 for r in it)' \
		"$(results "$scratch/one.json")"
}

a_missing_node_is_named() {
	refused 1 'n9.*does not come' run_gen roundtrip --interface port0 --key "$key" \
		--node n9 --wait 1s
}

an_interrupt_shows_what_was_found() {
	local program
	run_gen roundtrip --interface port0 --key "$key" --nodes 3 --window 4 --duration 1h \
		--json "$scratch/cut.json" >"$scratch/cut.text" 2>"$scratch/cut.log" &
	program=$!
	# Its own counter moves: it measures.
	eventually 60 moves --controller
	ip netns pids "wm-$lab-ctl" | xargs kill -INT
	wait "$program"
	grep -q roundtrip "$scratch/cut.text"
	holds 'it[0]["sent"]["frames"] > 0' "$(results "$scratch/cut.json")"
}

# moves OPTION...: that machine sends more than control traffic is.
moves() {
	local before
	before=$(counter tx.packets "$@")
	sleep 0.2
	(($(counter tx.packets "$@") > before + 100))
}

# Small frames as fast as they go, then larger ones, then the GPU, as a shell writes them.
# SVG, where there is gnuplot.
steps_run_and_are_drawn() {
	local time=1s drawn
	{
		for _ in 1 2; do
			echo "roundtrip --nodes 3 --size 64,1518 --window 8 --duration $time # again"
		done
		echo "roundtrip --nodes 3 --op map --window 4 --count 600"
	} | run_gen run - --interface port0 --key "$key" --json "$scratch/steps.json" >/dev/null
	holds 'sum(r["scope"] == "total" and r["received"]["frames"] > 0 for r in it) == 5' \
		"$(results "$scratch/steps.json")"
	command -v gnuplot >/dev/null || return 0
	drawn=$("$root/tools/plot/wiremill-plot" "$scratch/steps.json" "$scratch/picture")
	equal "pictures" "$(xargs -n 1 basename <<<"$drawn" | xargs)" \
		"picture-rate.svg picture-latency.svg picture-distribution.svg"
	grep -q 'roundtrip: p99.99' "$scratch/picture-latency.svg"
}

# run_steps OPTION...: of $scratch/steps.
run_steps() {
	run_gen run "$scratch/steps" --interface port0 --key "$key" "$@"
}

# Nothing is sent before all can be read.
wrong_steps_are_refused() {
	local own
	printf 'roundtrip --count 1\nflood\n' >"$scratch/steps"
	refused 1 "steps:2: there is no command 'flood'" run_steps
	for own in "--json x" "--key x" "--lcores 0,1" "--line-rate 1gbit" "--live off"; do
		printf '\nroundtrip --count 1 %s\n' "$own" >"$scratch/steps"
		refused 1 "steps:2: port, key and result are of the whole run" run_steps
	done
	printf '# none\n' >"$scratch/steps"
	refused 1 "steps: there is no step in it" run_steps
	refused 1 "nothing: the steps cannot be read" run_gen run "$scratch/nothing" --interface port0
	refused 2 "FILE is missing" run_gen run --interface port0
}

the_first_step_that_fails_ends_it_unless_told() {
	printf '%s\n' "roundtrip --node n9 --wait 1s" "roundtrip --nodes 3 --count 30 --window 4" \
		"roundtrip --node n8 --wait 1s" >"$scratch/steps"
	rm -f "$scratch/steps.json"
	! run_steps --json "$scratch/steps.json" >/dev/null 2>"$scratch/error" || return 1
	equal "what failed" "$(grep -oE 'steps:.*' "$scratch/error")" \
		"steps:1: node n9 does not come: is it up, and is its --key the same?"
	[[ ! -e $scratch/steps.json ]]
	! run_steps --keep-going --json "$scratch/steps.json" >/dev/null 2>"$scratch/error" || return 1
	equal "what failed" "$(grep -oE 'steps:[0-9]+: [^ ]+ n[0-9]|steps: 2 of 3 steps failed' "$scratch/error" | xargs)" \
		"steps:1: node n9 steps:3: node n8 steps: 2 of 3 steps failed"
	holds 'sum(r["scope"] == "total" and r["received"]["frames"] == 30 for r in it) == 1' \
		"$(results "$scratch/steps.json")"
}

wrong_usage_is_refused() {
	refused 2 'no command' "$gen" shout
	refused 2 'knows no --size' "$gen" echo --interface port0 --size 64
	refused 2 'name one of' "$gen" transmit --rate 1kpps
	refused 2 'from 1 to' "$gen" transmit --interface port0 --count 0
	refused 2 'time such as' "$gen" transmit --interface port0 --duration 1x
	refused 2 'no node' "$gen" transmit --interface port0 --mac 02:00:00:00:00:01 --nodes 2
	refused 2 'rate to begin' run_gen throughput --interface port0 --key "$key"
	refused 2 'too small' run_gen roundtrip --interface port0 --key "$key" --op map --size 100
}

# ---- a peer -------------------------------------------------------------------

kernel_and_tshark_count_the_same() {
	local sent received
	sniff_start 4000
	peer_start receive
	sent=$(counter tx.packets --controller)
	received=$(counter rx.packets --node 1)
	run_gen transmit --interface port0 --mac "$mac" --size 64-9018:7 --flows 5 --rate 2kpps \
		--count 4000 --json "$scratch/sent.json" >/dev/null
	peer_wait
	wait "$sniffer"
	equal "frames that the kernel sent" "$(($(counter tx.packets --controller) - sent))" 4000
	equal "frames that the kernel received" "$(($(counter rx.packets --node 1) - received))" 4000
	equal "frames that tshark saw" "$(tshark -r "$scratch/seen.pcapng" 2>/dev/null | wc -l)" 4000
	holds 'it["sent"]["frames"] == 4000' "$(total "$scratch/sent.json")"
	holds 'it["received"]["frames"] == 4000 and it["lost"] == it["reordered"] == 0' \
		"$(total "$scratch/peer.json")"
	equal "bytes" "$(value 'it["received"]["bytes"]' "$(total "$scratch/peer.json")")" \
		"$(value 'it["sent"]["bytes"]' "$(total "$scratch/sent.json")")"
}

# with_fault OPTION...: 4000 frames to the peer, through faults. It knows of a frame by
# the numbers of those before and after it, so the first and the last pass unharmed.
with_fault() {
	link_fault 1 --frames 101-3900 "$@"
	peer_start receive
	run_gen transmit --interface port0 --mac "$mac" --size 512 --rate 2kpps --count 4000 >/dev/null
	peer_wait
	equal "frames that met the faults" "$(fault_count to frames)" 4000
}

loss_is_counted_exactly() {
	local lost
	for share in 2% 50%; do
		with_fault --loss "$share"
		lost=$(fault_count to lost)
		holds "0 < it['lost'] == $lost and it['received']['frames'] == 4000 - $lost" \
			"$(total "$scratch/peer.json")"
	done
}

duplicates_are_counted_exactly() {
	with_fault --duplicate 2%
	equal "duplicates" "$(value 'it["duplicates"]' "$(total "$scratch/peer.json")")" \
		"$(fault_count to duplicated)"
	holds 'it["lost"] == 0' "$(total "$scratch/peer.json")"
}

# Wherever the bit lies that was flipped: a probe has no byte that its CRC leaves out.
damage_is_loss() {
	local damaged
	with_fault --corrupt 50%
	damaged=$(fault_count to corrupted)
	# What lost its EtherType is nobody's.
	holds "it['lost'] == $damaged and it['received']['frames'] == 4000 - $damaged and
		0 < it['damaged'] <= it['lost']" "$(total "$scratch/peer.json")"
}

a_peer_echoes() {
	peer_start echo
	run_gen roundtrip --interface port0 --mac "$mac" --size imix --flows 4 --window 32 \
		--burst 8 --rate 4kpps --count 4000 --json "$scratch/back.json" >/dev/null
	peer_wait
	holds 'it["sent"]["frames"] == it["received"]["frames"] == 4000 and it["lost"] == 0' \
		"$(total "$scratch/back.json")"
	holds 'it["received"]["frames"] == 4000' "$(total "$scratch/peer.json")"
}

# ---- captures -------------------------------------------------------------------

# frames FILE FIELD...: one line a frame, sorted.
frames() {
	local file=$1 field options=()
	shift
	for field in "$@"; do options+=(-e "$field"); done
	tshark -r "$file" -T fields "${options[@]}" 2>/dev/null | LC_ALL=C sort
}

# same_frames WHAT FIELD...: all.pcapng, which we wrote, has what tshark saw.
same_frames() {
	local what=$1
	shift
	equal "$what" "$(frames "$scratch/all.pcapng" "$@" | sha256sum)" \
		"$(frames "$scratch/seen.pcapng" "$@" | sha256sum)"
}

# More than wait in memory at once.
all_frames_are_recorded() {
	sniff_start 8000
	peer_start echo
	run_gen roundtrip --interface port0 --mac "$mac" --size imix --flows 4 --window 32 \
		--rate 2kpps --count 4000 --write "$scratch/all.pcapng" --json "$scratch/back.json" \
		>/dev/null
	peer_wait
	wait "$sniffer"
	holds 'it["recording"]["frames"] == 8000 and it["recording"]["missed"] == 0' \
		"$(head_of "$scratch/back.json")"
	equal "frames in the file" "$(frames "$scratch/all.pcapng" frame.number | wc -l)" 8000
	same_frames "addresses and bytes" eth.dst eth.src data.data
	equal "frames that went out" "$(tshark -r "$scratch/all.pcapng" \
		-Y 'frame.packet_flags_direction == 2' 2>/dev/null | wc -l)" 4000
	# In the order of their times, which are of today.
	tshark -r "$scratch/all.pcapng" -T fields -e frame.time_epoch 2>/dev/null >"$scratch/times"
	sort -n -c "$scratch/times"
	equal "the hour of the last frame" "$(tail -n 1 "$scratch/times" | cut -d. -f1 |
		awk -v now="$(date +%s)" '{ print now - $1 < 3600 && $1 <= now }')" 1
}

# As fast as they go: faster than a control thread that shares its core may write.
what_is_not_recorded_is_counted() {
	run_gen transmit --interface port0 --mac "$mac" --count 200000 --write "$scratch/fast.pcapng" \
		--json "$scratch/sent.json" >/dev/null
	holds 'it["recording"]["frames"] + it["recording"]["missed"] == 200000' \
		"$(head_of "$scratch/sent.json")"
	equal "frames in the file" "$(frames "$scratch/fast.pcapng" frame.number | wc -l)" \
		"$(value 'it["recording"]["frames"]' "$(head_of "$scratch/sent.json")")"
}

what_was_recorded_is_replayed() {
	sniff_start 8000
	peer_start receive
	run_gen replay "$scratch/all.pcapng" --interface port0 --mac "$mac" --speed 2 \
		--json "$scratch/sent.json" >/dev/null
	peer_wait
	wait "$sniffer"
	holds 'it["sent"]["frames"] == 8000 and it["asked"]["unit"] == "recorded" and
		it["received"] is None' "$(total "$scratch/sent.json")"
	# Each of the 4000 is in the file on its way out and back.
	holds 'it["received"]["frames"] == 8000 and it["duplicates"] == 4000 and it["lost"] == 0' \
		"$(total "$scratch/peer.json")"
	same_frames "bytes" data.data
	equal "addresses" "$(frames "$scratch/seen.pcapng" eth.dst eth.src | uniq -c | awk '{ print $1, $2 }')" \
		"8000 $mac"
}

a_replay_goes_round_at_a_rate() {
	peer_start receive
	run_gen replay "$scratch/all.pcapng" --interface port0 --mac "$mac" --rate 4kpps \
		--count 10000 --json "$scratch/sent.json" >/dev/null
	peer_wait
	holds 'it["sent"]["frames"] == 10000 and it["asked"]["per_s"] == 4000' \
		"$(total "$scratch/sent.json")"
	holds 'it["received"]["frames"] == 10000' "$(total "$scratch/peer.json")"
}

replay() {
	run_gen replay "$1" --interface port0 "${@:2}"
}

bad_captures_are_refused() {
	head -c 4096 /dev/urandom >"$scratch/noise"
	head -c 100000 "$scratch/all.pcapng" >"$scratch/short.pcapng"
	run_gen transmit --interface port0 --mac "$mac" --size 512 --count 10 --snaplen 100 \
		--write "$scratch/cut.pcapng" >/dev/null
	refused 2 'FILE is missing' run_gen replay --interface port0
	refused 2 'rate or --speed' replay "$scratch/all.pcapng" --rate max --speed 2
	refused 2 'a factor' replay "$scratch/all.pcapng" --speed fast
	refused 1 'cannot be opened' replay "$scratch/nothing"
	refused 1 'no capture' replay "$scratch/noise"
	refused 1 'truncated' replay "$scratch/short.pcapng"
	refused 1 'frame 1 of 508 bytes was cut' replay "$scratch/cut.pcapng"
	refused 1 'name another' replay "$scratch/all.pcapng" --write "$scratch/all.pcapng"
	refused 1 'cannot be written' replay "$scratch/all.pcapng" --write /nowhere/file
}

# What is in the file is whole, and what is not is said.
a_disk_that_is_full_ends_the_recording() {
	local status=0
	mkdir "$scratch/small"
	mount -t tmpfs -o size=1m none "$scratch/small"
	run_gen transmit --interface port0 --mac "$mac" --size 1518 --rate 2kpps --count 2000 \
		--write "$scratch/small/all.pcapng" --json "$scratch/sent.json" \
		>/dev/null 2>"$scratch/error" || status=$?
	equal "exit status" "$status" 1
	grep -q 'recording ended after .* frames: No space left' "$scratch/error"
	equal "frames" "$(frames "$scratch/small/all.pcapng" frame.number | wc -l)" \
		"$(value 'it["recording"]["frames"]' "$(head_of "$scratch/sent.json")")"
	holds 'it["recording"]["frames"] + it["recording"]["missed"] == 2000' \
		"$(head_of "$scratch/sent.json")"
	holds 'it["sent"]["frames"] == 2000' "$(total "$scratch/sent.json")"
	umount "$scratch/small"
}

# ---- results ----------------------------------------------------------------------

# measure_to JSON CSV OPTION...: frames to a peer that need not be there.
measure_to() {
	run_gen transmit --interface port0 --mac "$mac" --size 512 --rate 10kpps \
		--json "$1" --csv "$2" "${@:3}"
}

measure() {
	measure_to "$scratch/kept.json" "$scratch/kept.csv" "$@"
}

# results_are_kept STATUS WORDS: of a measurement whose exit status is that, in $scratch/error.
results_are_kept() {
	equal "exit status" "$1" 1
	grep -q "not all written.*$2" "$scratch/error"
	holds 'it["sent"]["frames"] == 1000' "$(total "$scratch/kept.json")"
	equal "lines of CSV" "$(wc -l <"$scratch/kept.csv")" 3
	# What stdout did not take.
	grep -q '^transmit .* 512 ' "$scratch/error"
	rm "$scratch/kept.json" "$scratch/kept.csv"
}

stdout_that_takes_nothing_costs_no_result() {
	local status=0
	measure --count 1000 >/dev/full 2>"$scratch/error" || status=$?
	results_are_kept "$status" "No space left"
	status=0
	measure --count 1000 >&- 2>"$scratch/error" || status=$?
	results_are_kept "$status" "Bad file descriptor"
	# A reader that has ended before there is anything to read.
	mkfifo "$scratch/pipe"
	exec 4<>"$scratch/pipe"
	exec 5>"$scratch/pipe" 4<&-
	status=0
	measure --count 1000 >&5 2>"$scratch/error" || status=$?
	results_are_kept "$status" "Broken pipe"
}

a_bad_path_is_told_before_the_measurement() {
	local sent
	sent=$(counter tx.packets --controller)
	echo kept >"$scratch/old.csv"
	refused 1 '/nowhere/file: results cannot be written' measure_to /nowhere/file "$scratch/old.csv"
	refused 1 '/nowhere/file: results cannot be written' measure_to "$scratch/kept.json" /nowhere/file
	refused 1 'name another file' measure_to "$scratch/old.csv" "$scratch/old.csv"
	refused 1 'name another file' replay "$scratch/all.pcapng" --json "$scratch/all.pcapng"
	equal "what was measured before" "$(cat "$scratch/old.csv")" kept
	equal "frames that were sent" "$(($(counter tx.packets --controller) - sent))" 0
	[[ ! -e $scratch/kept.json ]]
}

# Two frames an hour apart: the second is not waited for.
a_long_pause_is_said() {
	local program
	python3 - "$scratch/pause.pcap" <<-'PYTHON'
		import struct, sys
		with open(sys.argv[1], "wb") as file:
		    file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
		    for second in 0, 3600:
		        file.write(struct.pack("<IIII", second, 0, 60, 60) + bytes(60))
	PYTHON
	replay "$scratch/pause.pcap" >"$scratch/paused" 2>"$scratch/error" &
	program=$!
	eventually 60 grep -q 'nothing is sent for 3600.0 s before frame 2' "$scratch/error"
	ip netns pids "wm-$lab-ctl" | xargs kill -INT
	wait "$program"
	replay "$scratch/pause.pcap" --rate max >/dev/null 2>"$scratch/error"
	equal "what is said at another rate" "$(cat "$scratch/error")" ""
}

# At the switch's end, so that the tester's own interface loses its carrier.
a_link_that_goes_down_is_named() {
	local program
	lab exec --node 1 -- "$gen" transmit --interface port0 --mac "$controller_mac" --rate 1kpps \
		--duration 1h --json "$scratch/cut.json" >"$scratch/cut.text" 2>"$scratch/error" &
	program=$!
	eventually 60 moves --node 1
	link_ports down 1
	eventually 60 grep -q 'port0: its link is down' "$scratch/error"
	link_ports up 1
	# With a link that was down for seconds it gives up by itself.
	eventually 60 grep -qE 'port0: its link is up again|takes no frames' "$scratch/error"
	ip netns pids "wm-$lab-n1" | xargs -r kill -INT
	wait "$program" || true
	grep -q "transmit 64 all: the port's link was down meanwhile (1 times)" "$scratch/cut.text"
	holds 'it["link_downs"] == 1' "$(total "$scratch/cut.json")"
	# One that was down from the start, and one that never was.
	link_ports down 1
	lab exec --node 1 -- timeout 300 "$gen" transmit --interface port0 --mac "$controller_mac" \
		--rate 1kpps --count 100 --json "$scratch/cut.json" >/dev/null 2>&1 || true
	holds 'it["link_downs"] == 1' "$(total "$scratch/cut.json")"
	holds 'it["link_downs"] == 0' "$(total "$scratch/sent.json")"
}

# ---- while it runs --------------------------------------------------------------

# on_terminal TERM OPTION...: a measurement on a terminal of its own; what it showed is in
# $scratch/screen, beside the modes of the terminal before and after.
on_terminal() {
	local terminal=$1
	shift
	TERM=$terminal script -qefc "stty rows 30 cols 120; stty -g
		$root/tools/lab exec --name $lab -- $gen roundtrip --interface port0 --mac $mac $*
		stty -g" "$scratch/screen" >/dev/null
	equal "modes of the terminal" "$(modes | head -n 1)" "$(modes | tail -n 1)"
}

# on_terminal_until WORDS TERM OPTION...: as long as it takes to show that.
on_terminal_until() {
	local words=$1 program
	shift
	rm -f "$scratch/screen"
	on_terminal "$@" --duration 1h &
	program=$!
	eventually 60 grep -qE "$words" "$scratch/screen"
	ip netns pids "wm-$lab-ctl" | xargs kill -INT
	wait "$program"
}

modes() {
	tr -d '\r' <"$scratch/screen" | grep -E '^([0-9a-f]+:){10}'
}

escapes() {
	grep -c $'\x1b' "$scratch/screen" || true
}

# For each picture: do its frames and its bits a second belong together? They are rounded.
rates_drawn() {
	tr -d '\r' <"$scratch/screen" | python3 -c 'import json, re, sys
unit = {"": 1, "k": 1e3, "M": 1e6}
found = re.findall(r"^sent +([0-9.]+) (k?)pps +([0-9.]+) ([kM]?)bit/s", sys.stdin.read(), re.M)
print(json.dumps([abs(float(b) * unit[m] / (float(a) * unit[k] * 84 * 8) - 1) < 0.02
                  for a, k, b, m in found]))'
}

a_terminal_shows_how_it_stands() {
	peer_start echo
	on_terminal_until '^roundtrip, 64 bytes, 2.00 kpps, [2-9]' xterm --rate 2kpps
	holds "len(it) > 1 and all(it)" "$(rates_drawn)"
	grep -qE 'latency p50 [0-9.]+ us, p99' "$scratch/screen"
	grep -qE "^$mac +[0-9.]+ k?  +[0-9.]+ " "$scratch/screen"
	# The picture is gone before the result is printed.
	! sed -n '/^test/,$p' "$scratch/screen" | grep -q $'\x1b' || return 1
	peer_wait
}

a_terminal_that_cannot_gets_lines() {
	peer_start echo
	on_terminal_until '^roundtrip [0-9.]+ s, sent [0-9.]+ k?pps' dumb --rate 2kpps
	equal "escapes" "$(escapes)" 0
	on_terminal xterm --rate 2kpps --duration 1s --live off
	equal "escapes" "$(escapes)" 0
	peer_wait
}

where_there_is_no_terminal_a_screen_is_refused() {
	refused 1 'no terminal' run_gen transmit --interface port0 --mac "$mac" --live screen
	run_gen transmit --interface port0 --mac "$mac" --rate 1kpps --duration 1s \
		>/dev/null 2>"$scratch/error"
	equal "stderr" "$(cat "$scratch/error")" ""
}

# ---- a limited link -------------------------------------------------------------

# A port that is limited holds back net_af_packet, whose ring of 1024 frames then takes
# what is too much: with short trials more than the rate passes, never less than nothing.
the_rate_of_a_link_is_found() {
	run_gen throughput --interface port0 --key "$key" --node n1 --size 512 --rate 80mbit \
		--depth 100ms --duration 2s --resolution 20% --json "$scratch/found.json" >/dev/null
	holds 'it["search"]["found"] and 16e6 <= it["search"]["rate"] < 80e6 and it["lost"] == 0' \
		"$(total "$scratch/found.json")"
}

lab_up --nodes 3 --mtu 9000 --no-controller
key=/run/wiremill/$lab/key
check "nodes answer each probe, at both ends of the sizes" nodes_answer_each_probe
check "nodes compute each batch, and right" nodes_compute_each_batch
check "nodes are measured one by one" nodes_are_measured_one_by_one
check "a node that does not come is named" a_missing_node_is_named
check "an interrupt ends it and shows what was found" an_interrupt_shows_what_was_found
check "wrong usage is refused" wrong_usage_is_refused
check "steps run, and are drawn" steps_run_and_are_drawn
check "wrong steps are refused with their line" wrong_steps_are_refused
check "the first step that fails ends it, unless told" the_first_step_that_fails_ends_it_unless_told
lab_down

lab_up --nodes 1 --mtu 9000 --no-controller
lab kill --node 1 --signal TERM
mounts+=("$scratch/small")
mac=$(address --node 1)
controller_mac=$(address --controller)
check "the kernel and tshark count what the generator counts" kernel_and_tshark_count_the_same
check "loss is counted exactly" loss_is_counted_exactly
check "duplicates are counted exactly" duplicates_are_counted_exactly
check "a damaged frame is a lost one" damage_is_loss
check "a peer echoes" a_peer_echoes
check "all frames of the port are recorded, as tshark saw them" all_frames_are_recorded
check "what is not recorded is counted" what_is_not_recorded_is_counted
check "what was recorded is replayed, frame by frame" what_was_recorded_is_replayed
check "a replay goes round and round at a rate" a_replay_goes_round_at_a_rate
check "bad captures are refused" bad_captures_are_refused
check "a full disk ends the recording, not the measurement" a_disk_that_is_full_ends_the_recording
check "stdout that takes nothing costs no result" stdout_that_takes_nothing_costs_no_result
check "a path that cannot be written is told before the measurement" a_bad_path_is_told_before_the_measurement
check "a long pause of a capture is said" a_long_pause_is_said
check "a link that goes down is named in the result" a_link_that_goes_down_is_named
check "a terminal shows how it stands, and is left as it was" a_terminal_shows_how_it_stands
check "a terminal that cannot be drawn over gets lines" a_terminal_that_cannot_gets_lines
check "without a terminal nothing is shown" where_there_is_no_terminal_a_screen_is_refused
lab_down

lab_up --nodes 1 --mtu 1500 --rate 20mbit --no-controller
key=/run/wiremill/$lab/key
check "the rate of a link is found" the_rate_of_a_link_is_found
lab_down
finish
