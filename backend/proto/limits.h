/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one vdispl device of a guest may take, and the count of what it has
 * taken. Going over a limit fails the request that would, and nothing else.
 */
#ifndef XD_PROTO_LIMITS_H
#define XD_PROTO_LIMITS_H

#include <stdint.h>

/* Bounds of the protocol as we speak it, not configurable. */
#define XD_MAX_CONNECTORS	16
#define XD_MAX_DIMENSION	8192u		/* pixels, width and height */
#define XD_MAX_EDID_BUFFER	(1u << 20)	/* bytes, GET_EDID's buffer_sz */

/**
 * struct xd_limits - per-guest limits, from the configuration
 * @max_dbufs:	display buffers that exist at a time
 * @max_fbs:	framebuffers that are attached at a time
 * @max_bytes:	bytes of all display buffers together
 * @max_dbuf_bytes: bytes of one display buffer
 * @max_shared_bytes: bytes of all those display buffers that are memory of ours;
 *		0: none may be
 * @max_requests_per_turn: requests taken from one ring before the others,
 *		and the rest of the loop, get their turn
 */
struct xd_limits {
	uint32_t max_dbufs;
	uint32_t max_fbs;
	uint64_t max_bytes;
	uint64_t max_dbuf_bytes;
	uint64_t max_shared_bytes;
	uint32_t max_requests_per_turn;
};

/* Room for two 4K monitors with triple buffering, twice over. */
extern const struct xd_limits xd_limits_default;

/* What a guest holds now. Zero-initialise. */
struct xd_usage {
	uint32_t dbufs;
	uint32_t fbs;
	uint64_t bytes;
	uint64_t shared_bytes;
};

/*
 * Count one more or one less. The adders return 0 or -ENOSPC and then have
 * changed nothing; the removers must match an adder that returned 0.
 */
int xd_usage_add_dbuf(struct xd_usage *usage, const struct xd_limits *limits,
		      uint64_t bytes);
void xd_usage_del_dbuf(struct xd_usage *usage, uint64_t bytes);
int xd_usage_add_shared(struct xd_usage *usage, const struct xd_limits *limits,
			uint64_t bytes);
void xd_usage_del_shared(struct xd_usage *usage, uint64_t bytes);
int xd_usage_add_fb(struct xd_usage *usage, const struct xd_limits *limits);
void xd_usage_del_fb(struct xd_usage *usage);

#endif /* XD_PROTO_LIMITS_H */
