#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The benchmarks' driver: what it writes, and what it refuses. Figures are taken with
# little data and beside other work: only that there are some is looked at.
# shellcheck disable=SC2317  # the steps are called by check
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

bench=$root/tools/bench/bench
results=$root/tools/bench/RESULTS.md
figures=$scratch/figures.json

# fingerprint FILE: of one that may not be there.
fingerprint() {
	cksum <"$1" 2>/dev/null || echo none
}

writes_plain_numbers() {
	local before
	before=$(fingerprint "$results")
	"$bench" --build "$build" --quick --only storage,executor --json "$figures"
	holds 'it["ratios"]["storage_vs_fio"] > 0 and it["ratios"]["executor_vs_copy"] > 0' "$(cat "$figures")"
	holds 'all(type(n) in (int, float) for part in it.values() for n in part.values())' "$(cat "$figures")"
	equal "RESULTS.md after --quick" "$(fingerprint "$results")" "$before"
}

lists_each_with_what_it_measures() {
	local file name
	"$bench" --list >"$scratch/list"
	for file in "$root"/tools/bench/bench.d/*; do
		name=$(basename "${file%.*}")
		grep -qE "^$name +[a-z]" "$scratch/list" || {
			echo "$name is not listed"
			return 1
		}
	done
}

check "a part of it writes plain numbers, and with --quick nothing into RESULTS.md" writes_plain_numbers
check "each benchmark says what it measures" lists_each_with_what_it_measures
check "an unknown benchmark is refused" refused 2 "no benchmark 'nosuch'" "$bench" --only nosuch
check "a number of runs that is none is refused" refused 2 "runs" "$bench" --runs many
check "no runs are refused" refused 2 "runs is 1 to 99" "$bench" --runs 0
check "figures into a folder that is not there are refused" refused 2 "no such folder" \
	"$bench" --json "$scratch/nosuch/figures.json"
check "a word that is no option is refused" refused 2 "nosuch" "$bench" nosuch
finish
