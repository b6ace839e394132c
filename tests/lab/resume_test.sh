#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What cannot be resumed is refused: one clear line, and nothing is destroyed. Put
# right again, it goes on from where it was.
# shellcheck disable=SC2317  # the steps are called by check
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

input=$scratch/input
output=$scratch/output
partial=$output.wm-partial
journal=$output.wm-journal

# An unfinished job whose controller has forgotten it, all nodes having died.
leave_unfinished() {
	local past
	begin_held "$input" "$output" fail_after_seconds=2
	# In the middle, where it stays; and damage in more records than one append has is told
	# from a torn tail. No link lets more than 32 MiB pass at once.
	for past in 40 80 120 160; do
		links_hold_after $((28 * mib))
		eventually 60 job_holds "it['extents_done'] > $past"
	done
	still_runs
	lab kill --node 1
	lab kill --node 2
	ends "failed"
	lab start --node 1
	lab start --node 2
	cp "$journal" "$scratch/good-journal"
}

# What there is to destroy: the journal's bytes, and whether anybody has written to the output.
left() {
	sha256sum "$journal" 2>/dev/null || true
	stat -c '%n %i %s %y' "$partial" 2>/dev/null || true
	ls "$scratch"
}

# refuses WORDS PARAMETER=VALUE...: when the job is opened at the latest.
refuses() {
	local before status=0
	before=$(left)
	rpc job.resume output="$output" "${@:2}" >"$scratch/answer" 2>"$scratch/reason" || status=$?
	if ((status == 0)); then
		job=$(value 'it["job"]' "$(cat "$scratch/answer")")
		ends "failed"
		value 'it["reason"]' "$(show)" >"$scratch/reason"
	fi
	cat "$scratch/reason"
	equal "lines of the reason" "$(wc -l <"$scratch/reason")" 1
	grep -qiE -- "$1" "$scratch/reason"
	rm -f "$scratch/answer" "$scratch/reason"
	equal "what is left" "$(left)" "$before"
}

# poke FILE OFFSET: one byte is another.
poke() {
	python3 - "$@" <<-'PYTHON'
		import sys
		with open(sys.argv[1], "r+b") as file:
		    file.seek(int(sys.argv[2]))
		    byte = file.read(1)[0]
		    file.seek(-1, 1)
		    file.write(bytes([byte ^ 1]))
	PYTHON
}

# with_times_kept FILE COMMAND...
with_times_kept() {
	local file=$1
	shift
	touch -r "$file" "$scratch/times"
	"$@"
	touch -r "$scratch/times" "$file"
	rm "$scratch/times"
}

input_has_other_size() {
	with_times_kept "$input" truncate -s +32 "$input"
	refuses "input.*(bytes|size|changed|other)"
	with_times_kept "$input" truncate -s -32 "$input"
}

input_was_modified() {
	touch -r "$input" "$scratch/times"
	touch "$input"
	refuses "input.*(modified|changed|mtime|other)"
	touch -r "$scratch/times" "$input"
	rm "$scratch/times"
}

# Its first piece is always in the sample.
input_has_other_content() {
	with_times_kept "$input" poke "$input" 100
	refuses "input.*(content|changed|other)"
	with_times_kept "$input" poke "$input" 100
}

input_is_gone() {
	mv "$input" "$scratch/aside"
	refuses "no such file|not exist"
	mv "$scratch/aside" "$input"
}

# In the header, which its own CRC protects.
journal_has_a_damaged_header() {
	poke "$journal" 36
	refuses "journal"
	cp "$scratch/good-journal" "$journal"
}

# is_of_other WORDS FIELD=VALUE...: a journal with a right CRC that says so of its job.
is_of_other() {
	local words=$1
	shift
	python3 "$tests/journal_header.py" "$journal" "$@"
	refuses "$words"
	cp "$scratch/good-journal" "$journal"
}

journal_of_other_kernel() {
	is_of_other "kernel 'and' is not here" kernel=and
}

journal_of_other_shape() {
	is_of_other "another shape" halo_before=1 halo_after=0
}

journal_of_other_extents() {
	is_of_other "extents of 16384 elements" extent_elements=16384
}

journal_of_other_input() {
	is_of_other "no absolute path" input_path=relative/in
	is_of_other "no absolute path in UTF-8" input_path=$'/in\xff'
	is_of_other "not exist" input_path=/nonexistent/in
}

# An element less of input makes one less of output.
journal_of_other_output() {
	is_of_other "journal is of an input of [0-9]+ bytes" \
		input_bytes=$((256 * mib - 32)) output_bytes=$((256 * mib - 64))
}

resumes_slowly() {
	job=$(value 'it["job"]' "$(rpc job.resume output="$output")")
	eventually 20 job_holds 'it["state"] == "running"'
}

# By hand, the journal says what the job is. A controller that starts again knows it
# from its own list, and the journal may be another one by then.
journal_of_other_options() {
	resumes_slowly
	lab kill --controller
	cp "$journal" "$scratch/good-journal"
	python3 "$tests/journal_header.py" "$journal" flags=2
	cp "$journal" "$scratch/other-journal"
	lab start --controller
	job=$(value "[j['job'] for j in it['jobs'] if j['output'] == '$output'][-1]" "$(rpc job.list)")
	ends "failed"
	job_holds '"journal is of a job with --tail drop" in it["reason"]'
	cmp "$journal" "$scratch/other-journal"
	mv "$scratch/good-journal" "$journal"
	rm "$scratch/other-journal"
}

# A record that so many others follow is no torn tail: what it said is lost.
journal_is_damaged() {
	poke "$journal" $((8192 + 8))
	refuses "journal is damaged at record 0"
	cp "$scratch/good-journal" "$journal"
}

journal_is_empty() {
	: >"$journal"
	refuses "journal"
	cp "$scratch/good-journal" "$journal"
}

journal_is_gone() {
	mv "$journal" "$scratch/aside"
	refuses "no journal"
	mv "$scratch/aside" "$journal"
}

partial_is_gone() {
	mv "$partial" "$scratch/aside"
	refuses "partial"
	mv "$scratch/aside" "$partial"
}

partial_is_short() {
	cp "$partial" "$scratch/aside"
	truncate -s -4096 "$partial"
	refuses "partial"
	mv "$scratch/aside" "$partial"
}

# Another file of that size: none of the newest extents is there.
partial_is_another() {
	cp "$partial" "$scratch/aside"
	truncate -s 0 "$partial"
	truncate -s $((256 * mib - 32)) "$partial"
	refuses "journal vouches for at extent [0-9]+, begin anew"
	mv "$scratch/aside" "$partial"
}

# The extent that the last record vouches for.
newest_extent() {
	python3 -c 'import struct, sys
data = open(sys.argv[1], "rb").read()
print(struct.unpack_from("<Q", data[-32:], 8)[0])' "$journal"
}

# One bit of the newest extent, and nobody is to read back the rest.
partial_is_not_to_be_trusted() {
	local extent
	extent=$(newest_extent)
	poke "$partial" $((extent * mib + 77))
	refuses "journal vouches for at extent $extent" trust_output=true
	poke "$partial" $((extent * mib + 77))
}

submitted_again_without_force() {
	refused 1 "job resume" rpc job.submit kernel=xor input="$input" output="$output"
}

at_it_already() {
	# One bit of what the first life made, of the middle, and of the newest.
	poke "$partial" 5
	poke "$partial" $((100 * mib + 4096))
	poke "$partial" $(($(newest_extent) * mib + 77))
	resumes_slowly
	refused 1 "at it already" rpc job.resume output="$output"
	links_let_go all
	ends "done"
	job_holds 'it["resumed_bytes"] > 0'
	job_holds 'it["differing_extents"] == 3 and not it["checking"]'
	job_holds "it['checked_bytes'] == it['resumed_bytes'] + 3 * $mib"
	ctl job show "$job" | grep "3 extents differed, the disk had changed them; they were made again"
	is_finished "$output"
	matches_reference "$input" "$output"
}

nothing_to_resume() {
	refused 1 "no journal" rpc job.resume output="$output"
	refused 1 "absolute path" rpc job.resume output=output
}

lab_up --nodes 2 --mtu 9000
make_data "$input" $((256 * mib))
check "a job is left unfinished" leave_unfinished
# Whatever else this machine does, there is time to kill who works on it.
links_hold
check "an input of another size" input_has_other_size
check "an input that was modified" input_was_modified
check "an input with other content" input_has_other_content
check "an input that is gone" input_is_gone
check "a journal with a damaged header" journal_has_a_damaged_header
check "a journal of a kernel that is not here" journal_of_other_kernel
check "a journal of a kernel of another shape" journal_of_other_shape
check "a journal in other extents" journal_of_other_extents
check "a journal whose input is no path, or not here" journal_of_other_input
check "a journal of an output of another size" journal_of_other_output
check "a journal that is damaged in the middle" journal_is_damaged
check "a journal that is empty" journal_is_empty
check "a journal that is gone" journal_is_gone
check "an output that is gone" partial_is_gone
check "an output that was cut" partial_is_short
check "an output that is another file" partial_is_another
check "an output that differs in one bit, and is to be trusted" partial_is_not_to_be_trusted
check "a new job in the place of an unfinished one, without --force" submitted_again_without_force
check "a journal with other options than the job that the controller goes on with" journal_of_other_options
check "it goes on after all that, once only, finds what the disk changed, and ends exact" at_it_already
check "a finished job" nothing_to_resume
check "all programs end well" programs_end_well
finish
