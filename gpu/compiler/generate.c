/* SPDX-License-Identifier: BSD-3-Clause */
#include "generate.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prelude.h"

#define WORD_BYTES 4u
#define UNIT_BYTES 16u
#define VECTOR_MAX 4u

/* How GLSL has a scalar: its type, its vectors' prefix, how a word's bits become one and back. */
static const struct scalar {
	const char *type, *vector, *from_bits, *to_bits;
} scalars[WM_SCALARS] = {
	[WM_SCALAR_U8] = { "uint", "uvec", "", "uint" },
	[WM_SCALAR_I8] = { "int", "ivec", "int", "uint" },
	[WM_SCALAR_U16] = { "uint", "uvec", "", "uint" },
	[WM_SCALAR_I16] = { "int", "ivec", "int", "uint" },
	[WM_SCALAR_U32] = { "uint", "uvec", "", "uint" },
	[WM_SCALAR_I32] = { "int", "ivec", "int", "uint" },
	[WM_SCALAR_U64] = { "uint64_t", "u64vec", NULL, NULL }, /* two words: apart */
	[WM_SCALAR_I64] = { "int64_t", "i64vec", NULL, NULL },
	[WM_SCALAR_F32] = { "float", "vec", "uintBitsToFloat", "wm_float_bits" },
};

/* What the prelude calls by names that an author may want; its macros are but undefined. */
static const char *const prelude_names[] = {
	"INVOCATIONS", "row",	       "region_buffer", "region",
	"units",       "words",	       "rows_buffer",	"rows",
	"table",       "piece_end",    "piece_shift",	"region_word_buffer",
	"output_at",   "output_count", "region_words",	"row_open",
	"row_count",   "first_unit",   "place",		"load",
	"store",       "load_word",    "store_word",
};

#define PRELUDE_NAMES (sizeof(prelude_names) / sizeof(prelude_names[0]))

static const struct scalar *scalar_of(const struct wm_element_type *type)
{
	assert(type->scalar < WM_SCALARS && type->count > 0);
	return &scalars[type->scalar];
}

/* ---- types ---------------------------------------------------------------------- */

static void put_type(FILE *out, const struct wm_element_type *type)
{
	const struct scalar *scalar = scalar_of(type);

	if (type->count == 1)
		fputs(scalar->type, out);
	else if (type->count <= VECTOR_MAX)
		fprintf(out, "%s%u", scalar->vector, type->count);
	else
		fprintf(out, "%s[%u]", scalar->type, type->count);
}

static uint32_t type_bytes(const struct wm_element_type *type)
{
	return type->count * wm_scalar_bytes(type->scalar);
}

/* As few elements as fill whole words together: one invocation writes them. */
static uint32_t group_of(const struct wm_element_type *type)
{
	uint32_t group = 1;

	while (group * type_bytes(type) % WORD_BYTES)
		group++;
	return group;
}

static bool is_signed_part(enum wm_scalar scalar)
{
	return scalar == WM_SCALAR_I8 || scalar == WM_SCALAR_I16;
}

/* ---- parameters ------------------------------------------------------------------ */

static void put_params(FILE *out, const struct wm_kernel_source *source)
{
	for (uint32_t i = 0; i < source->param_count; i++) {
		const struct wm_kernel_param *param = &source->params[i];

		fprintf(out, "const %s %s = ", wm_param_type_name(param->type), param->name);
		if (param->type == WM_PARAM_UINT)
			fprintf(out, "%uu;\n", (uint32_t)param->value);
		else if (param->type == WM_PARAM_INT) /* there is no literal for the least int */
			fprintf(out, "int(%uu);\n", (uint32_t)(int32_t)param->value);
		else /* with an exponent it is a float, whatever its value */
			fprintf(out, "%.9e;\n", param->value);
	}
}

/* ---- in() ------------------------------------------------------------------------ */

static void put_in_at(FILE *out, const struct wm_kernel_source *source)
{
	const struct wm_element_type *type = &source->in;
	const struct scalar *scalar = scalar_of(type);
	uint32_t bytes = wm_scalar_bytes(type->scalar);

	fprintf(out, "%s wm_in_at(int i, int c)\n{\n\tuint at = wm_in_place(i, c);\n",
		scalar->type);
	if (bytes == 8)
		fprintf(out,
			"\treturn %s(packUint2x32(uvec2(wm_load_word(at / 4u), "
			"wm_load_word(at / 4u + 1u))));\n}\n",
			scalar->type);
	else if (bytes == WORD_BYTES)
		fprintf(out, "\treturn %s(wm_load_word(at / 4u));\n}\n", scalar->from_bits);
	else
		fprintf(out,
			"\treturn bitfieldExtract(%s(wm_load_word(at / 4u)), int(at %% 4u) * 8, "
			"%u);\n}\n",
			is_signed_part(type->scalar) ? "int" : "uint", bytes * 8);
}

/* One scalar out of words that are w0, w1 and so on. */
static void put_scalar_of_words(FILE *out, const struct wm_element_type *type, uint32_t index)
{
	const struct scalar *scalar = scalar_of(type);
	uint32_t bytes = wm_scalar_bytes(type->scalar), at = index * bytes;

	if (bytes == 8)
		fprintf(out, "%s(packUint2x32(uvec2(w%u, w%u)))", scalar->type, at / 4, at / 4 + 1);
	else if (bytes == WORD_BYTES)
		fprintf(out, "%s(w%u)", scalar->from_bits, at / 4);
	else
		fprintf(out, "bitfieldExtract(%s(w%u), %u, %u)",
			is_signed_part(type->scalar) ? "int" : "uint", at / 4, at % 4 * 8,
			bytes * 8);
}

static void put_loads(FILE *out, uint32_t bytes)
{
	if (bytes % UNIT_BYTES) {
		for (uint32_t i = 0; i < bytes / WORD_BYTES; i++)
			fprintf(out, "\tuint w%u = wm_load_word(at / 4u + %uu);\n", i, i);
		return;
	}
	for (uint32_t i = 0; i < bytes / UNIT_BYTES; i++)
		fprintf(out,
			"\tuvec4 q%u = wm_load(at / 16u + %uu);\n"
			"\tuint w%u = q%u.x, w%u = q%u.y, w%u = q%u.z, w%u = q%u.w;\n",
			i, i, 4 * i, i, 4 * i + 1, i, 4 * i + 2, i, 4 * i + 3, i);
}

static void put_in(FILE *out, const struct wm_kernel_source *source)
{
	const struct wm_element_type *type = &source->in;
	uint32_t bytes = type_bytes(type);
	bool whole = bytes % WORD_BYTES == 0;

	put_type(out, type);
	fputs(" wm_in(int i)\n{\n", out);
	if (whole) {
		fputs("\tuint at = wm_in_place(i, 0);\n", out);
		put_loads(out, bytes);
	}
	fputs("\treturn ", out);
	put_type(out, type);
	for (uint32_t i = 0; i < type->count; i++) {
		fputs(i == 0 ? "(" : ",\n\t\t", out);
		if (whole)
			put_scalar_of_words(out, type, i);
		else
			fprintf(out, "wm_in_at(i, %u)", i);
	}
	fputs(");\n}\n", out);
}

static void put_input(FILE *out, const struct wm_kernel_source *source)
{
	const struct wm_kernel *kernel = &source->kernel;

	fprintf(out,
		"uint wm_in_place(int i, int c)\n{\n"
		"\tint near = clamp(i, wm_now - %u, wm_now + %u), part = clamp(c, 0, %u);\n"
		"#ifdef WM_CHECK\n"
		"\tif (i != near)\n\t\twm_note(%uu, i - wm_now);\n"
		"\tif (c != part)\n\t\twm_note(%uu, c);\n"
		"#endif\n"
		"\treturn uint(near + %u) * %uu + uint(part) * %uu;\n}\n",
		kernel->halo_before, kernel->halo_after, source->in.count - 1, WM_ROW_NOTE_READ,
		WM_ROW_NOTE_SCALAR, kernel->halo_before, kernel->in_bytes,
		wm_scalar_bytes(source->in.scalar));
	put_in_at(out, source);
	put_in(out, source);
}

/* ---- out() ----------------------------------------------------------------------- */

/* Which of two NaNs comes out of their sum, and with which sign, is left to the device by
 * IEEE 754, 6.2: they all become one. */
static void put_float_bits(FILE *out)
{
	fputs("uint wm_float_bits(float value)\n{\n\tuint bits = floatBitsToUint(value);\n\n"
	      "\treturn (bits & 0x7fffffffu) > 0x7f800000u ? 0x7fc00000u : bits;\n}\n",
	      out);
}

static void put_scalar_to_words(FILE *out, const struct wm_element_type *type)
{
	const struct scalar *scalar = scalar_of(type);
	uint32_t bytes = wm_scalar_bytes(type->scalar);

	if (type->scalar == WM_SCALAR_F32)
		put_float_bits(out);
	fprintf(out,
		"void wm_set(int c, %s value)\n{\n\tuint at = wm_slot * %uu + uint(c) * %uu;\n",
		scalar->type, type_bytes(type), bytes);
	if (bytes == 8)
		fputs("\tuvec2 bits = unpackUint2x32(uint64_t(value));\n"
		      "\twm_bits[at / 4u] = bits.x;\n\twm_bits[at / 4u + 1u] = bits.y;\n}\n",
		      out);
	else if (bytes == WORD_BYTES)
		fprintf(out, "\twm_bits[at / 4u] = %s(value);\n}\n", scalar->to_bits);
	else
		fprintf(out,
			"\twm_bits[at / 4u] = bitfieldInsert(wm_bits[at / 4u], uint(value), "
			"int(at %% 4u) * 8, %u);\n}\n",
			bytes * 8);
}

/* Whether element i is the one that is computed; what is meant for another goes nowhere. */
static void put_is_own(FILE *out)
{
	fprintf(out,
		"bool wm_is_own(int i)\n{\n"
		"#ifdef WM_CHECK\n"
		"\tif (i != wm_now)\n\t\twm_note(%uu, i - wm_now);\n"
		"\telse\n\t\twm_wrote = true;\n"
		"#endif\n"
		"\treturn i == wm_now;\n}\n",
		WM_ROW_NOTE_WRITE);
}

static void put_output(FILE *out, const struct wm_kernel_source *source)
{
	const struct wm_element_type *type = &source->out;

	fprintf(out, "uint wm_bits[%u];\nuint wm_slot;\n",
		group_of(type) * type_bytes(type) / WORD_BYTES);
	put_is_own(out);
	put_scalar_to_words(out, type);
	fprintf(out,
		"void wm_out_at(int i, int c, %s value)\n{\n"
		"\tint part = clamp(c, 0, %u);\n"
		"#ifdef WM_CHECK\n"
		"\tif (c != part)\n\t\twm_note(%uu, c);\n"
		"#endif\n"
		"\tif (wm_is_own(i) && c == part)\n\t\twm_set(part, value);\n}\n",
		scalar_of(type)->type, type->count - 1, WM_ROW_NOTE_SCALAR);
	fputs("void wm_out(int i, ", out);
	put_type(out, type);
	fputs(" value)\n{\n\tif (!wm_is_own(i))\n\t\treturn;\n", out);
	for (uint32_t c = 0; c < type->count; c++)
		fprintf(out,
			type->count == 1 ? "\twm_set(%u, value);\n" : "\twm_set(%u, value[%u]);\n",
			c, c);
	fputs("}\n", out);
}

/* ---- main() ---------------------------------------------------------------------- */

static void put_stores(FILE *out, uint32_t group, uint32_t group_bytes)
{
	fprintf(out, "\t\tuint at = first / %uu * %uu;\n", group, group_bytes / WORD_BYTES);
	if (group_bytes % UNIT_BYTES == 0) {
		for (uint32_t i = 0; i < group_bytes / UNIT_BYTES; i++)
			fprintf(out,
				"\t\twm_store(at / 4u + %uu, uvec4(wm_bits[%u], wm_bits[%u], "
				"wm_bits[%u], wm_bits[%u]));\n",
				i, 4 * i, 4 * i + 1, 4 * i + 2, 4 * i + 3);
		return;
	}
	for (uint32_t i = 0; i < group_bytes / WORD_BYTES; i++) {
		if (group > 1)
			fprintf(out, "\t\tif ((count - first) * %uu > %uu)\n\t",
				group_bytes / group, i * WORD_BYTES);
		fprintf(out, "\t\twm_store_word(at + %uu, wm_bits[%u]);\n", i, i);
	}
}

static void put_element(FILE *out)
{
	fprintf(out,
		"void wm_element(uint slot, uint index)\n{\n"
		"\twm_slot = slot;\n\twm_now = int(index);\n"
		"#ifdef WM_CHECK\n\twm_wrote = false;\n#endif\n"
		"\telement(wm_now);\n"
		"#ifdef WM_CHECK\n\tif (!wm_wrote)\n\t\twm_note(%uu, 0);\n#endif\n}\n",
		WM_ROW_NOTE_NOTHING);
}

static void put_main(FILE *out, const struct wm_kernel_source *source)
{
	uint32_t group = group_of(&source->out);
	uint32_t group_bytes = group * type_bytes(&source->out);

	put_element(out);
	fprintf(out,
		"void main()\n{\n\twm_row_open();\n"
		"\tuint count = wm_row_count();\n"
		"\tfor (uint first = wm_first_unit() * %uu; first < count; first += %uu * "
		"wm_INVOCATIONS) {\n",
		group, group);
	for (uint32_t i = 0; i < group_bytes / WORD_BYTES; i++)
		fprintf(out, "\t\twm_bits[%u] = 0u;\n", i);
	fputs("\t\twm_element(0u, first);\n", out);
	for (uint32_t i = 1; i < group; i++)
		fprintf(out, "\t\tif (first + %uu < count)\n\t\t\twm_element(%uu, first + %uu);\n",
			i, i, i);
	put_stores(out, group, group_bytes);
	fputs("\t}\n}\n", out);
}

/* ---- the whole -------------------------------------------------------------------- */

static void put_prelude(FILE *out, bool check)
{
	fputs("#version 450\n#extension GL_GOOGLE_cpp_style_line_directive : require\n", out);
	if (check)
		fputs("#define WM_CHECK\n", out);
	for (size_t i = 0; i < PRELUDE_NAMES; i++)
		fprintf(out, "#define %s wm_%s\n", prelude_names[i], prelude_names[i]);
	fputs(wm_prelude, out);
	for (size_t i = 0; i < PRELUDE_NAMES; i++)
		fprintf(out, "#undef %s\n", prelude_names[i]);
	fputs("#undef UNIT_BYTES\n#undef WORD_BYTES\n", out);
}

/* The first that notes is believed: the others may be of its making. */
static void put_notes(FILE *out)
{
	fputs("int wm_now;\n"
	      "#ifdef WM_CHECK\n"
	      "bool wm_wrote;\n"
	      "void wm_note(uint kind, int distance)\n{\n"
	      "\tuint note = kind << 28 | (uint(clamp(distance, -2048, 2047)) & 4095u) << 16 |\n"
	      "\t\t    uint(wm_now) & 65535u;\n"
	      "\tatomicCompSwap(wm_rows.wm_table[gl_WorkGroupID.x].zero, 0u, note);\n}\n"
	      "#endif\n",
	      out);
}

struct wm_row_note wm_row_note_decode(uint32_t zero)
{
	return (struct wm_row_note){
		.kind = (enum wm_row_note_kind)(zero >> 28),
		.element = zero & 0xffff,
		.distance = (int32_t)(zero << 4) >> 20,
	};
}

/* A name that can stand between quotes. */
static void put_line(FILE *out, unsigned line, const char *name)
{
	fprintf(out, "#line %u \"", line);
	for (; *name; name++)
		fputc(isprint((unsigned char)*name) && !strchr("\"\\", *name) ? *name : '?', out);
	fputs("\"\n", out);
}

static void put_author(FILE *out, const struct wm_kernel_source *source, const char *name)
{
	fputs("#define in(i) wm_in(i)\n#define out(i, value) wm_out(i, value)\n"
	      "#define in_at(i, c) wm_in_at(i, c)\n"
	      "#define out_at(i, c, value) wm_out_at(i, c, value)\n",
	      out);
	put_line(out, 1, name);
	fwrite(source->code, 1, source->code_bytes, out);
	fputc('\n', out);
	put_line(out, 1, "the end of the kernel");
}

char *wm_generate(const struct wm_kernel_source *source, const char *name, bool check)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	if (!out)
		return NULL;
	put_prelude(out, check);
	put_notes(out);
	put_input(out, source);
	put_output(out, source);
	put_params(out, source);
	put_author(out, source, name);
	put_main(out, source);
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
