/* SPDX-License-Identifier: GPL-2.0-or-later */
/* badback: a backend that does one thing wrong. Shared by its files. */
#ifndef BADBACK_H
#define BADBACK_H

#include <stdbool.h>
#include <stdint.h>

#ifndef __XEN_TOOLS__
#define __XEN_TOOLS__ 1		/* newest interface version, as xenctrl.h does */
#endif
#include <xenevtchn.h>
#include <xengnttab.h>
#include <xenstore.h>

#define xen_mb()	__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define xen_rmb()	__atomic_thread_fence(__ATOMIC_ACQUIRE)
#define xen_wmb()	__atomic_thread_fence(__ATOMIC_RELEASE)
#include <xen/io/displif.h>
#include <xen/io/xenbus.h>

#define BAD_MAX_CONNS	4
#define BAD_MAX_LATE	64	/* requests whose answer waits */
#define BAD_RING_SIZE	__CONST_RING_SIZE(xen_displif, XENDISPL_EVENT_PAGE_SIZE)

/* of docs/protocol-extensions.md */
#define BAD_EVT_CONNECTOR	0x01

/**
 * struct bad_conn - one connector's channels, mapped
 * @ring: requests and responses
 * @page: events
 * @req_port: local end
 * @evt_port: local end
 * @evt_id: id of the next event
 */
struct bad_conn {
	struct xen_displif_back_ring ring;
	struct xendispl_event_page *page;
	evtchn_port_t req_port;
	evtchn_port_t evt_port;
	uint16_t evt_id;
};

/**
 * struct bad - one backend for one guest's device
 * @fe: the frontend's directory
 * @be: ours
 * @conns: connectors, once connected
 * @count: what was done wrong so far
 * @late: requests that are to be answered at @late_ms
 */
struct bad {
	struct xs_handle *xs;
	xengnttab_handle *gnt;
	xenevtchn_handle *evtchn;
	uint32_t domid;
	char fe[64];
	char be[64];
	struct bad_conn conns[BAD_MAX_CONNS];
	unsigned int num_conns;
	unsigned int count;
	struct {
		struct bad_conn *conn;
		struct xendispl_req req;
	} late[BAD_MAX_LATE];
	unsigned int num_late;
	uint64_t late_ms;
};

/**
 * struct bad_case - one thing to do wrong
 * @group: cases that are about the same
 * @times: how often, then it is over
 * @all: the frontend has to give the occasion for each of @times
 * @ms: it is over after so long in any case; 0: 2000
 * @nodes: "NAME=TEXT", separated by newlines, in our directory before InitWait
 * @answer: a request came; NULL: an honest answer
 * @connected: once, when both sides are Connected; may be NULL
 * @offered: once, before Connected, with the channels mapped; may be NULL
 * @run: instead of all of it; may be NULL
 * @refused: the frontend is expected not to connect
 */
struct bad_case {
	const char *group;
	const char *name;
	unsigned int times;
	unsigned int ms;
	const char *nodes;
	void (*answer)(struct bad *b, struct bad_conn *c,
		       const struct xendispl_req *req);
	void (*offered)(struct bad *b);
	void (*connected)(struct bad *b);
	void (*run)(struct bad *b);
	bool refused;
	bool all;
};

extern const struct bad_case bad_cases[];
extern const unsigned int bad_num_cases;

/* ---- badback-bus.c ---- */

__attribute__((noreturn, format(printf, 1, 2)))
void bad_die(const char *format, ...);
uint64_t bad_now_ms(void);
void bad_sleep_ms(unsigned int ms);
uint32_t bad_random(void);

/* XenStore, and the directories of domain @domid's vdispl/0. */
void bad_open(struct bad *b, uint32_t domid);
/* A node of one of the two directories: text to free(), or NULL. */
char *bad_read(struct bad *b, const char *dir, const char *node);
bool bad_read_number(struct bad *b, const char *dir, const char *node,
		     unsigned int *ret_value);
/* Nodes of our directory, and what the frontend's has as its state. */
void bad_write(struct bad *b, const char *node, const char *text);
void bad_state(struct bad *b, unsigned int state);
/* Waits for one of two frontend states; returns which, or 0 after @ms. */
unsigned int bad_wait_state(struct bad *b, unsigned int one, unsigned int other,
			    unsigned int ms);
/* "NAME=TEXT" lines, or with @undo none of these nodes. */
void bad_nodes(struct bad *b, const char *nodes, bool undo);
/*
 * An offer of ours; what another backend left would be taken for it. @versions:
 * NULL for no such node.
 */
void bad_write_offer(struct bad *b, const char *versions, const char *nodes);
/* A page of the guest's, writable; there has to be one. */
void *bad_map_ref(struct bad *b, uint32_t ref);
/* Maps and binds what the frontend published. */
void bad_map(struct bad *b);
void bad_unmap(struct bad *b);
/* From whatever there is to Initialised; false when it refuses. */
bool bad_offer(struct bad *b, const char *nodes);

/* ---- badback-wire.c: on the rings ---- */

void bad_serve(struct bad *b, const struct bad_case *bad_case, uint64_t until);
void bad_honest(struct bad *b, struct bad_conn *c,
		const struct xendispl_req *req);
/* A response of any content; returns where it is, to spoil it before push. */
struct xendispl_resp *bad_respond(struct bad_conn *c, uint16_t id, uint8_t op,
				  int32_t status);
void bad_push(struct bad *b, struct bad_conn *c);
void bad_event(struct bad *b, struct bad_conn *c, uint8_t type,
	       uint64_t cookie);
void bad_notify_events(struct bad *b, struct bad_conn *c);
/* Writes into the buffer of a GET_EDID, as far as its first page goes. */
void bad_write_edid(struct bad *b, const struct xendispl_req *req,
		    const void *data, size_t size);
/* Maps a buffer of the guest's for as long as badback runs. */
void bad_map_buffer(struct bad *b, const struct xendispl_req *req);
/* Fills the pages of a DBUF_CREATE's directory: gref I is fill(I). */
void bad_write_dir(struct bad *b, const struct xendispl_req *req,
		   uint32_t (*fill)(uint32_t i), uint32_t next);

#endif
