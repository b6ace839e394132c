#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# text.sh FILE SYMBOL: the file as C, a string of that name.
set -eu
printf '#include "prelude.h"\nconst char %s[] =\n' "$2"
sed -e 's/[\\"]/\\&/g' -e 's/.*/"&\\n"/' "$1"
echo ';'
