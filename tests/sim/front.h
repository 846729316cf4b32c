/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest's displif frontend in user space, on the fake machine, and the few
 * things a toolstack does for it. Honest by itself; the hostile tests reach
 * into its rings and pages.
 *
 * Calls that wait end the test when nothing comes within SIM_TIMEOUT_MS.
 */
#ifndef TESTS_SIM_FRONT_H
#define TESTS_SIM_FRONT_H

#include "fake.h"
#include "proto/abi.h"
#include "proto/format.h"
#include "sim.h"


#define SIM_MAX_CONNS	4
#define SIM_MAX_EVENTS	2048

enum sim_state {		/* XenbusState */
	SIM_INITIALISING = 1,
	SIM_INIT_WAIT = 2,
	SIM_INITIALISED = 3,
	SIM_CONNECTED = 4,
	SIM_CLOSING = 5,
	SIM_CLOSED = 6,
};

/**
 * struct sim_conn - a connector, the guest's end
 * @ring, @evt_page: the shared pages; @front: our end of the ring
 * @next_id:	of requests
 * @events:	the latest that came since connecting, copied out of the page
 * @nr_events:	all that came
 */
struct sim_conn {
	struct sim_front *front;
	unsigned int index;
	struct xen_displif_sring *ring;
	struct xendispl_event_page *evt_page;
	struct xen_displif_front_ring ring_front;
	uint32_t req_ref, evt_ref;
	uint32_t req_port, evt_port;
	uint16_t next_id;
	struct xendispl_evt events[SIM_MAX_EVENTS];
	unsigned int nr_events;
	bool hold_events;	/* leave them in the page */
};

struct sim_front {
	struct fake *fake;
	uint32_t domid;
	uint32_t devid;
	unsigned int nr_conns;
	struct sim_conn conn[SIM_MAX_CONNS];
	bool has_channels;
};

/**
 * struct sim_buf - a display buffer of the guest
 * @pages:	its memory, in the guest's order
 * @size:	bytes on the wire
 * @dir:	directory pages, @nr_dir of them, @dir_refs their grants
 */
struct sim_buf {
	uint64_t cookie;
	uint32_t width, height, bpp, size;
	uint8_t *pages;
	uint32_t nr_pages;
	uint32_t *grefs;
	uint32_t (*dir)[1024];
	uint32_t nr_dir;
	uint32_t *dir_refs;
};

/* Toolstack: what `xl create` writes for a guest with such a vdispl. */
void sim_guest_create(struct sim_front *front, struct fake *fake,
		      uint32_t domid, unsigned int nr_conns,
		      const char *const *resolutions);

/* Another vdispl of a guest. */
void sim_device_create(struct sim_front *front, struct fake *fake,
		       uint32_t domid, uint32_t devid, unsigned int nr_conns,
		       const char *const *resolutions);

/* `xl destroy`: the domain dies, then its directories go. */
void sim_guest_destroy(struct sim_front *front);

/* Nodes of the frontend's and the backend's directory. */
void sim_front_write(struct sim_front *front, const char *node,
		     const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
char *sim_front_read(struct sim_front *front, const char *node);
char *sim_back_read(struct sim_front *front, const char *node);
void sim_set_state(struct sim_front *front, enum sim_state state);
void sim_set_online(struct sim_front *front, bool online);
int sim_back_state(struct sim_front *front);
void sim_wait_back_state(struct sim_front *front, enum sim_state state);

/* Channels: made and published by the one, forgotten by the other. */
void sim_channels_create(struct sim_front *front);
void sim_channels_free(struct sim_front *front);

/* All of it, up to Connected at both ends. @version 0 writes none. */
void sim_connect(struct sim_front *front, unsigned int version);

/* Closed in order; afterwards no grant may be mapped. */
void sim_disconnect(struct sim_front *front);

/* Requests. */
struct xendispl_req *sim_next_slot(struct sim_conn *conn, uint8_t op);
uint16_t sim_push(struct sim_conn *conn);
bool sim_poll_response(struct sim_conn *conn, struct xendispl_resp *resp);
void sim_wait_response(struct sim_conn *conn, struct xendispl_resp *resp);

/* Pushes what is in the slot and waits for exactly its answer's status. */
int32_t sim_call(struct sim_conn *conn);

/* Verbs: they return the status. */
int32_t sim_dbuf_create(struct sim_front *front, struct sim_buf *buf);
int32_t sim_dbuf_destroy(struct sim_front *front, uint64_t cookie);
int32_t sim_fb_attach(struct sim_front *front, uint64_t dbuf, uint64_t fb,
		      uint32_t width, uint32_t height, uint32_t format);

/* With the extension `stride`: in bytes, @offset to pixel (0,0). */
int32_t sim_fb_attach_at(struct sim_front *front, uint64_t dbuf, uint64_t fb,
			 uint32_t width, uint32_t height, uint32_t format,
			 uint32_t stride, uint32_t offset);
int32_t sim_fb_detach(struct sim_front *front, uint64_t fb);
int32_t sim_set_config(struct sim_conn *conn, uint64_t fb, uint32_t width,
		       uint32_t height, uint32_t bpp);
int32_t sim_flip(struct sim_conn *conn, uint64_t fb);

/* Events: takes what came; waits until @n have come since connecting. */
void sim_take_events(struct sim_conn *conn);
bool sim_have_events(struct sim_conn *conn, unsigned int n, int timeout_ms);
void sim_wait_events(struct sim_conn *conn, unsigned int n);

/* Buffers: memory, grants and directory, nothing on the wire. */
void sim_buf_init(struct sim_buf *buf, struct sim_front *front,
		  uint64_t cookie, uint32_t width, uint32_t height,
		  uint32_t bpp);

/* Pages the backend may write; a buffer that is not on the wire. */
void sim_buf_grant_writable(struct sim_buf *buf, struct sim_front *front);
void sim_buf_finish(struct sim_buf *buf, struct sim_front *front);

/* A picture that depends on @seed in each pixel, XRGB8888. */
void sim_buf_draw(struct sim_buf *buf, uint32_t seed);
uint32_t sim_pixel(uint32_t seed, uint32_t x, uint32_t y);

#endif /* TESTS_SIM_FRONT_H */
