// SPDX-License-Identifier: GPL-2.0-or-later
/* What badback does wrong: EDIDs, page directories, nodes, states. */
#include <errno.h>
#include <string.h>

#include "badback-more.h"

#define EDID_SIZE	128
#define EDID_GOOD	3	/* of make_edid */
#define SETTLE_MS	100	/* for the guest to look at a state */

/* ---- EDIDs ---- */

/* The next event makes the frontend ask once more. */
static void ask_again(struct bad *b, struct bad_conn *c)
{
	b->count++;
	bad_event(b, c, BAD_EVT_CONNECTOR, 1);
}

void bad_edid_sizes(struct bad *b, struct bad_conn *c,
		    const struct xendispl_req *req)
{
	static const uint32_t sizes[] = {
		0, 1, 127, 129, 32768 + 128, UINT32_MAX, 0x80000000, 32768, 128,
	};
	struct xendispl_resp *resp;

	if (req->operation != XENDISPL_OP_GET_EDID) {
		bad_honest(b, c, req);
		return;
	}
	resp = bad_respond(c, req->id, req->operation, 0);
	resp->op.get_edid.edid_sz =
		sizes[b->count % (sizeof(sizes) / sizeof(sizes[0]))];
	bad_push(b, c);
	ask_again(b, c);
}

static void fix_sum(uint8_t *block)
{
	uint8_t sum = 0;

	for (unsigned int i = 0; i < EDID_SIZE - 1; i++)
		sum += block[i];
	block[EDID_SIZE - 1] = -sum;
}

/* A base block whose header and checksum are right, and an extension block. */
static size_t make_edid(uint8_t *edid, unsigned int turn)
{
	static const uint8_t header[] = {
		0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0,
	};
	unsigned int i;

	memset(edid, 0, 2 * EDID_SIZE);
	for (i = 0; turn && i < EDID_SIZE; i++)
		edid[i] = bad_random();
	if (turn < 2)
		return EDID_SIZE;	/* nothing, and noise */
	memcpy(edid, header, sizeof(header));
	edid[18] = 1;
	edid[19] = 3;
	edid[126] = 0;
	switch (turn) {
	case 2:	/* more extensions than there are */
		edid[126] = 255;
		break;
	case 3:	/* noise in the timings */
		break;
	case 4:	/* the largest timing */
		memset(edid + 54, 0xff, 18);
		break;
	case 5:	/* one of no size: no pixels, but a clock */
		memset(edid + 54, 0, 72);
		edid[54] = 1;
		break;
	case 6:	/* descriptors of every kind, without an end of their texts */
		for (i = 0; i < 4; i++) {
			memset(edid + 54 + 18 * i, 0xff, 18);
			memset(edid + 54 + 18 * i, 0, 3);
			edid[57 + 18 * i] = 0xfc + i;
		}
		break;
	default: /* a CEA extension that claims more than a block holds */
		edid[126] = 1;
		memset(edid + EDID_SIZE, 0xff, EDID_SIZE);
		edid[EDID_SIZE] = 2;
		edid[EDID_SIZE + 1] = 3;
		edid[EDID_SIZE + 4] = turn == 7 ? 0xe2 : 0xff;
		edid[EDID_SIZE + 5] = 0x78;	/* HF-EEODB: 255 blocks */
		fix_sum(edid + EDID_SIZE);
	}
	fix_sum(edid);
	return edid[126] == 1 ? 2 * EDID_SIZE : EDID_SIZE;
}

void bad_edid_texts(struct bad *b, struct bad_conn *c,
		    const struct xendispl_req *req)
{
	uint8_t edid[2 * EDID_SIZE];
	size_t size;

	if (req->operation != XENDISPL_OP_GET_EDID) {
		bad_honest(b, c, req);
		return;
	}
	size = make_edid(edid, b->count);
	bad_write_edid(b, req, edid, sizeof(edid));
	bad_respond(c, req->id, req->operation, 0)->op.get_edid.edid_sz = size;
	bad_push(b, c);
	ask_again(b, c);
}

void bad_edid_silent(struct bad *b, struct bad_conn *c,
		     const struct xendispl_req *req)
{
	if (req->operation != XENDISPL_OP_GET_EDID)
		bad_honest(b, c, req);
}

/* After an honest answer another monitor, about which the first question is not
 * answered: there has to be one more. */
void bad_edid_slow(struct bad *b, struct bad_conn *c,
		   const struct xendispl_req *req)
{
	uint8_t edid[2 * EDID_SIZE];

	if (req->operation != XENDISPL_OP_GET_EDID) {
		bad_honest(b, c, req);
		return;
	}
	if (b->count == 1) {
		b->count++;
		return;
	}
	bad_write_edid(b, req, edid, make_edid(edid, EDID_GOOD));
	bad_respond(c, req->id, req->operation, 0)->op.get_edid.edid_sz =
		EDID_SIZE;
	bad_push(b, c);
	if (b->count == 0)
		ask_again(b, c);
	else
		b->count++;
}

/* ---- page directories of buffers that the backend allocates ---- */

static void answer_create(struct bad *b, struct bad_conn *c,
			  const struct xendispl_req *req,
			  uint32_t (*fill)(uint32_t i), uint32_t next)
{
	if (req->operation == XENDISPL_OP_DBUF_CREATE) {
		if (fill)
			bad_write_dir(b, req, fill, next);
		b->count++;
	}
	bad_honest(b, c, req);
}

static uint32_t fill_ones(uint32_t i)
{
	return UINT32_MAX;
}

static uint32_t fill_same(uint32_t i)
{
	return 8;
}

static uint32_t fill_counted(uint32_t i)
{
	return i;
}

static uint32_t fill_random(uint32_t i)
{
	return bad_random();
}

void bad_dir_untouched(struct bad *b, struct bad_conn *c,
		       const struct xendispl_req *req)
{
	answer_create(b, c, req, NULL, 0);
}

void bad_dir_ones(struct bad *b, struct bad_conn *c,
		  const struct xendispl_req *req)
{
	answer_create(b, c, req, fill_ones, 0);
}

void bad_dir_repeated(struct bad *b, struct bad_conn *c,
		      const struct xendispl_req *req)
{
	answer_create(b, c, req, fill_same, 0);
}

void bad_dir_cyclic(struct bad *b, struct bad_conn *c,
		    const struct xendispl_req *req)
{
	answer_create(b, c, req, fill_counted,
		      req->op.dbuf_create.gref_directory);
}

void bad_dir_random(struct bad *b, struct bad_conn *c,
		    const struct xendispl_req *req)
{
	answer_create(b, c, req, fill_random, 0xfffffff0);
}

/* Maps all pages of a buffer, read-only like an honest one, and keeps them. */
void bad_hold(struct bad *b, struct bad_conn *c,
	      const struct xendispl_req *req)
{
	if (req->operation == XENDISPL_OP_DBUF_CREATE) {
		bad_map_buffer(b, req);
		b->count++;
	}
	bad_honest(b, c, req);
}

/* ---- states ---- */

void bad_state_texts(struct bad *b)
{
	static const char *const texts[] = {
		"", "foo", "-1", "99", "9", "4294967300", "4x", " 4", "0x4",
		"7", "8", "3", "0",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		bad_write(b, "state", texts[i]);
		bad_sleep_ms(SETTLE_MS);
		b->count++;
	}
}

void bad_state_gone(struct bad *b)
{
	char path[80];

	bad_offer(b, NULL);
	strcpy(path, b->be);
	strcat(path, "/state");
	xs_rm(b->xs, XBT_NULL, path);
	bad_sleep_ms(SETTLE_MS);
	b->count++;
}

void bad_connected_at_once(struct bad *b)
{
	bad_state(b, XenbusStateInitialising);
	if (!bad_wait_state(b, XenbusStateInitialising, XenbusStateInitialising,
			    20000))
		bad_die("the frontend does not start over");
	bad_state(b, XenbusStateConnected);
	bad_sleep_ms(SETTLE_MS);
	b->count++;
}

void bad_never_connected(struct bad *b)
{
	bad_offer(b, NULL);
	bad_sleep_ms(SETTLE_MS);
	b->count++;
}

/* With requests and rings still mapped. */
void bad_closed_at_once(struct bad *b)
{
	bad_offer(b, NULL);
	bad_map(b);
	bad_state(b, XenbusStateConnected);
	bad_wait_state(b, XenbusStateConnected, XenbusStateConnected, 20000);
	bad_state(b, XenbusStateClosed);
	bad_wait_state(b, XenbusStateInitialising, XenbusStateClosed, 20000);
	bad_unmap(b);
	b->count++;
}

void bad_closing_stays(struct bad *b)
{
	bad_offer(b, NULL);
	bad_state(b, XenbusStateClosing);
	bad_sleep_ms(SETTLE_MS);
	b->count++;
}

/* As fast as XenStore takes it, with each state in any order. */
void bad_flapping(struct bad *b)
{
	for (unsigned int i = 0; i < 200; i++) {
		bad_state(b, bad_random() % 9);
		b->count++;
	}
	/* and as fast as the frontend follows, rings kept mapped */
	for (unsigned int i = 0; i < 8; i++) {
		if (!bad_offer(b, NULL))
			bad_die("the frontend refused an honest offer");
		bad_map(b);
		bad_state(b, XenbusStateConnected);
		bad_wait_state(b, XenbusStateConnected, XenbusStateConnected,
			       20000);
		b->count++;
	}
}

/* Connected, but nothing mapped and no port bound. */
void bad_unmapped(struct bad *b)
{
	bad_offer(b, NULL);
	bad_state(b, XenbusStateConnected);
	bad_wait_state(b, XenbusStateConnected, XenbusStateConnected, 20000);
	bad_sleep_ms(4000);
	b->count++;
}
