/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the supervisor and a worker: fixed-size messages over a
 * SOCK_SEQPACKET pair. A worker serves one connection of one device: it starts
 * when the frontend has published its channels, and its end is the end of the
 * connection.
 *
 * The supervisor trusts nothing a worker says beyond the form: a worker reads
 * what its guest writes.
 */
#ifndef XD_CORE_MESSAGE_H
#define XD_CORE_MESSAGE_H

#include <stdint.h>

#include "outputs/output.h"
#include "proto/decode.h"
#include "proto/limits.h"
#include "proto/nodes.h"

#define XD_GUEST_NAME_SIZE	64
#define XD_OUTPUT_NAME_SIZE	16
#define XD_USER_NAME_SIZE	33
#define XD_LINE_SIZE	320

enum xd_message_type {
	/* to the worker */
	XD_MSG_CONNECT = 1,	/* the first one, once; with the output's descriptor */
	XD_MSG_SCREENSHOT,	/* a descriptor comes back */
	XD_MSG_STATS,
	XD_MSG_RESIZE,
	XD_MSG_HOTPLUG,		/* monitors may have come or gone */
	XD_MSG_REOPENED,	/* answers REOPEN, with the output's descriptor */
	XD_MSG_ATTACH,		/* with the link to a viewer */
	XD_MSG_INPUT,		/* with where input of @conn goes to */
	/* to a process that serves a vkbd, the first one and the only one */
	XD_MSG_KEYBOARD,	/* with where input comes from */
	/* to a viewer, the first one and the only one */
	XD_MSG_VIEW,		/* with the client's socket */
	/* from the worker */
	XD_MSG_CONNECTED,	/* or why not: what failed at @step */
	XD_MSG_PICTURE,		/* answers SCREENSHOT, with @picture's pixels */
	XD_MSG_STATUS,		/* answers STATS */
	XD_MSG_RESIZED,		/* answers RESIZE */
	XD_MSG_REOPEN,		/* the output has lost its descriptor */
	XD_MSG_LINE,		/* for the log: it knows how many there were before */
	XD_MSG_SIZE,		/* the output gave @conn another preferred mode */
	XD_MSG_DENIED,		/* the last one: dies for system call @call */
};

/* What a worker does before it serves. */
enum xd_step {
	XD_STEP_CONNECT,	/* to its guest, which may be what fails */
	XD_STEP_BUS,
	XD_STEP_USER,
	XD_STEP_RIGHTS,
	XD_STEP_CALLS,
};

/**
 * struct xd_conn_params - one connector, checked by the supervisor
 * @width, @height: the configured resolution
 * @pref_width, @pref_height: what the monitor was resized to, else the same
 * @unique_id:	as the toolstack named it
 * @req_ref, @req_port: request ring
 * @evt_ref, @evt_port: event page
 */
struct xd_conn_params {
	uint32_t width;
	uint32_t height;
	uint32_t pref_width;
	uint32_t pref_height;
	char unique_id[XD_UNIQUE_ID_SIZE];
	uint32_t req_ref;
	uint32_t req_port;
	uint32_t evt_ref;
	uint32_t evt_port;
};

/**
 * struct xd_child - XD_MSG_VIEW, and what all first messages begin with
 * @domid, @devid: whom it serves
 * @guest:	its name
 * @output:	where its pictures go
 * @user:	as whom; "": see xd_sandbox_rights()
 * @options:	of the output
 * @verbose, @syslog: how it logs
 * @sandbox:	it gives up system calls
 */
struct xd_child {
	uint32_t domid;
	uint32_t devid;
	char guest[XD_GUEST_NAME_SIZE];
	char output[XD_OUTPUT_NAME_SIZE];
	char user[XD_USER_NAME_SIZE];
	struct xd_output_options options;
	uint32_t verbose;
	uint32_t syslog;
	uint32_t sandbox;
};

/* XD_MSG_CONNECT; @zero_copy: if it can be */
struct xd_connect {
	struct xd_child child;
	uint32_t millihertz;
	uint32_t zero_copy;
	struct xd_features features;
	struct xd_limits limits;
	uint32_t nr_conns;
	struct xd_conn_params conns[XD_MAX_CONNECTORS];
};

/**
 * struct xd_keyboard_params - XD_MSG_KEYBOARD
 * @gref, @port: of the guest's ring
 * @abs_pointer: positions, not movements
 * @width, @height: of what the pointer moves in: its positions' range, or pixels
 * @contacts:	of the touch screen; 0: the guest wants none
 * @touch_width, @touch_height: its size
 */
struct xd_keyboard_params {
	struct xd_child child;
	uint32_t gref;
	uint32_t port;
	uint32_t abs_pointer;
	uint32_t width;
	uint32_t height;
	uint32_t contacts;
	uint32_t touch_width;
	uint32_t touch_height;
};

/* XD_MSG_INPUT: @conn for all connectors */
#define XD_ALL_CONNECTORS	UINT32_MAX

/* Where input of a guest may go to. */
#define XD_MAX_KEYBOARDS	4

/**
 * struct xd_counters - they only grow, but for the last four
 * @frames:	flips that came on screen
 * @dropped:	flips that did not: the mode changed, or the picture went
 * @copied:	bytes of frames
 * @latency:	ns, of all frames, from the request to the screen
 * @worst_latency: ns, of one
 */
struct xd_counters {
	uint64_t requests;
	uint64_t errors;
	uint64_t flips;
	uint64_t frames;
	uint64_t dropped;
	uint64_t copied;
	uint64_t latency;
	uint64_t worst_latency;
	uint64_t violations;
	uint64_t dbufs;
	uint64_t fbs;
	uint64_t bytes;
	uint64_t mapped_pages;
};

/* A connector now; width and height are 0 when it is off. */
struct xd_conn_status {
	uint32_t width;
	uint32_t height;
	uint32_t pref_width;
	uint32_t pref_height;
	uint32_t broken;
};

/* XD_MSG_STATUS */
struct xd_status {
	struct xd_counters counters;
	struct xd_conn_status conns[XD_MAX_CONNECTORS];
};

/* XD_MSG_PICTURE: XRGB8888, in the descriptor from its start on */
struct xd_picture {
	uint32_t width;
	uint32_t height;
	uint32_t stride;
};

/**
 * struct xd_message - one packet
 * @type:	enum xd_message_type
 * @conn:	connector that is meant
 * @seq:	of the question, comes back in the answer
 * @err:	0 or -errno, in answers
 */
struct xd_message {
	uint32_t type;
	uint32_t conn;
	uint32_t seq;
	int32_t err;
	union {
		struct xd_child child;
		struct xd_connect connect;
		struct xd_keyboard_params keyboard;
		struct xd_status status;
		struct xd_picture picture;
		int32_t call;
		uint32_t step;
		struct {
			uint32_t warn;
			char text[XD_LINE_SIZE];
		} line;
		struct {
			uint32_t width;
			uint32_t height;
		} size;
	};
};

/**
 * xd_message_send() - send one, with a descriptor or -1
 * Return: 0 or -errno; -EAGAIN as xd_packet_send().
 */
int xd_message_send(int sock, const struct xd_message *msg, int fd);

/**
 * xd_message_receive() - take one
 * @ret_fd:	descriptor that came with it, the caller's, or -1
 *
 * Return: 1, 0 at the end, or -errno; -EPROTO for what is no message.
 */
int xd_message_receive(int sock, struct xd_message *msg, int *ret_fd);

/* For people: that @step could not be done. Any number will do. */
const char *xd_step_failed(uint32_t step);

#endif /* XD_CORE_MESSAGE_H */
