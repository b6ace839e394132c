# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154,SC2034
# Verbs on one machine of the lab.

usage_kill() {
	cat <<-'TEXT'
	usage: tools/lab kill --node N|--controller [--signal SIGNAL] [--name S]

	Sends a signal (KILL if not given) to that program. After KILL and TERM it waits
	until the program has ended.
	TEXT
}

usage_start() {
	cat <<-'TEXT'
	usage: tools/lab start --node N|--controller [--name S]

	Starts that program again and waits until it is ready: the controller's socket
	is there, or the node is admitted (without a controller: it asks for one).
	TEXT
}

usage_exec() {
	cat <<-'TEXT'
	usage: tools/lab exec [--node N|--controller|--switch] [--name S] -- COMMAND [ARGUMENT ...]

	Runs a command in that machine's network namespace, the controller's if none is
	named. A machine's interface is port0, with --bridges the controller's port0,
	port1, ...; the switch's ports are ctl0, ctl1, ... and n1, n2, ...
	TEXT
}

usage_logs() {
	cat <<-'TEXT'
	usage: tools/lab logs [--node N|--controller] [--name S]

	Prints what the programs have logged: of all machines, or of that one.
	TEXT
}

# Sets machine, signal and rest (what follows "--"); the verb owns them.
parse_machine() {
	local node=""
	choose_lab lab
	while (($#)); do
		case $1 in
		--signal)
			take_value "$@"
			signal=$value
			;;
		--controller | --switch)
			[[ $1 == --switch ]] && machine=sw || machine=ctl
			shift
			continue
			;;
		--)
			shift
			rest=("$@")
			break
			;;
		*) take_machine "$@" ;;
		esac
		shift 2
	done
	require_lab
	[[ -z $node ]] || machine=$(node_machine "$node")
}

parse_program() {
	parse_machine "$@"
	[[ $machine && $machine != sw ]] || wrong_usage "name the program: --node N or --controller"
}

verb_kill() {
	local machine="" signal=KILL rest=()
	parse_program "$@"
	kill -l "$signal" >/dev/null 2>&1 || wrong_usage "there is no signal '$signal'"
	[[ -n $(pid_of "$machine") ]] || fail "$(machine_title "$machine") does not run"
	program_signal "$machine" "$signal"
	[[ ! $signal =~ ^(SIG)?(KILL|TERM)$ ]] || programs_wait 10 "$machine" ||
		fail "$(machine_title "$machine") still runs 10 s after SIG${signal#SIG}"
}

verb_start() {
	local machine="" signal="" rest=()
	parse_program "$@"
	[[ -z $(pid_of "$machine") ]] || fail "$(machine_title "$machine") runs already"
	if [[ $machine == ctl ]]; then
		controller_start
	else
		node_start "$machine"
		nodes_wait "$machine"
	fi
}

verb_exec() {
	local machine=ctl signal="" rest=()
	parse_machine "$@"
	((${#rest[@]})) || wrong_usage "the command is missing after --"
	exec nsenter --net="/run/netns/$(namespace_of "$machine")" -- "${rest[@]}"
}

verb_logs() {
	local machine="" signal="" rest=() log
	parse_machine "$@"
	if [[ $machine ]]; then
		[[ ! -e $lab_state/$machine.log ]] || cat "$lab_state/$machine.log"
		return
	fi
	for log in "$lab_state"/*.log; do
		[[ ! -e $log ]] || sed "s/^/$(basename "$log" .log) /" "$log"
	done
}
