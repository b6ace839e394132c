# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154,SC2034
# What the lab tests share: TAP, scratch space, labs that are always taken down.
#
#   . "$(dirname "$0")/lib.sh"
#   lab_up --nodes 3 --mtu 9000
#   check "three nodes finish a job" a_function_or_command ...
#   finish
#
# A step runs in a shell of its own with 'set -e'; it passes if it ends with 0,
# and its output is shown if not. What it did to the lab's links by link_fault, link_rate,
# links_hold or link_ports is undone after it, whatever its end: what more than one step
# needs is set between them. WM_BUILD names the build to test.
set -euo pipefail
shopt -s inherit_errexit

root=$(readlink -f "$(dirname "${BASH_SOURCE[0]}")/../..")
build=$(readlink -f "${WM_BUILD:-$root/build}")
tests=$root/tests/lab
wiremill=$build/control/cli/wiremill
test_count=0
failed_count=0
in_step=false
lab_count=0
labs=()
processes=()
loops=()
mounts=()

skip_all() {
	echo "1..0 # SKIP $*"
	exit 77
}

((EUID == 0)) || skip_all "network namespaces need root"
scratch=$(mktemp -d /var/tmp/wiremill-test.XXXXXX)

clean_up() {
	local status=$? item
	trap '' INT TERM HUP
	trap - EXIT
	set +e
	for item in "${processes[@]}"; do
		kill "$item" 2>/dev/null && wait "$item"
	done
	for item in "${labs[@]}"; do
		"$root/tools/lab" down --name "$item"
	done
	for item in "${mounts[@]}"; do
		! mountpoint -q "$item" || umount "$item"
	done
	for item in "${loops[@]}"; do
		losetup -d "$item"
	done
	rm -rf "$scratch"
	exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# A step calls Python many times, as tools/lab does. A shim that looks for the version to run
# (pyenv's) takes ten times as long as Python itself: so it is asked once.
mkdir "$scratch/.bin"
ln -s "$(python3 -c 'import sys; print(sys.executable)')" "$scratch/.bin/python3"
export PATH=$scratch/.bin:$PATH

# ---- TAP --------------------------------------------------------------------

report() {
	local verdict=$1 title=$2 log=$3
	test_count=$((test_count + 1))
	echo "$verdict $test_count - $title"
	[[ $verdict == ok ]] || {
		failed_count=$((failed_count + 1))
		sed 's/^/# /' "$log"
	}
}

# check TITLE COMMAND...: not in a condition, where 'set -e' would not hold.
check() {
	local title=$1 status log=$scratch/step.log
	shift
	in_step=true
	set +e
	(
		set -e
		"$@"
	) >"$log" 2>&1
	status=$?
	set -e
	in_step=false
	links_restore >>"$log" 2>&1 || status=1
	if ((status == 0)); then
		report ok "$title" "$log"
	else
		echo "(exit status $status of: $*)" >>"$log"
		report "not ok" "$title" "$log"
	fi
}

finish() {
	echo "1..$test_count"
	((failed_count == 0)) || exit 1
	exit 0
}

# equal WHAT FOUND EXPECTED
equal() {
	[[ $2 == "$3" ]] || {
		echo "$1 is '$2', not '$3'"
		return 1
	}
}

# holds EXPRESSION OBJECT: a condition in Python on the JSON object `it`.
holds() {
	python3 - "$@" <<-'PYTHON'
		import json, sys
		it = json.loads(sys.argv[2])
		if not eval(f"({sys.argv[1]})"):
		    sys.exit(f"does not hold: {sys.argv[1]}\nof {json.dumps(it)}")
	PYTHON
}

# eventually SECONDS COMMAND...: it ends with 0 within that time.
eventually() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		((SECONDS < deadline)) || break
		sleep 0.1
	done
	"$@"
}

# value EXPRESSION OBJECT
value() {
	python3 -c 'import json, sys
it = json.loads(sys.argv[2])
print(eval(sys.argv[1]))' "$@"
}

# refused STATUS WORDS COMMAND...: it fails like that, with exactly one line that
# has the words on stderr, and nothing on stdout. Usable in a condition too.
refused() {
	local wanted=$1 words=$2 status=0
	shift 2
	"$@" >"$scratch/stdout" 2>"$scratch/stderr" || status=$?
	echo "exit status $status, stderr:"
	cat "$scratch/stderr"
	equal "exit status" "$status" "$wanted" || return 1
	equal "lines on stderr" "$(wc -l <"$scratch/stderr")" 1 || return 1
	grep -qiE -- "$words" "$scratch/stderr" || {
		echo "does not say '$words'"
		return 1
	}
	equal "stdout" "$(cat "$scratch/stdout")" ""
}

# ---- labs -------------------------------------------------------------------

lab() {
	local verb=$1
	shift
	"$root/tools/lab" "$verb" --name "$lab" "$@"
}

# lab_new: a name for a lab, taken down at the end whatever happens. Sets lab and
# socket. The pid keeps test runs at the same time apart.
lab_new() {
	lab_count=$((lab_count + 1))
	lab=t$$_$lab_count
	labs+=("$lab")
	socket=/run/wiremill/$lab/wiremilld.sock
}

# lab_up OPTION...: stops the whole script if the lab does not stand.
lab_up() {
	local log=$scratch/up.log
	lab_new
	if ! lab up --build "$build" "$@" >"$log" 2>&1; then
		report "not ok" "a lab stands: $*" "$log"
		finish
	fi
}

lab_down() {
	lab down
}

# address OPTION...: of a machine's port.
address() {
	value 'it[0]["address"]' "$(lab exec "$@" -- ip -j link show port0)"
}

# link_fault NODE|all OPTION...: as 'tools/lab fault' has it.
link_fault() {
	links_altered
	lab fault --node "$@"
}

# link_rate NODE|all RATE: of the link to that node, from now on.
link_rate() {
	link_fault "$1" --rate "$2"
}

# links_hold: the links to all nodes crawl from now on. A job stays where it is, whatever a
# step does meanwhile and however long that takes here; beats and answers still pass.
# links_let_go, and what is left of it is soon done.
links_hold() {
	links_hold_after 20k
}

# links_hold_after BYTES: once each has let so many pass, 32 MiB at most.
links_hold_after() {
	local node
	links_altered
	for ((node = 1; node <= $(<"/run/wiremill/$lab/nodes"); node++)); do
		echo "qdisc replace dev n$node root tbf rate 1mbit burst $1 limit 64k overhead 24"
	done | lab exec --switch -- tc -batch -
}

# links_let_go NODE|all: what waits in a link is not lost, as it is by link_clear.
links_let_go() {
	link_rate "$1" 1gbit
}

# link_ports up|down NODE...: at the switch's side, all at once.
link_ports() {
	local state=$1 node
	shift
	links_altered
	for node in "$@"; do
		echo "link set n$node $state"
	done | lab exec --switch -- ip -batch -
}

# link_clear NODE|all: the link is as the lab was built.
link_clear() {
	lab fault --node "$1" --clear
}

# In a file, since a step's shell takes its variables with it.
links_altered() {
	! $in_step || echo "$lab" >>"$scratch/altered"
}

# links_restore: of all labs that the last step has altered, and that still stand.
links_restore() {
	local lab altered
	[[ -e $scratch/altered ]] || return 0
	altered=$(sort -u "$scratch/altered")
	rm "$scratch/altered"
	for lab in $altered; do
		[[ ! -d /run/wiremill/$lab ]] || link_clear all || return
	done
}

# What the software GPU driver of Debian 12 keeps for good: unloaded with its
# instance, it has no name by which a leak could be suppressed.
driver_leak='SUMMARY: AddressSanitizer: 128 byte\(s\) leaked in 1 allocation\(s\)'

# All programs end by SIGTERM, and none has found broken code or a leak in itself
# (which only a sanitizer build looks for).
programs_end_well() {
	local file machine
	for file in "/run/wiremill/$lab"/n*.pid; do
		machine=$(basename "$file" .pid)
		# Some were killed before.
		lab kill --node "${machine#n}" --signal TERM 2>/dev/null || true
	done
	lab kill --controller --signal TERM
	lab logs >"$scratch/logs"
	if grep -E 'SUMMARY: |runtime error:' "$scratch/logs" | grep -vE "$driver_leak"; then
		tail -n 200 "$scratch/logs"
		return 1
	fi
}

ctl() {
	timeout 300 "$wiremill" "$@" --socket "$socket"
}

stats() {
	ctl stats --json
}

nodes() {
	ctl node list --json
}

# rpc METHOD PARAMETER=VALUE...: the result, or one line on stderr.
rpc() {
	local method=$1
	shift
	python3 "$tests/rpc.py" "$socket" "$method" "$@"
}

# ---- jobs -------------------------------------------------------------------

# begin INPUT OUTPUT PARAMETER=VALUE...: submits without waiting; sets job.
begin() {
	local input=$1 output=$2
	shift 2
	job=$(value 'it["job"]' "$(rpc job.submit kernel=xor input="$input" output="$output" "$@")")
}

# begin_held INPUT OUTPUT PARAMETER...: and when this returns, the job is in the middle and
# stays there until links_let_go; of 32 MiB on three nodes it would be another minute and more.
begin_held() {
	links_hold
	begin "$@"
	eventually 60 job_holds 'it["batches_done"] > 0'
}

still_runs() {
	job_holds 'it["state"] == "running"'
}

show() {
	ctl job show "$job" --json
}

# job_holds EXPRESSION
job_holds() {
	holds "$1" "$(show)"
}

# ends STATE: the job ends within three minutes, and like that.
ends() {
	eventually 180 job_holds 'it["state"] in ("done", "failed", "cancelled")'
	job_holds "it['state'] == '$1'"
}

# node_holds NAME EXPRESSION: on the last node of that name, called n.
node_holds() {
	holds "[$2 for n in it['nodes'] if n['name'] == '$1'][-1]" "$(nodes)"
}

# is_finished OUTPUT: with its manifest, and nothing else beside it.
is_finished() {
	equal "what is named like the output" "$(cd "$(dirname "$1")" && echo "$(basename "$1")"*)" \
		"$(basename "$1") $(basename "$1").wm-manifest"
}

# ---- data -------------------------------------------------------------------

make_data() {
	head -c "$2" /dev/urandom >"$1"
}

# submit INPUT OUTPUT OPTION...: waits for the end.
submit() {
	local input=$1 output=$2
	shift 2
	ctl job submit --kernel xor --input "$input" --output "$output" --wait --json "$@"
}

matches_reference() {
	python3 "$tests/xor_reference.py" "$@"
}

# job_is_exact BYTES: random input of that size through the lab, and compared.
job_is_exact() {
	local input=$scratch/input output=$scratch/output
	rm -f "$output"*
	make_data "$input" "$1"
	submit "$input" "$output"
	matches_reference "$input" "$output"
	[[ ! -e $output.wm-partial ]]
	rm -f "$input" "$output"*
}

# loop_device FILE: sets loop. Not within a step: what a step's shell notes down to
# be cleaned up is lost.
loop_device() {
	loop=$(losetup --find --show "$1")
	loops+=("$loop")
}

mib=$((1024 * 1024))
faults=(--loss 1% --corrupt 0.1% --duplicate 1%)
