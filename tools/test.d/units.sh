# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154,SC2034
# The builds that are tested, and their unit tests.

tree_folder() {
	case $1 in
	gcc) echo build ;;
	*) echo "build-$1" ;;
	esac
}

# Always, whatever --only says: the tests it names need what is built here.
build_tree() {
	local only=
	run_test "$1 build" 1800 . tools/test.d/build "$1" "$(tree_folder "$1")"
}

# Lines of: name, seconds, folder, protocol, and the command as a shell would read it.
# Without the suite "long" where so many minutes would find nothing new.
list_unit_tests() {
	meson introspect --tests "$1" | python3 -c '
import json, shlex, sys
for test in json.load(sys.stdin):
    if sys.argv[1] != "build" and any(name.split(":")[-1] == "long" for name in test["suite"]):
        continue
    environment = [f"{key}={value}" for key, value in test["env"].items()]
    print(test["name"], test["timeout"], test["workdir"] or sys.argv[1], test["protocol"],
          shlex.join(["env", *environment, *test["cmd"]]), sep="\t")' "$1"
}

unit_tests() {
	local folder name seconds workdir protocol command words patience=1
	folder=$(tree_folder "$1")
	[[ -e $folder/build.ninja ]] || return 0
	# Sanitized programs run several times slower.
	[[ $1 != san ]] || patience=5
	while IFS=$'\t' read -r name seconds workdir protocol command; do
		eval "words=($command)"
		[[ $protocol == tap ]] || words=("$PWD/tools/test.d/exitcode" "$name" "${words[@]}")
		run_test "$1 unit $name" $((seconds * patience)) "$workdir" "${words[@]}"
	done < <(list_unit_tests "$folder")
}
