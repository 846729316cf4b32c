/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Zero copy: a buffer's pages as a dma-buf, for outputs whose sinks can read
 * one. What a sink has not closed is still mapped, so the end of such a buffer is
 * told to the guest when the sink has let go of it.
 */
#include <errno.h>
#include <string.h>

#include "core/guest.h"

#define MAX_EXPORTS	64	/* descriptors that a guest makes us have */
#define LOOK		2000000u	/* ns */
#define LOOK_RARELY	1000000000u
#define PATIENCE	1000000000u	/* of the guest: it waits for 3 s at most */

/* Once, and again when it has changed, which a guest can do for ever. */
static void tell(struct xd_conn *conn, const char *copies)
{
	if (conn->copies && !strcmp(conn->copies, copies))
		return;
	conn->copies = copies;
	if (!xd_log_allow(&conn->guest->log_limit))
		return;
	if (*copies)
		xd_guest_say(conn->guest, false,
			     "connector %u: frames are copied: %s",
			     conn->index, copies);
	else
		xd_guest_say(conn->guest, false,
			     "connector %u: frames are shown without a copy",
			     conn->index);
}

void xd_conn_zero_copy(struct xd_conn *conn, const char *why_not)
{
	tell(conn, why_not ? why_not : "");
}

static unsigned int count_exports(const struct xd_guest *guest)
{
	const struct xd_dbuf *dbuf;
	unsigned int num = 0;

	for (dbuf = guest->dbufs; dbuf; dbuf = dbuf->next)
		num += dbuf->export.fd >= 0;
	for (dbuf = guest->leaving; dbuf; dbuf = dbuf->next)
		num++;
	return num;
}

/* NULL, or why the buffer is none. */
static const char *export_dbuf(struct xd_guest *guest, struct xd_dbuf *dbuf)
{
	const char *why;

	if (dbuf->export.fd >= 0)
		return NULL;
	if (!guest->params.zero_copy)
		return "zero-copy is no";
	if (dbuf->shared)
		return "the buffer is memory of the backend";
	if (!guest->bus->ops->export)
		return "grants cannot be exported here";
	if (dbuf->no_export)
		return dbuf->no_export;
	if (count_exports(guest) >= MAX_EXPORTS)
		return "the guest shows too many buffers";
	if (guest->bus->ops->export(guest->bus, guest->params.child.domid,
				    dbuf->grefs, dbuf->desc.nr_pages,
				    &dbuf->export, &why)) {
		dbuf->export.fd = -1;
		dbuf->no_export = why;
	}
	return dbuf->no_export;
}

void xd_fb_offer(struct xd_conn *conn, struct xd_fb *fb,
		 const struct xd_image *image)
{
	struct xd_output *output = conn->guest->output;
	const uint32_t bit = 1u << conn->index;
	struct xd_dmabuf dmabuf;
	const char *why;

	if (!output->ops->import || fb->offered & bit)
		return;
	why = export_dbuf(conn->guest, fb->dbuf);
	if (why) {
		tell(conn, why);
		return;
	}
	dmabuf = (struct xd_dmabuf){
		.fd = fb->dbuf->export.fd,
		.offset = fb->dbuf->export.offset +
			(uint64_t)((const char *)image->data -
				   (const char *)fb->dbuf->addr),
		.size = fb->dbuf->export.size,
	};
	output->ops->import(output, conn->index, image, &dmabuf);
	fb->offered |= bit;
}

bool xd_dbuf_let_go(struct xd_guest *guest, struct xd_dbuf *dbuf)
{
	if (dbuf->export.fd < 0)
		return true;
	guest->bus->ops->unexport(guest->bus, &dbuf->export);
	if (!guest->bus->ops->exported(guest->bus, &dbuf->export))
		return true;
	dbuf->since = xd_now();
	dbuf->next = guest->leaving;
	guest->leaving = dbuf;
	xd_timer_set(&guest->leave, dbuf->since + LOOK);
	return false;
}

static void answer(struct xd_dbuf *dbuf)
{
	if (dbuf->answer_to)
		xd_conn_answer(dbuf->answer_to, dbuf->answer_id,
			       XENDISPL_OP_DBUF_DESTROY, 0);
	dbuf->answer_to = NULL;
}

/* A sink that lets go at its leisure is waited for, but not by the guest. */
static void look(void *ctx)
{
	struct xd_guest *guest = ctx;
	struct xd_dbuf **link = &guest->leaving;
	uint64_t now = xd_now(), next = LOOK_RARELY;

	while (*link) {
		struct xd_dbuf *dbuf = *link;

		if (!guest->bus->ops->exported(guest->bus, &dbuf->export)) {
			*link = dbuf->next;
			answer(dbuf);
			xd_dbuf_free(guest, dbuf);
			continue;
		}
		if (now - dbuf->since > PATIENCE)
			answer(dbuf);
		else
			next = LOOK;
		link = &dbuf->next;
	}
	if (guest->leaving)
		xd_timer_set(&guest->leave, now + next);
}

int xd_export_init(struct xd_guest *guest)
{
	return xd_timer_init(guest->loop, &guest->leave, look, guest);
}

/* What is still held is the kernel's to end: it knows who has it. */
void xd_export_finish(struct xd_guest *guest)
{
	xd_timer_finish(guest->loop, &guest->leave);
	while (guest->leaving) {
		struct xd_dbuf *dbuf = guest->leaving;

		guest->leaving = dbuf->next;
		xd_dbuf_free(guest, dbuf);
	}
}
