#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# tools/demo as a user runs it, smaller.
# shellcheck disable=SC2317  # the steps are called by check
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

[[ $build == "$root/build" ]] || skip_all "tools/demo uses the build in $root/build"

demo() {
	"$root/tools/demo" "$@"
}

nothing_left() {
	equal "labs" "$(find /run/wiremill /run/netns -maxdepth 1 -name '*demo*' 2>/dev/null)" ""
	equal "datasets" "$(find /var/tmp -maxdepth 1 -name 'wiremill-demo.*' 2>/dev/null)" ""
}

small_demo() {
	demo --size 64M --nodes 3 | tee "$scratch/said"
	grep -i "verified" "$scratch/said"
	grep -i "O_DIRECT" "$scratch/said"
	nothing_left
}

# A real file, which is no multiple of a vector: its tail is dropped.
real_file() {
	head -c 1200001 /bin/bash >"$scratch/real"
	demo --input "$scratch/real" --output "$scratch/out" --nodes 2 --mtu 1500 | tee "$scratch/said"
	grep -i "verified" "$scratch/said"
	matches_reference "$scratch/real" "$scratch/out"
	nothing_left
}

refuses() {
	refused "$@"
	nothing_left
}

interrupted() {
	local status=0
	env --default-signal timeout -s INT 4 "$root/tools/demo" --size 4G --nodes 3 || status=$?
	((status != 0))
	nothing_left
}

touch "$scratch/there"
check "a small dataset is made, computed and verified" small_demo
check "a real file is computed and verified" real_file
check "an input that is missing is refused" refuses 1 "no such file" demo --input "$scratch/none"
check "an output that exists is refused" refuses 1 "exists" demo --size 1M --output "$scratch/there"
check "a wrong size is refused" refuses 2 "size" demo --size banana
check "an unknown option is refused" refuses 2 "unknown option" demo --banana
check "Ctrl-C leaves nothing" interrupted
finish
