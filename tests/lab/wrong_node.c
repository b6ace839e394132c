/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A node that computes wrong, without a hook in the node: preloaded, this library
 * stands before libisal's CRC and damages one result in WM_WRONG_EVERY as its CRC is
 * taken, as faulty memory would. The frame then is valid and its content is not.
 *
 *   WM_WRONG_EVERY=10000   one result in so many (1: each)
 *   WM_WRONG_BITS=1        bits flipped: 1, or 2 at the same place of two vectors,
 *                          which the identity of xor cannot see
 *   WM_WRONG_BYTES=8192    length of the payloads that are results: full batches;
 *                          what a node receives comes in other lengths
 */
#include <dlfcn.h>
#include <stdlib.h>

typedef unsigned int crc_function(unsigned char *, int, unsigned int);

unsigned int crc32_iscsi(unsigned char *buffer, int length, unsigned int crc);

static int number_of(const char *name, int otherwise)
{
	const char *text = getenv(name);

	return text ? atoi(text) : otherwise;
}

static void damage(unsigned char *buffer)
{
	buffer[1234] ^= 0x10;
	if (number_of("WM_WRONG_BITS", 1) == 2)
		buffer[1234 + 32] ^= 0x10;
}

unsigned int crc32_iscsi(unsigned char *buffer, int length, unsigned int crc)
{
	static crc_function *real;
	static int results;

	if (!real)
		real = (crc_function *)dlsym(RTLD_NEXT, "crc32_iscsi");
	if (length == number_of("WM_WRONG_BYTES", 8192) &&
	    ++results % number_of("WM_WRONG_EVERY", 10000) == 0)
		damage(buffer);
	return real(buffer, length, crc);
}
