// SPDX-License-Identifier: GPL-2.0-or-later
#include <assert.h>
#include <errno.h>

#include "proto/limits.h"

/*
 * Two 4K monitors with three XRGB8888 buffers each are 6 buffers and 190 MiB.
 * The rest is for compositors that give each client buffers of its own, and
 * for buffers that a frontend keeps for reuse. No more, as each page takes one or
 * two of the mappings that Xen lets the backend's domain have: 262144 by default,
 * for all guests and all backends together.
 */
const struct xd_limits xd_limits_default = {
	.max_dbufs = 512,
	.max_fbs = 1024,
	.max_bytes = UINT64_C(384) << 20,
	.max_dbuf_bytes = UINT64_C(256) << 20,
	.max_shared_bytes = UINT64_C(128) << 20,
	.max_requests_per_turn = 32,
};

int xd_usage_add_dbuf(struct xd_usage *usage, const struct xd_limits *limits,
		      uint64_t bytes)
{
	if (usage->dbufs >= limits->max_dbufs ||
	    bytes > limits->max_dbuf_bytes ||
	    usage->bytes > limits->max_bytes ||
	    bytes > limits->max_bytes - usage->bytes)
		return -ENOSPC;

	usage->dbufs++;
	usage->bytes += bytes;
	return 0;
}

void xd_usage_del_dbuf(struct xd_usage *usage, uint64_t bytes)
{
	assert(usage->dbufs > 0 && usage->bytes >= bytes);
	usage->dbufs--;
	usage->bytes -= bytes;
}

int xd_usage_add_shared(struct xd_usage *usage, const struct xd_limits *limits,
			uint64_t bytes)
{
	if (usage->shared_bytes > limits->max_shared_bytes ||
	    bytes > limits->max_shared_bytes - usage->shared_bytes)
		return -ENOSPC;

	usage->shared_bytes += bytes;
	return 0;
}

void xd_usage_del_shared(struct xd_usage *usage, uint64_t bytes)
{
	assert(usage->shared_bytes >= bytes);
	usage->shared_bytes -= bytes;
}

int xd_usage_add_fb(struct xd_usage *usage, const struct xd_limits *limits)
{
	if (usage->fbs >= limits->max_fbs)
		return -ENOSPC;

	usage->fbs++;
	return 0;
}

void xd_usage_del_fb(struct xd_usage *usage)
{
	assert(usage->fbs > 0);
	usage->fbs--;
}
