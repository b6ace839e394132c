#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# run.sh NAME FUZZER CORPUS: a bounded run of one fuzzer from its seeds, as a test.
set -u
name=$1 fuzzer=$2 corpus=$3
runs=${WM_FUZZ_RUNS:-100000}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/found"

echo "1..1"
# What it finds goes to the first folder; the seeds stay as they are. The same
# seed, so that a failure comes again.
if "$fuzzer" -seed=1 -runs="$runs" -timeout=10 -artifact_prefix="$scratch/" \
	"$scratch/found" "$corpus" >"$scratch/log" 2>&1; then
	echo "ok 1 - fuzz: $name: $runs runs"
	exit 0
fi
echo "not ok 1 - fuzz: $name: $runs runs"
sed 's/^/# /' "$scratch/log" | tail -n 60
for input in "$scratch"/{crash,leak,oom,timeout}-*; do
	[[ -f $input ]] && echo "# the input, in base64: $(base64 -w0 "$input")"
done
exit 1
