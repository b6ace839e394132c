#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What cannot be done is refused: one clear line, exit status 1 or 2, nothing
# overwritten and nothing half-written left behind.
# shellcheck disable=SC2317  # the steps are called by check
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

output=$scratch/output

nothing_written() {
	equal "files named like the output" "$(find "$scratch" -name 'output*')" ""
}

# refuses WORDS INPUT OPTION...
refuses() {
	local words=$1 input=$2
	shift 2
	refused 1 "$words" submit "$input" "$output" "$@"
	nothing_written
}

existing_output_stays() {
	echo precious >"$output"
	refused 1 "exist.*force" submit "$scratch/good" "$output"
	equal "the output" "$(cat "$output")" precious
	submit "$scratch/good" "$output" --force
	matches_reference "$scratch/good" "$output"
	rm "$output"*
}

input_is_output() {
	sum=$(sha256sum <"$scratch/good")
	refused 1 "same|input" submit "$scratch/good" "$scratch/good" --force
	ln -s "$scratch/good" "$scratch/link"
	refused 1 "same|input" submit "$scratch/good" "$scratch/link" --force
	ln "$scratch/good" "$scratch/hardlink"
	refused 1 "same|input" submit "$scratch/good" "$scratch/hardlink" --force
	equal "the input" "$(sha256sum <"$scratch/good")" "$sum"
}

# through_a_pipe COMMAND...: with the name of the pipe as its last word.
through_a_pipe() {
	"$@" <(cat "$scratch/good")
}

# The controller has descriptors of its own under these numbers; not only the client knows.
input_of_a_process() {
	local submit=(ctl job submit --kernel xor --output "$output" --input) path inode
	refused 1 "descriptor of a process" through_a_pipe "${submit[@]}"
	refused 1 "descriptor of a process" "${submit[@]}" /dev/stdin <"$scratch/good"
	for path in /dev/stdin /dev/fd/3 /proc/self/fd/4 /proc/self/exe; do
		refused 1 "descriptor of a process" rpc job.submit kernel=xor input="$path" output="$output"
	done
	inode=$(stat -c %i "$scratch/good")
	refused 1 "another file to the controller" rpc job.submit kernel=xor input="$scratch/good" \
		output="$output" input_device="$(stat -c %d "$scratch/good")" input_inode=$((inode + 1))
	refused 1 "descriptor of a process" submit "$scratch/good" /proc/self/cwd/output
	nothing_written
}

# in_the_way SUFFIX COMMAND...: which makes something there that is not ours.
in_the_way() {
	local place=$output$1
	shift
	"$@" "$place"
	stat "$place" >"$scratch/before"
	refused 1 "$place" submit "$scratch/good" "$output"
	refused 1 "$place" submit "$scratch/good" "$output" --force
	stat "$place" | grep -v Access: >"$scratch/after"
	grep -v Access: "$scratch/before" | diff - "$scratch/after"
	rm -r "$place"
}

side_files_of_others_stay() {
	local suffix
	for suffix in .wm-partial .wm-journal .wm-manifest .wm-manifest.new; do
		in_the_way "$suffix" cp "$scratch/odd"
		in_the_way "$suffix" mkfifo
		in_the_way "$suffix" mkdir
		in_the_way "$suffix" ln -s "$scratch/good"
		# And nobody's output is one of them.
		refused 1 "name that belongs" submit "$scratch/good" "$output$suffix"
		# Nor is the input.
		cp "$scratch/good" "$output$suffix"
		refused 1 "input is .*$suffix" submit "$output$suffix" "$output" --force
		cmp "$scratch/good" "$output$suffix"
		rm "$output$suffix"
	done
	refused 1 "shorter name" submit "$scratch/good" "$scratch/$(printf 'n%.0s' {1..240})"
	nothing_written
}

# modes FILE...
modes() {
	stat -c %a "$@" | xargs
}

open_to_no_more_than_the_input() {
	cp "$scratch/good" "$scratch/private"
	chmod 600 "$scratch/private"
	submit "$scratch/private" "$output"
	equal "modes" "$(modes "$output" "$output.wm-manifest")" "600 600"
	chown 65534:65534 "$output"
	submit "$scratch/good" "$output" --force
	equal "modes" "$(modes "$output" "$output.wm-manifest")" "600 600"
	equal "owners" "$(stat -c %u:%g "$output" "$output.wm-manifest" | xargs)" "65534:65534 65534:65534"
	rm "$output"* "$scratch/private"
	submit "$scratch/good" "$output"
	equal "modes" "$(modes "$output" "$output.wm-manifest")" "$(modes "$scratch/good" "$scratch/good")"
	rm "$output"*
}

# The lab's daemon has no right to read what is not its own: see below.
unreadable() {
	chmod 000 "$scratch/secret"
	refuses "may not be read" "$scratch/secret"
}

tail_is_dropped_when_told() {
	holds 'it["dropped_tail_bytes"] == 1' "$(submit "$scratch/odd" "$output" --tail drop)"
	matches_reference "$scratch/odd" "$output"
	rm "$output"*
}

directory_as_output() {
	mkdir "$scratch/folder"
	refused 1 "director" submit "$scratch/good" "$scratch/folder"
	refused 1 "director" submit "$scratch/good" "$scratch/folder" --force
	rmdir "$scratch/folder"
}

folder_missing() {
	refused 1 "no such|not exist|does not" submit "$scratch/good" "$scratch/none/output"
}

full_disk() {
	truncate -s 8M "$scratch/disk"
	mkfs.ext4 -q "$scratch/disk"
	mount -o loop "$scratch/disk" "$scratch/mounted"
	make_data "$scratch/large" $((16 * 1024 * 1024))
	refused 1 "bytes, only [0-9]+ are free|no space" submit "$scratch/large" "$scratch/mounted/output" || {
		umount "$scratch/mounted"
		return 1
	}
	found=$(find "$scratch/mounted" -name 'output*')
	umount "$scratch/mounted"
	equal "files on the full disk" "$found" ""
}

unknown_kernel() {
	refused 1 "banana" ctl job submit --kernel banana --input "$scratch/good" --output "$output" --wait
	nothing_written
}

wrong_usage() {
	local program
	refused 2 "input" ctl job submit --kernel xor --output "$output"
	refused 2 "unknown|option" ctl job submit --banana
	refused 2 "verb|unknown" "$wiremill" banana
	refused 2 "verb" "$wiremill" help banana
	for program in control/wiremilld control/wiremill-node "tools/gen/wiremill-gen echo"; do
		# shellcheck disable=SC2086  # its command is a word of its own
		refused 2 "there is no option '--banana'" "$build"/$program --banana
	done
	refused 2 "tail|refuse" ctl job submit --kernel xor --input "$scratch/good" --output "$output" --tail keep
	nothing_written
}

no_such_socket() {
	refused 3 "$scratch/nobody.sock" "$wiremill" node list --socket "$scratch/nobody.sock"
}

no_such_job() {
	refused 1 "job" ctl job show 424242
}

verify_finds_a_changed_byte() {
	local status=0
	submit "$scratch/good" "$output"
	ctl verify --kernel xor --input "$scratch/good" --output "$output" --json
	python3 - "$output" <<-'PYTHON'
		import sys
		with open(sys.argv[1], "r+b") as file:
		    file.seek(4321)
		    byte = file.read(1)[0]
		    file.seek(4321)
		    file.write(bytes([byte ^ 1]))
	PYTHON
	timeout 60 "$wiremill" verify --kernel xor --input "$scratch/good" --output "$output" \
		>"$scratch/said" 2>&1 || status=$?
	cat "$scratch/said"
	rm "$output"*
	equal "exit status" "$status" 1
	grep -w 4321 "$scratch/said"
}

# While it waits it says so; its last line says what failed.
no_node() {
	lab kill --node 1 --signal TERM
	lab kill --node 2 --signal TERM
	refused 1 "no node for 2.0 s: start wiremill-node" last_line_of timeout 40 "$wiremill" job submit --kernel xor \
		--input "$scratch/good" --output "$output" --fail-after 2s --wait --socket "$socket" || {
		lab start --node 1
		lab start --node 2
		return 1
	}
	lab start --node 1
	lab start --node 2
	nothing_written
}

last_line_of() {
	local status=0
	"$@" 2>"$scratch/lines" || status=$?
	tail -n 1 "$scratch/lines" >&2
	return "$status"
}

# The second node's machine, where no program runs meanwhile.
node_without_vulkan() {
	lab kill --node 2 --signal TERM
	refused 1 "vulkan" lab exec --node 2 -- timeout 20 env VK_ICD_FILENAMES=/none VK_DRIVER_FILES=/none \
		"$build/control/wiremill-node" --interface port0 --name blind
	holds 'not any(n["name"] == "blind" and n["state"] in ("admitted", "ready") for n in it["nodes"])' "$(nodes)"
}

node_without_interface() {
	refused 1 "none0" lab exec --node 1 -- timeout 20 "$build/control/wiremill-node" --interface none0 --name n9
}

controller_without_interface() {
	refused 1 "none0" lab exec -- timeout 20 "$build/control/wiremilld" --interface none0 --socket "$scratch/other.sock"
}

# as_nobody COMMAND...: a copy, since the build may lie where nobody may look.
as_nobody() {
	local program=$1
	shift
	install -m 755 -D "$build/control/$program" "/var/tmp/wm-nobody-$$/$program"
	lab exec --node 2 -- setpriv --reuid=65534 --regid=65534 --clear-groups timeout 20 "/var/tmp/wm-nobody-$$/$program" "$@"
}

not_root() {
	trap 'rm -rf "/var/tmp/wm-nobody-$$"' EXIT
	refused 1 "root|CAP_" as_nobody wiremilld --interface port0 --socket /tmp/none.sock
	refused 1 "root|CAP_" as_nobody wiremill-node --interface port0 --name n2
}

mtu_too_small() {
	refused 1 "mtu" first_line_of lab up --build "$build" --nodes 1 --mtu 1000
}

# An up that fails says a line more: that it took down what it had made.
first_line_of() {
	local status=0
	"$@" 2>"$scratch/both" || status=$?
	head -n 1 "$scratch/both" >&2
	return "$status"
}

# The daemon alone, on a machine without a free hugepage. They are given back
# under the lab's own lock, so that no other lab starts in between.
no_hugepages() {
	local before status=0
	exec 9</run
	flock 9
	before=$(</proc/sys/vm/nr_hugepages)
	echo 0 >/proc/sys/vm/nr_hugepages
	refused 1 "hugepages.*nr_hugepages" lab exec -- timeout 20 "$build/control/wiremilld" \
		--interface port0 --socket "$scratch/other.sock" || status=$?
	echo "$before" >/proc/sys/vm/nr_hugepages
	return "$status"
}

make_data "$scratch/good" $((1024 * 1024))
make_data "$scratch/odd" $((1024 * 1024 + 1))
make_data "$scratch/one" 32
make_data "$scratch/thirty_one" 31
: >"$scratch/empty"
cp "$scratch/good" "$scratch/secret"
mkdir "$scratch/mounted"
mounts+=("$scratch/mounted")

# Without the right to read everything, a file without permissions is unreadable
# even for root.
lab_new
setpriv --bounding-set=-dac_override,-dac_read_search "$root/tools/lab" up --name "$lab" \
	--build "$build" --nodes 2 --mtu 1500 >"$scratch/up.log" 2>&1 || {
	report "not ok" "a lab stands" "$scratch/up.log"
	finish
}
check "an input that is missing" refuses "no such file|not exist" "$scratch/missing"
check "an empty input" refuses "empty" "$scratch/empty"
check "an input of one vector" refuses "at least|two|2 " "$scratch/one"
check "an input of less than a vector" refuses "32|vector|element" "$scratch/thirty_one"
check "an input that is no multiple of a vector" refuses "multiple.*32|32.*multiple|tail" "$scratch/odd"
check "its tail is dropped when told so" tail_is_dropped_when_told
check "an input that cannot be read" unreadable
check "a directory as input" refuses "director" "$scratch"
check "an unknown kernel" unknown_kernel
check "an output that exists stays, unless forced" existing_output_stays
check "an output that is the input" input_is_output
check "an input that only the client has, or another than it means" input_of_a_process
check "what lies beside an output and is not ours stays, whatever it is" side_files_of_others_stay
check "modes and owners are as cp would leave them, and never wider" open_to_no_more_than_the_input
check "a directory as output" directory_as_output
check "an output in a folder that is missing" folder_missing
check "an output on a full disk" full_disk
check "wrong usage" wrong_usage
check "a control socket that is not there" no_such_socket
check "a job that is not there" no_such_job
check "verify finds a changed byte and says where" verify_finds_a_changed_byte
check "no node" no_node
check "a node without a Vulkan device says so and is not admitted" node_without_vulkan
check "a node on an interface that is not there" node_without_interface
check "a controller on an interface that is not there" controller_without_interface
check "not root" not_root
check "no hugepages: says how many and how" no_hugepages
check "the lab still works after all that" job_is_exact $((1024 * 1024 + 96))
lab_new
check "an MTU that is too small" mtu_too_small
finish
