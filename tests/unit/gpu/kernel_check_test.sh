#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# `wiremill kernel check` of good kernels and of broken ones: one clear line each.
# kernel_check_test.sh WIREMILL KERNELS
#
# A kernel's comment says what is expected of it: "// expect: checked", or an extended regular
# expression of the line that it gets.
# shellcheck disable=SC2317  # the steps are called by check
set -u
wiremill=$1 kernels=$2
suite='kernel check'
# shellcheck source=tests/unit/check.sh
. "$(dirname "$0")/../check.sh"

# passes FILE OPTION...
passes() {
	timeout 300 "$wiremill" kernel check "$@" >"$work/out" 2>&1
	local status=$?
	cat "$work/out"
	((status == 0)) && grep -q '^checked  ' "$work/out"
}

# refused EXPECTED FILE OPTION...: with status 1, by one line that is not long.
refused() {
	local expected=$1 status=0
	shift
	timeout 300 "$wiremill" kernel check "$@" >"$work/out" 2>"$work/err" || status=$?
	cat "$work/out" "$work/err"
	[[ $status == 1 && ! -s $work/out && $(wc -l <"$work/err") == 1 ]] &&
		(($(wc -c <"$work/err") < 600)) && grep -Eq -- "$expected" "$work/err"
}

for file in "$kernels"/*.glsl; do
	expected=$(sed -n 's,^// expect: ,,p' "$file")
	name=$(basename "$file" .glsl)
	if [[ ${expected% } == checked ]]; then
		check "$name" passes "$file" --validate
	else
		check "$name is refused" refused "$expected" "$file"
	fi
done

# Floats go out as they come, and every NaN as the same one.
cat >"$work/floats.py" <<'TEXT'
import struct, sys
data = sys.stdin.buffer.read()
words = struct.unpack(f"<{len(data) // 4}I", data)
sys.stdout.buffer.write(struct.pack(f"<{len(words)}I", *(
    0x7fc00000 if word & 0x7fffffff > 0x7f800000 else word for word in words)))
TEXT

# Of every width and sign, alone, as a vector and as an array: what comes in goes out.
for type in u8 u8x3 i8x5 u8x32 u16 i16x2 u32x3 i32 u64 i64x3 f32x4 f32x7; do
	printf '//!KERNEL copy\n//!IN %s\n//!OUT %s\nvoid element(int i) { out(i, in(i)); }\n' \
		"$type" "$type" >"$work/copy.glsl"
	same="cat"
	[[ $type == f32* ]] && same="python3 $work/floats.py"
	check "$type is copied" passes "$work/copy.glsl" --reference "$same"
done

cat >"$work/xor.glsl" <<'TEXT'
//!KERNEL xor
//!IN u32x8
//!OUT u32x8
//!HALO 0 1
//!PARAM flip uint 0 0 1
void element(int i)
{
	uint a[8] = in(i), b[8] = in(i + 1);

	for (int c = 0; c < 8; c++)
		a[c] ^= b[c];
	a[7] ^= flip << 31;
	out(i, a);
}
TEXT
cat >"$work/xor.py" <<'TEXT'
import sys
data = sys.stdin.buffer.read()
sys.stdout.buffer.write(bytes(a ^ b for a, b in zip(data, data[32:])))
TEXT
check "xor is what another program makes of it" passes "$work/xor.glsl" --reference "python3 $work/xor.py"
check "a parameter that changes a bit is seen by the reference" \
	refused 'byte 31 of its output is 0x[0-9a-f]{2} by the reference' \
	"$work/xor.glsl" --param flip=1 --reference "python3 $work/xor.py"
check "a parameter out of its range" refused "parameter flip: '2' is no uint from 0 to 1" "$work/xor.glsl" --param flip=2
check "a parameter that is not there" refused "has no parameter 'flop'" "$work/xor.glsl" --param flop=1
check "a reference that fails" refused "reference 'false' failed" "$work/xor.glsl" --reference false
check "a reference of another length" refused "wrote 0 bytes, and its output has" "$work/xor.glsl" --reference true

head -c 10485760 /dev/zero | tr '\0' '\n' >"$work/large.glsl"
check "10 MB of source" refused "a kernel has 262144 at most" "$work/large.glsl"
printf '//!KERNEL a\n//!IN u8\n//!OUT u8\n\0' >"$work/nul.glsl"
check "a NUL" refused "nul.glsl:4: byte 0x00 is no text" "$work/nul.glsl"
mkfifo "$work/fifo"
check "a FIFO that nobody writes" refused "fifo is no file" "$work/fifo"
check "no file" refused "No such file" "$work/none.glsl"

# What the compiler does not survive ends the compiler alone.
python3 - "$work/bomb.glsl" <<'TEXT'
import sys
with open(sys.argv[1], "w") as file:
    print("//!KERNEL bomb\n//!IN u32\n//!OUT u32\n#define A0 1u+1u+1u+1u", file=file)
    for k in range(1, 30):
        print(f"#define A{k} A{k-1}+A{k-1}+A{k-1}+A{k-1}", file=file)
    print("void element(int i) { out(i, in(i) + A29); }", file=file)
TEXT
check "macros without an end" refused "bomb.glsl: the compiler " "$work/bomb.glsl"
finish
