# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154,SC2034
# Names, state and messages that all verbs share. A lab S is
#   /run/wiremill/S/       one small file a value, pid files, logs, the socket
#   wm-S-ctl wm-S-sw wm-S-nI   network namespaces: controller, switch, nodes

state_root=/run/wiremill
exit_failed=1
exit_usage=2

say() {
	echo "lab: $*" >&2
}

fail() {
	say "$*"
	exit "$exit_failed"
}

wrong_usage() {
	say "$1; see 'tools/lab ${verb:-} --help'"
	exit "$exit_usage"
}

# Sets lab_name and what follows from it.
choose_lab() {
	# No '-': it separates the parts of a namespace's name.
	[[ $1 =~ ^[a-z0-9_]{1,16}$ ]] ||
		wrong_usage "a lab's name has 1 to 16 of a-z, 0-9 and _, not '$1'"
	lab_name=$1
	lab_state=$state_root/$lab_name
	lab_socket=$lab_state/wiremilld.sock
}

require_lab() {
	[[ -d $lab_state ]] || fail "there is no lab '$lab_name': build it by 'tools/lab up --name $lab_name ...'"
}

state_set() {
	printf '%s\n' "$2" >"$lab_state/$1"
}

# state_get KEY DEFAULT
state_get() {
	if [[ -r $lab_state/$1 ]]; then
		cat "$lab_state/$1"
	else
		printf '%s\n' "$2"
	fi
}

# A machine is "ctl", "sw" or "n1", "n2", ...
namespace_of() {
	echo "wm-$lab_name-$1"
}

in_machine() {
	local machine=$1
	shift
	nsenter --net="/run/netns/$(namespace_of "$machine")" -- "$@"
}

machine_title() {
	case $1 in
	ctl) echo "the controller" ;;
	sw) echo "the switch" ;;
	*) echo "node ${1#n}" ;;
	esac
}

is_number() {
	[[ $1 =~ ^[1-9][0-9]{0,8}$ ]]
}

# take_value "$@": sets value to what follows the option, or one line and out.
take_value() {
	(($# >= 2)) || wrong_usage "$1 needs a value"
	value=$2
}

# take_machine "$@": what the verbs on a lab that stands have in common, --name and
# --node (to node, which the verb owns). One line and out if it is something else.
take_machine() {
	case $1 in
	--name)
		take_value "$@"
		choose_lab "$value"
		;;
	--node)
		take_value "$@"
		node=$value
		;;
	*) wrong_usage "unknown option '$1'" ;;
	esac
}

# Checks a node's number against the lab; prints the machine's name.
node_machine() {
	local nodes
	nodes=$(state_get nodes 0)
	if ! is_number "$1" || (($1 > nodes)); then
		wrong_usage "lab '$lab_name' has nodes 1 to $nodes, not '$1'"
	fi
	echo "n$1"
}

# The machines that "all" or a node's number stands for.
node_machines() {
	if [[ $1 == all ]]; then
		seq -f 'n%.0f' "$(state_get nodes 0)"
	else
		node_machine "$1"
	fi
}

built_program() {
	local path
	path=$(state_get build "")/$1
	[[ -x $path ]] || fail "$path is not built: run 'meson setup BUILD && ninja -C BUILD' or name another with --build"
	echo "$path"
}
