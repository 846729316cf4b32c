/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * XenStore as the supervisor sees it. An answer, that there is no such node
 * too, is acted upon. What failed for any other reason is no answer: nothing
 * follows from it, but that everything is looked at again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/supervisor.h"

#define MS		1000000ull	/* ns */
#define FIRST_MS	10u		/* to look again, then twice as long */
#define LAST_MS		1000u

unsigned int xd_store_beat_ms = 30000;

/* Of a node or a directory: not there, not for us, or not even possible. */
static bool is_answer(int err)
{
	return !err || err == ENOENT || err == EACCES || err == EINVAL;
}

/*
 * What libxenstore says when xenstored has closed the connection, which it never
 * makes again. EIO is none of them: that is an answer of xenstored.
 */
static bool is_end(int err)
{
	return err == EBADF || err == EPIPE || err == ECONNRESET;
}

static void end(struct xd_supervisor *sup, int err)
{
	if (!sup->lost)
		xd_error("XenStore is gone: %s", strerror(err));
	sup->lost = true;
	sup->unsure = true;
	xd_loop_quit(sup->loop);
}

/* @err: positive */
static void check(struct xd_supervisor *sup, int err, const char *path)
{
	if (is_answer(err))
		return;
	if (is_end(err)) {
		end(sup, err);
		return;
	}
	if (xd_log_allow(&sup->log_limit))
		xd_warn("XenStore: %s: %s; looking again", path,
			strerror(err));
	xd_look_again(sup);
}

void xd_look_again(struct xd_supervisor *sup)
{
	sup->unsure = true;
	if (!sup->again_ms)
		sup->again_ms = FIRST_MS;
	if (!sup->again.armed)
		xd_timer_set(&sup->again, xd_now() + sup->again_ms * MS);
}

void xd_looked_again(struct xd_supervisor *sup)
{
	if (!sup->again.armed)
		sup->again_ms = 0;
	else if (sup->again_ms < LAST_MS)
		sup->again_ms *= 2;
}

/* What it reads is of no interest. */
static void beat(void *ctx)
{
	struct xd_supervisor *sup = ctx;

	free(xd_read(sup, "domid"));
	xd_timer_set(&sup->beat, xd_now() + xd_store_beat_ms * MS);
}

int xd_store_watch_over(struct xd_supervisor *sup)
{
	int ret = xd_timer_init(sup->loop, &sup->beat, beat, sup);

	if (!ret)
		xd_timer_set(&sup->beat, xd_now() + xd_store_beat_ms * MS);
	return ret;
}

char *xd_read(struct xd_supervisor *sup, const char *path)
{
	char *text = sup->store->ops->read(sup->store, path);

	if (!text)
		check(sup, errno, path);
	return text;
}

int xd_write(struct xd_supervisor *sup, const char *path, const char *text)
{
	int ret = sup->store->ops->write(sup->store, path, text);

	check(sup, -ret, path);
	return ret;
}

void xd_remove(struct xd_supervisor *sup, const char *path)
{
	check(sup, -sup->store->ops->remove(sup->store, path), path);
}

char **xd_list(struct xd_supervisor *sup, const char *path,
	       unsigned int *ret_num)
{
	char **names = sup->store->ops->list(sup->store, path, ret_num);

	if (!names)
		check(sup, errno, path);
	return names;
}

int xd_watch(struct xd_supervisor *sup, const char *path, const char *token)
{
	int ret = sup->store->ops->watch(sup->store, path, token);

	if (is_end(-ret))
		end(sup, -ret);
	/* one that could not be taken away is as good as a new one */
	return ret == -EEXIST ? 0 : ret;
}

bool xd_domain_alive(struct xd_supervisor *sup, uint32_t domid)
{
	int ret = sup->store->ops->domain_alive(sup->store, domid);

	if (ret >= 0)
		return ret;
	check(sup, -ret, "whether a domain is alive");
	return true;
}
