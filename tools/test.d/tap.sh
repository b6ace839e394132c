# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154,SC2034
# Runs test programs that print TAP (testanything.org) and counts their tests.

passed=0
failed=0
skipped=0
failures=()
running=

# end_running: what a test has begun, it can clean up when it gets a signal.
end_running() {
	[[ -z $running ]] || kill -TERM "$running" 2>/dev/null || true
	[[ -z $running ]] || wait "$running" 2>/dev/null || true
}

# tap_count FILE: "passed failed skipped planned"; planned is -1 without a plan.
tap_count() {
	awk '
		/^ok / { if (toupper($0) ~ /# SKIP/) skipped++; else passed++ }
		/^not ok / { failed++ }
		/^1\.\.[0-9]+/ { planned = substr($1, 4); planned_seen = 1 }
		END { print passed + 0, failed + 0, skipped + 0, planned_seen ? planned : -1 }' "$1"
}

tap_failed() {
	local name=$1 why=$2 log=$3
	failures+=("$name: $why ($log)")
	echo "FAILED  $name: $why"
	sed 's/^/        | /' "$log"
}

# What is wrong with a run beyond its failed tests; nothing if nothing is.
tap_trouble() {
	local status=$1 good=$2 bad=$3 skip=$4 plan=$5
	if ((status == 124 || status == 137)); then
		echo "ran out of time"
	elif ((status > 128)); then
		echo "ended by signal $(kill -l $((status - 128)))"
	elif ((plan < 0)); then
		echo "has no plan, exit status $status"
	elif ((plan != good + bad + skip)); then
		echo "planned $plan tests and ran $((good + bad + skip))"
	elif ((status != 0 && bad == 0)); then
		echo "exit status $status"
	fi
}

wanted() {
	[[ -z $only || $1 =~ $only ]] || return
	[[ -z $only ]] || only_matched=true
}

# run_test NAME SECONDS FOLDER COMMAND...
run_test() {
	local name=$1 seconds=$2 folder=$3 log status=0 good bad skip plan trouble started
	shift 3
	wanted "$name" || return 0
	log=$PWD/$logs/${name//[ \/:]/-}.log
	started=$SECONDS
	# In the background, so that a signal to us is handled at once. After TERM a
	# lab test has time to take its labs down.
	(cd "$folder" && exec timeout --kill-after=60 "$seconds" "$@") >"$log" 2>&1 </dev/null &
	running=$!
	wait "$running" || status=$?
	running=
	read -r good bad skip plan < <(tap_count "$log")
	if ((status == 77 && plan == 0)); then
		skipped=$((skipped + 1))
		echo "skipped $name: $(sed -n 's/^1\.\.0 # SKIP *//p' "$log")"
		return 0
	fi
	trouble=$(tap_trouble "$status" "$good" "$bad" "$skip" "$plan")
	passed=$((passed + good))
	skipped=$((skipped + skip))
	failed=$((failed + bad))
	if [[ $trouble ]]; then
		# What did not run counts as one test that failed.
		failed=$((failed + 1))
		tap_failed "$name" "$trouble" "$log"
	elif ((bad)); then
		tap_failed "$name" "$bad of $((good + bad)) failed" "$log"
	else
		echo "ok      $name: $good passed in $((SECONDS - started)) s"
	fi
}

summary() {
	local line
	if ((${#failures[@]})); then
		echo
		for line in "${failures[@]}"; do
			echo "failed: $line"
		done
	fi
	line="$passed passed, $failed failed"
	((skipped == 0)) || line+=", $skipped skipped"
	echo "$line"
	((failed == 0 && passed > 0))
}
