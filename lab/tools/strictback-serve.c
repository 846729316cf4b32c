// SPDX-License-Identifier: GPL-2.0-or-later
/* strictback on the rings: requests in, answers and frame-done events out. */
#include <errno.h>
#include <string.h>

#include "strictback.h"

#define HOLD_MS		30	/* for more requests to come */
#define NEVER		UINT64_MAX
#define RATE		60	/* frames a second */

/* The frame after the one that @ms is in. */
static uint64_t next_frame(uint64_t ms)
{
	return ((ms * RATE / 1000 + 1) * 1000 + RATE - 1) / RATE;
}

static bool is_flip(uint8_t op)
{
	return op == XENDISPL_OP_PG_FLIP;
}

static void add_frame(struct strict *s, struct strict_conn *c,
		      const struct xendispl_req *req, uint64_t now)
{
	uint64_t due = next_frame(now + s->manner->frame_ms);

	if (c->num_frames == STRICT_MAX_FRAMES)
		bad_die("more than %u flips wait for their frames",
			STRICT_MAX_FRAMES);
	c->frames[c->num_frames++] = (struct strict_frame) {
		.id = req->id,
		.cookie = req->op.pg_flip.fb_cookie,
		.due_ms = s->flips == STRICT_IGNORE ? NEVER : due,
	};
}

static void add_todo(struct strict *s, struct strict_conn *c,
		     const struct xendispl_req *req)
{
	uint64_t now = bad_now_ms();
	struct strict_todo *todo;

	if (c->num_todo == BAD_RING_SIZE)
		bad_die("more requests than the ring has room for");
	todo = &c->todo[c->num_todo++];
	*todo = (struct strict_todo) {
		.id = req->id,
		.op = req->operation,
		.cookie = req->op.dbuf_create.dbuf_cookie,
		.came_ms = now,
		.due_ms = now + s->manner->late_ms,
	};
	/* without an EDID the frontend takes the resolution of its node */
	if (req->operation == XENDISPL_OP_GET_EDID)
		todo->status = -EOPNOTSUPP;
	if (!is_flip(req->operation))
		return;
	if (s->flips == STRICT_REFUSE) {
		todo->status = -EIO;
		return;
	}
	add_frame(s, c, req, now);
	if (s->flips == STRICT_IGNORE || s->manner->early)
		todo->due_ms = NEVER;	/* the end of that, or its event says */
}

static void take_requests(struct strict *s, unsigned int conn)
{
	struct bad_conn *bc = &s->bad.conns[conn];
	RING_IDX prod = bc->ring.sring->req_prod;
	int more;

	xen_rmb();
	do {
		if (RING_REQUEST_PROD_OVERFLOW(&bc->ring, prod))
			bad_die("connector %u: %u requests on the ring", conn,
				prod - bc->ring.req_cons);
		while (bc->ring.req_cons != prod) {
			struct xendispl_req req;

			RING_COPY_REQUEST(&bc->ring, bc->ring.req_cons, &req);
			bc->ring.req_cons++;
			strict_check(s, conn, &req);
			add_todo(s, &s->conns[conn], &req);
		}
		RING_FINAL_CHECK_FOR_REQUESTS(&bc->ring, more);
		prod = bc->ring.sring->req_prod;
		xen_rmb();
	} while (more);
}

/* ---- answers ---- */

static void answer(struct strict *s, unsigned int conn, unsigned int index)
{
	struct bad_conn *bc = &s->bad.conns[conn];
	struct strict_conn *c = &s->conns[conn];
	struct strict_todo todo = c->todo[index];
	int notify = 1;

	c->num_todo--;
	memmove(&c->todo[index], &c->todo[index + 1],
		(c->num_todo - index) * sizeof(todo));
	strict_check_answer(s, &todo);
	bad_respond(bc, todo.id, todo.op, todo.status);
	if (s->manner->hint)
		RING_PUSH_RESPONSES_AND_CHECK_NOTIFY(&bc->ring, notify);
	else
		RING_PUSH_RESPONSES(&bc->ring);
	if (notify)
		xenevtchn_notify(s->bad.evtchn, bc->req_port);
}

/* When enough have come, or the first has waited for others, the newest is first. */
static void answer_newest(struct strict *s, unsigned int conn, uint64_t now)
{
	struct strict_conn *c = &s->conns[conn];
	unsigned int i;

	if (c->num_todo < s->manner->hold &&
	    (!c->num_todo || now < c->todo[0].came_ms + HOLD_MS))
		return;
	for (i = c->num_todo; i--;)
		if (c->todo[i].due_ms <= now)
			answer(s, conn, i);
}

static void answer_oldest(struct strict *s, unsigned int conn, uint64_t now)
{
	struct strict_conn *c = &s->conns[conn];
	unsigned int i = 0;

	while (i < c->num_todo)
		if (c->todo[i].due_ms <= now)
			answer(s, conn, i);
		else
			i++;
}

/* ---- events ---- */

static struct strict_todo *find_todo(struct strict_conn *c, uint16_t id)
{
	for (unsigned int i = 0; i < c->num_todo; i++)
		if (c->todo[i].id == id)
			return &c->todo[i];
	return NULL;
}

/* Is the frontend's index where it can be? Returns whether there is room. */
static bool check_page(struct strict *s, unsigned int conn)
{
	struct xendispl_event_page *page = s->bad.conns[conn].page;
	struct strict_conn *c = &s->conns[conn];
	uint32_t cons = page->in_cons;
	uint32_t sent = page->in_prod - c->in_cons;

	xen_rmb();
	if (cons - c->in_cons > sent) {
		strict_wrong(s, "connector %u: in_cons is %u, was %u, with in_prod %u",
			     conn, cons, c->in_cons, page->in_prod);
		cons = page->in_prod;
	}
	c->in_cons = cons;
	return page->in_prod - cons < XENDISPL_IN_RING_LEN;
}

static void send_frames(struct strict *s, unsigned int conn, uint64_t now)
{
	struct strict_conn *c = &s->conns[conn];

	while (check_page(s, conn) && c->num_frames &&
	       c->frames[0].due_ms <= now) {
		struct strict_frame frame = c->frames[0];
		struct strict_todo *todo = find_todo(c, frame.id);

		if (todo && !s->manner->early)
			return;
		c->num_frames--;
		memmove(&c->frames[0], &c->frames[1],
			c->num_frames * sizeof(frame));
		bad_event(&s->bad, &s->bad.conns[conn], XENDISPL_EVT_PG_FLIP,
			  frame.cookie);
		if (todo)
			todo->due_ms = now + s->manner->late_ms;
	}
}

/* ---- both ---- */

void strict_serve(struct strict *s)
{
	uint64_t now;

	for (unsigned int i = 0; i < s->bad.num_conns; i++)
		take_requests(s, i);
	now = bad_now_ms();
	for (unsigned int i = 0; i < s->bad.num_conns; i++) {
		if (s->manner->early)
			send_frames(s, i, now);
		if (s->manner->hold)
			answer_newest(s, i, now);
		else
			answer_oldest(s, i, now);
		send_frames(s, i, now);
	}
}

void strict_finish(struct strict *s)
{
	unsigned int left;

	strict_set_flips(s, STRICT_SHOW);
	do {
		strict_serve(s);
		left = 0;
		for (unsigned int i = 0; i < s->bad.num_conns; i++)
			left += s->conns[i].num_todo;
		if (left)
			bad_sleep_ms(1);
	} while (left);
}

int strict_pause(const struct strict *s)
{
	uint64_t now = bad_now_ms(), due = now + 200;

	for (unsigned int i = 0; i < s->bad.num_conns; i++) {
		const struct strict_conn *c = &s->conns[i];

		for (unsigned int k = 0; k < c->num_todo; k++) {
			uint64_t at = c->todo[k].due_ms;

			if (s->manner->hold && at < c->todo[0].came_ms + HOLD_MS)
				at = c->todo[0].came_ms + HOLD_MS;
			due = at < due ? at : due;
		}
		if (c->num_frames && c->frames[0].due_ms < due)
			due = c->frames[0].due_ms;
	}
	return due > now ? (int)(due - now) : 1;
}

void strict_set_flips(struct strict *s, enum strict_flips flips)
{
	uint64_t now = bad_now_ms();

	s->flips = flips;
	if (flips == STRICT_IGNORE)
		return;
	for (unsigned int i = 0; i < s->bad.num_conns; i++) {
		struct strict_conn *c = &s->conns[i];

		for (unsigned int k = 0; k < c->num_frames; k++)
			if (c->frames[k].due_ms == NEVER)
				c->frames[k].due_ms = now;
		for (unsigned int k = 0; k < c->num_todo; k++)
			if (c->todo[k].due_ms == NEVER && !s->manner->early)
				c->todo[k].due_ms = now;
	}
}
