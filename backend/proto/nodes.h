/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text of XenStore nodes. The guest owns its own nodes, so any bytes can be
 * in them: each parser takes the whole string or nothing, knows its bounds,
 * and leaves the result alone when it fails.
 *
 * All return 0, -EINVAL (not of that form) or -ERANGE (out of bounds).
 */
#ifndef XD_PROTO_NODES_H
#define XD_PROTO_NODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a unique-id may be long, with its final 0. */
#define XD_UNIQUE_ID_SIZE	64

/* A decimal number, digits only: no sign, no blanks. @text may be NULL. */
int xd_parse_u32(const char *text, uint32_t min, uint32_t max,
		 uint32_t *ret_value);
int xd_parse_u64(const char *text, uint64_t min, uint64_t max,
		 uint64_t *ret_value);

/* "0" or "1". */
int xd_parse_flag(const char *text, bool *ret_value);

/* "1920x1080", both in 1..XD_MAX_DIMENSION. */
int xd_parse_resolution(const char *text, uint32_t *ret_width,
			uint32_t *ret_height);

/* The frontend's `version`: NULL (no node) is 1; else 1 or 2. */
int xd_parse_version(const char *text, unsigned int *ret_version);

/*
 * unique-id: 1..63 printable ASCII characters, no slash, as it goes into logs
 * and file names. @text NULL (no node) or unusable text gives the fallback
 * "conn<index>" and -EINVAL, so that a caller may choose to go on.
 */
int xd_parse_unique_id(const char *text, unsigned int index,
		       char ret_id[XD_UNIQUE_ID_SIZE]);

#endif /* XD_PROTO_NODES_H */
