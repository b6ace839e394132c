# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154,SC2034
# The lab's programs. A pid file holds the pid and its start time, so that no
# other process that got the same pid later is ever taken for ours; and how long the
# log was before, so that an earlier life's words are not taken for this one's.

# The start time of a process in clock ticks, nothing if it is gone or a zombie.
start_time_of() {
	local stat fields
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
	# The name, in parentheses, may hold anything.
	read -ra fields <<<"${stat##*) }"
	[[ ${fields[0]} == Z ]] || echo "${fields[19]}"
}

# The pid of a machine's program if it runs.
pid_of() {
	local pid started
	[[ -r $lab_state/$1.pid ]] || return 0
	read -r pid started _ <"$lab_state/$1.pid" || return 0
	[[ $(start_time_of "$pid") != "$started" ]] || echo "$pid"
}

# program_start MACHINE COMMAND...: in its namespace, its own session, logging.
# nsenter and env replace themselves, so that the pid is the program's. Not
# 'ip netns exec', which hides /sys/fs/bpf.
program_start() {
	local machine=$1 log=$lab_state/$1.log pid started logged
	shift
	logged=$(stat -c %s "$log" 2>/dev/null || echo 0)
	setsid nsenter --net="/run/netns/$(namespace_of "$machine")" -- \
		env --default-signal LP_NUM_THREADS=0 "$@" \
		>>"$log" 2>&1 </dev/null 9<&- &
	pid=$!
	started=$(start_time_of "$pid")
	# 0: it has ended already, and has no age.
	echo "$pid ${started:-0} $logged" >"$lab_state/$machine.pid"
}

program_signal() {
	local pid
	pid=$(pid_of "$1")
	[[ -z $pid ]] || kill -s "$2" "$pid" 2>/dev/null || true
}

# programs_end SECONDS MACHINE...: SIGTERM to all of them, SIGKILL to who stays.
programs_end() {
	local seconds=$1 machine
	shift
	for machine in "$@"; do
		program_signal "$machine" TERM
	done
	programs_wait "$seconds" "$@" && return 0
	for machine in "$@"; do
		program_signal "$machine" KILL
	done
	programs_wait 5 "$@" || say "a program of lab '$lab_name' does not end even by SIGKILL"
}

# Returns 0 as soon as none of them runs, 1 after SECONDS.
programs_wait() {
	local deadline=$((SECONDS + $1)) machine
	shift
	for machine in "$@"; do
		while [[ -n $(pid_of "$machine") ]]; do
			((SECONDS < deadline)) || return 1
			sleep 0.05
		done
	done
}

# What a machine's program has logged in this life of it.
words_of() {
	local logged=0
	[[ ! -r $lab_state/$1.pid ]] || read -r _ _ logged <"$lab_state/$1.pid"
	[[ ! -r $lab_state/$1.log ]] || tail -c "+$((logged + 1))" "$lab_state/$1.log"
}

# says MACHINE WORDS: in this life.
says() {
	local words
	words=$(words_of "$1")
	[[ $words == *"$2"* ]]
}

# What a machine has to say about its failure: its last error, else its last line.
last_words() {
	local words
	words=$(words_of "$1")
	[[ $words ]] || {
		echo "(it logged nothing)"
		return 0
	}
	grep -E 'error:|warning:|ERROR:' <<<"$words" | tail -n 1 | grep . || tail -n 1 <<<"$words"
}

# floating_lcores COUNT: so many, each on any core of this machine.
floating_lcores() {
	local last=$(($(nproc) - 1)) list="" index
	for ((index = 0; index < $1; index++)); do
		list+="${list:+,}$index@(0-$last)"
	done
	echo "$list"
}

# Starts wiremilld, on all its ports, and waits for its socket.
controller_start() {
	local program arguments interfaces=() port deadline
	program=$(built_program control/wiremilld)
	for ((port = 0; port < $(state_get bridges 1); port++)); do
		interfaces+=(--interface "port$port")
	done
	# One controls, and each lane polls; a lab has more of them than cores.
	((${#interfaces[@]} == 2)) || interfaces+=(--lcores "$(floating_lcores $((port + 1)))")
	mapfile -t arguments < <(state_get controller.arguments "")
	[[ ${arguments[*]} ]] || arguments=()
	# A socket from before would pass for the new one.
	rm -f "$lab_socket"
	hugepages_lock
	hugepages_ensure "$(state_get pages 0)"
	program_start ctl "$program" "${interfaces[@]}" --socket "$lab_socket" \
		--state "$lab_state/state" --key "$lab_state/key" "${arguments[@]}"
	deadline=$((SECONDS + $(state_get timeout 60)))
	until [[ -S $lab_socket ]]; do
		[[ -n $(pid_of ctl) ]] || fail "the controller did not start: $(last_words ctl)"
		((SECONDS < deadline)) || fail "the controller is not ready in time: $(last_words ctl)"
		sleep 0.05
	done
	hugepages_unlock
}

# node_start MACHINE
node_start() {
	local program arguments
	program=$(built_program control/wiremill-node)
	mapfile -t arguments < <(state_get node.arguments "")
	[[ ${arguments[*]} ]] || arguments=()
	program_start "$1" "$program" --interface port0 --name "$1" --xdp "$(state_get xdp auto)" \
		--key "$lab_state/key" "${arguments[@]}"
}

# Lines of "name state milliseconds-since-it-was-heard reason" of what the controller knows.
nodes_known() {
	"$(built_program control/cli/wiremill)" node list --json --socket "$lab_socket" 2>/dev/null |
		python3 -c 'import json, sys
for node in json.load(sys.stdin)["nodes"]:
    print(node["name"], node["state"], node["beat_age_ms"], node["reason"])' 2>/dev/null || true
}

# ages_take MACHINE...: sets ages, which the caller owns, to those of their programs in ms.
ages_take() {
	local machine started uptime ticks
	ticks=$(getconf CLK_TCK)
	read -r uptime _ </proc/uptime
	uptime=${uptime/./}0
	for machine in "$@"; do
		read -r _ started _ <"$lab_state/$machine.pid"
		ages[$machine]=$((started ? 10#$uptime - started * 1000 / ticks : 0))
	done
}

# node_is_ready MACHINE: it is admitted, and was heard in this life: for some seconds the
# controller does not miss one that was killed. It asks, where nobody admits. Of what
# nodes_wait has found out.
node_is_ready() {
	if [[ $controller == no ]]; then
		says "$1" 'asking for a controller'
	else
		[[ ${states[$1]:-} =~ ^(admitted|ready)$ ]] && ((heard[$1] < ages[$1]))
	fi
}

# node_is_refused MACHINE: likewise.
node_is_refused() {
	[[ ${states[$1]:-} == refused ]] && says "$1" ': not admitted'
}

# nodes_wait MACHINE...: until they all are ready.
nodes_wait() {
	local deadline machine state age reason waiting=("$@") controller
	local -A ages states heard reasons
	controller=$(state_get controller yes)
	deadline=$((SECONDS + $(state_get timeout 60)))
	while :; do
		# Before the controller is asked, so that no answer is older than it seems.
		ages_take "${waiting[@]}"
		while read -r machine state age reason; do
			states[$machine]=$state heard[$machine]=$age reasons[$machine]=$reason
		done < <([[ $controller == no ]] || nodes_known)
		for machine in "${!waiting[@]}"; do
			! node_is_ready "${waiting[machine]}" || unset "waiting[machine]"
		done
		waiting=("${waiting[@]}")
		((${#waiting[@]})) || return 0
		[[ $controller == no || -n $(pid_of ctl) ]] || fail "the controller ended: $(last_words ctl)"
		for machine in "${waiting[@]}"; do
			[[ -n $(pid_of "$machine") ]] ||
				fail "$(machine_title "$machine") ended: $(last_words "$machine")"
			! node_is_refused "$machine" ||
				fail "$(machine_title "$machine") was refused: ${reasons[$machine]}"
		done
		((SECONDS < deadline)) ||
			fail "${#waiting[@]} of $# nodes are not ready in time; $(machine_title "${waiting[0]}") says: $(last_words "${waiting[0]}")"
		sleep 0.2
	done
}
