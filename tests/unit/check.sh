# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# What the unit tests that are scripts share: TAP, a folder to work in, and no way out of
# either. Sourced with `suite` set; `finish` ends the script.
# shellcheck disable=SC2154  # suite
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0
failed=0

# check TITLE COMMAND...
check() {
	local title=$1
	shift
	count=$((count + 1))
	if "$@" >"$work/log" 2>&1; then
		echo "ok $count - $suite: $title"
	else
		failed=1
		echo "not ok $count - $suite: $title"
		sed 's/^/# /' "$work/log"
	fi
}

finish() {
	echo "1..$count"
	exit "$failed"
}
