/* SPDX-License-Identifier: BSD-3-Clause */
#include "contraction.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <spirv/unified1/spirv.h>

#define HEADER_WORDS 5u
#define DECORATE_WORDS 3u
#define RESULT_WORD 2u /* of an instruction that has a type and a result */

/* An instruction: where it begins, and its words. */
struct instruction {
	const uint32_t *words;
	uint32_t count;
	uint16_t op;
};

static bool next(struct instruction *instruction, const uint32_t **at, const uint32_t *end)
{
	uint32_t count;

	if (*at == end)
		return false;
	count = **at >> SpvWordCountShift;
	if (count == 0 || count > (size_t)(end - *at))
		return false;
	*instruction = (struct instruction){ *at, count, (uint16_t)(**at & SpvOpCodeMask) };
	*at += count;
	return true;
}

static bool is_arithmetic(const struct instruction *instruction)
{
	switch (instruction->op) {
	case SpvOpFNegate:
	case SpvOpFAdd:
	case SpvOpFSub:
	case SpvOpFMul:
	case SpvOpFDiv:
	case SpvOpFRem:
	case SpvOpFMod:
	case SpvOpVectorTimesScalar:
	case SpvOpMatrixTimesScalar:
	case SpvOpVectorTimesMatrix:
	case SpvOpMatrixTimesVector:
	case SpvOpMatrixTimesMatrix:
	case SpvOpOuterProduct:
	case SpvOpDot:
		return instruction->count > RESULT_WORD;
	default:
		return false;
	}
}

/* Decorations come before the first type. */
static bool ends_decorations(uint16_t op)
{
	return (op >= SpvOpTypeVoid && op <= SpvOpTypeForwardPointer) ||
	       (op >= SpvOpConstantTrue && op <= SpvOpSpecConstantOp) || op == SpvOpVariable ||
	       op == SpvOpUndef || op == SpvOpFunction;
}

/* Whole instructions to the end; *results: how many are to be decorated, *types: where. */
static bool survey(const uint32_t *words, const uint32_t *end, size_t *results,
		   const uint32_t **types)
{
	const uint32_t *at = words + HEADER_WORDS;
	struct instruction instruction;

	*results = 0;
	*types = NULL;
	while (next(&instruction, &at, end)) {
		if (!*types && ends_decorations(instruction.op))
			*types = instruction.words;
		*results += is_arithmetic(&instruction);
	}
	return at == end && *types;
}

static uint32_t *decorate(uint32_t *out, const uint32_t *words, const uint32_t *end)
{
	const uint32_t *at = words + HEADER_WORDS;
	struct instruction instruction;

	while (next(&instruction, &at, end)) {
		if (!is_arithmetic(&instruction))
			continue;
		*out++ = DECORATE_WORDS << SpvWordCountShift | SpvOpDecorate;
		*out++ = instruction.words[RESULT_WORD];
		*out++ = SpvDecorationNoContraction;
	}
	return out;
}

size_t wm_contraction_forbid(uint32_t **code, const uint32_t *words, size_t word_count,
			     struct wm_error *error)
{
	const uint32_t *end = words + word_count, *types;
	size_t results, total;
	uint32_t *out;

	if (word_count < HEADER_WORDS || words[0] != SpvMagicNumber ||
	    !survey(words, end, &results, &types)) {
		wm_error_set(error, EINVAL, "this is no SPIR-V module");
		return 0;
	}
	total = word_count + DECORATE_WORDS * results;
	*code = malloc(total * sizeof(**code));
	if (!*code) {
		wm_error_set(error, ENOMEM, "out of memory for %zu words of SPIR-V", total);
		return 0;
	}
	memcpy(*code, words, (size_t)(types - words) * sizeof(*words));
	out = decorate(*code + (types - words), words, end);
	memcpy(out, types, (size_t)(end - types) * sizeof(*words));
	return total;
}
