#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# text.sh FILE SYMBOL: the file as C, a string of that name.
set -eu
printf 'extern const char %s[];\nconst char %s[] =\n' "$2" "$2"
sed -e 's/[\\"]/\\&/g' -e 's/.*/"&\\n"/' "$1"
echo ';'
