/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process that owns XenStore: finds the devices, drives their states,
 * starts a worker for each connection, answers the control socket.
 */
#ifndef XD_CORE_SUPERVISOR_H
#define XD_CORE_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/log.h"
#include "base/loop.h"
#include "core/config.h"
#include "core/message.h"
#include "outputs/output.h"
#include "xen/port.h"

/* Values of the xenbus states, as in xen/io/xenbus.h. */
enum xd_state {
	XD_STATE_UNKNOWN,
	XD_STATE_INITIALISING,
	XD_STATE_INIT_WAIT,
	XD_STATE_INITIALISED,
	XD_STATE_CONNECTED,
	XD_STATE_CLOSING,
	XD_STATE_CLOSED,
	XD_STATE_RECONFIGURING,
	XD_STATE_RECONFIGURED,
	XD_NUM_STATES
};

struct xd_supervisor;
struct xd_device;

/* Viewers of a device at a time. */
#define XD_MAX_VIEWERS	16

/* Where viewers of a connector come to. @inode: of a socket in a directory */
struct xd_listener {
	struct xd_device *dev;
	unsigned int conn;
	struct xd_source source;	/* its descriptor is ours; -1: none */
	char address[XD_ADDRESS_SIZE];
	ino_t inode;
};

/**
 * struct xd_device - a vdispl of a guest
 * @be_path:	our directory
 * @fe_path:	the guest's
 * @guest:	its name, for logs
 * @fe_state:	the frontend's, as read last
 * @be_state:	ours, as written last
 * @online:	the toolstack wants the device
 * @worker:	0 when none runs
 * @sock:	to the worker, -1 when none runs
 * @connect:	what the worker was started with
 * @changed:	its watch fired since the nodes were read
 * @offered:	what this backend can is written
 * @reset:	the connection that was there when we came is over
 * @refused:	what the frontend published cannot be connected to; cleared when
 *		it leaves Initialised
 * @tries:	to connect to it that failed for what may be the guest's fault
 * @connected:	so the worker says
 * @has_told:	why it could not connect
 * @killed:	the worker, by us: its death is no failure
 * @cause:	what the log was told last of why there is no connection; @err 0: since
 *		there was one, nothing
 * @failures:	workers that died in a row
 * @pause_ms:	that the last of them was followed by
 * @started:	ns, when the worker was
 * @retry:	when another may be started, if @waiting
 * @parting:	we are Closing since the frontend is, until @parted
 * @connects:	since @connects_since, ns
 * @owes_hotplug: it was not told that monitors may have come or gone
 * @sizes:	that its output gave connectors; those of @sizes_due, a bit each, are
 *		not in XenStore yet
 * @sizes_timer: when they may be
 * @question:	of the control socket, that the worker has not answered; 0: none
 * @listeners:	while a worker runs
 * @viewers:	their processes, 0: none
 */
struct xd_device {
	struct xd_device *next;
	struct xd_supervisor *sup;
	uint32_t domid;
	uint32_t devid;
	char be_path[96];
	char fe_path[96];
	char guest[XD_GUEST_NAME_SIZE];
	enum xd_state fe_state;
	enum xd_state be_state;
	bool changed;
	bool online;
	bool present;
	bool offered;
	bool reset;
	bool refused;
	unsigned int tries;
	pid_t worker;
	bool connected;
	bool has_told;
	bool killed;
	int sock;
	struct xd_source sock_source;
	struct xd_timer retry;
	bool waiting;
	struct xd_timer parted;
	bool parting;
	struct {
		uint32_t step;
		int err;
	} cause;
	unsigned int failures;
	unsigned int pause_ms;
	uint64_t started;
	uint64_t connects_since;
	unsigned int connects;
	struct xd_log_limit log_limit;
	uint64_t reopened;
	int open_err;
	bool owes_hotplug;
	struct xd_connect connect;
	struct {
		uint32_t width;
		uint32_t height;
	} sizes[XD_MAX_CONNECTORS];
	uint32_t sizes_due;
	struct xd_timer sizes_timer;
	uint32_t question;
	struct xd_listener listeners[XD_MAX_CONNECTORS];
	pid_t viewers[XD_MAX_VIEWERS];
};

struct xd_keyboard;

struct xd_supervisor {
	struct xd_loop *loop;
	struct xd_store *store;
	const struct xd_config *config;
	uint32_t domid;			/* our own */
	char root[64];			/* of all our devices */
	struct xd_device *devices;
	struct xd_keyboard *keyboards;
	struct xd_source store_source;
	struct xd_timer again;		/* to look at everything */
	unsigned int again_ms;		/* after so long, 0: at the first time */
	bool unsure;			/* some call of XenStore failed */
	struct xd_timer beat;		/* is xenstored there? */
	bool lost;			/* it is not */
	struct xd_log_limit log_limit;
	struct xd_source host_source;
	const struct xd_output_ops *host_ops;	/* whose monitors are watched */
	bool rescan;			/* devices may have come or gone */
	bool closing;
	struct xd_control *control;
	pid_t (*spawn)(int sock);
};

/* supervisor.c */

/**
 * xd_supervisor_start() - take over all devices of this domain
 * @spawn:	starts a child on its end of a socket, which stays the caller's: the
 *		process or -errno
 *
 * Return: 0 or -errno, logged.
 */
int xd_supervisor_start(struct xd_supervisor *sup, struct xd_loop *loop,
			struct xd_store *store, const struct xd_config *config,
			pid_t (*spawn)(int sock));

/* A child ended: to be called for each that was waited for. */
void xd_supervisor_child(struct xd_supervisor *sup, pid_t pid, int status);

/* Close all devices; the loop quits when all workers are gone. */
void xd_supervisor_close(struct xd_supervisor *sup);
void xd_supervisor_finish(struct xd_supervisor *sup);

/*
 * Nobody could be let in, with @err. Where there is no room for one more the
 * source would tell us so without end: it rests until we look again.
 */
void xd_rest_if_full(struct xd_supervisor *sup, struct xd_source *source,
		     int err);
void xd_listen_again(struct xd_supervisor *sup, struct xd_source *source);

/* For each device below @root, as .../DOMID/DEVID. */
void xd_scan_devices(struct xd_supervisor *sup, const char *root,
		     void (*found)(struct xd_supervisor *sup, uint32_t domid,
				   uint32_t devid));

/* The domain's name, for people and the configuration; "?" if it has none. */
void xd_read_guest_name(struct xd_supervisor *sup, uint32_t domid,
			char name[XD_GUEST_NAME_SIZE]);

/*
 * The device is closed; its directory @be_path goes if it was taken away. In dom0
 * the toolstack removes it; for one of another domain libxl waits until that
 * domain does.
 */
void xd_drop_directory(struct xd_supervisor *sup, const char *be_path);

/* store.c */

/* How often an idle daemon looks whether xenstored is there; tests cannot wait so long. */
extern unsigned int xd_store_beat_ms;

/*
 * Begins to look: 0 or -errno. Nothing tells us that xenstored has ended. Once a call
 * finds out the loop ends, with @lost set; another daemon finds all devices again.
 */
int xd_store_watch_over(struct xd_supervisor *sup);

/*
 * As in port.h. An error that says nothing about what is in XenStore is logged,
 * sets @unsure, and everything is looked at again before long: who is to act on
 * what he read has to see first that @unsure is not set.
 */
char *xd_read(struct xd_supervisor *sup, const char *path);
int xd_write(struct xd_supervisor *sup, const char *path, const char *text);
void xd_remove(struct xd_supervisor *sup, const char *path);
char **xd_list(struct xd_supervisor *sup, const char *path,
	       unsigned int *ret_num);
bool xd_domain_alive(struct xd_supervisor *sup, uint32_t domid);

/* 0, also when it is there already, or -errno, which is for the caller. */
int xd_watch(struct xd_supervisor *sup, const char *path, const char *token);

/* Something could not be done that nothing will remind us of. */
void xd_look_again(struct xd_supervisor *sup);

/* Everything was looked at again. */
void xd_looked_again(struct xd_supervisor *sup);

/* keyboards.c: vkbd devices, which tell guests what outputs tell */

int xd_keyboards_start(struct xd_supervisor *sup);
void xd_keyboards_finish(struct xd_supervisor *sup);

/* Something changed: look at all of them. */
void xd_keyboards_scan(struct xd_supervisor *sup);

/* Was it a keyboard's worker that ended? */
bool xd_keyboards_ended(struct xd_supervisor *sup, pid_t pid, int status);

/* Does none have a worker any more? */
bool xd_keyboards_closed(const struct xd_supervisor *sup);

/*
 * Input of this device, whose worker has been started, goes to its guest's: 0 or
 * -errno, and then it does not.
 */
int xd_keyboards_join(struct xd_device *dev);

/* That worker has ended: whatever it held down goes up. */
void xd_keyboards_leave(struct xd_device *dev);

/* device.c */

/* 0 with the device, or -errno */
int xd_device_create(struct xd_supervisor *sup, uint32_t domid, uint32_t devid,
		     struct xd_device **ret_dev);
void xd_device_destroy(struct xd_device *dev);

/* Something changed: read the nodes again and act. */
void xd_device_update(struct xd_device *dev);

/* Writes our state, if it is another one. */
void xd_device_set_state(struct xd_device *dev, enum xd_state state);

/* What we lack may come, and is not the guest's fault: no worker for so long. */
void xd_device_wait(struct xd_device *dev, unsigned int ms);

/* Lines about a guest that it can cause at will: together so many in a while. */
void xd_device_warn(struct xd_device *dev, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void xd_device_info(struct xd_device *dev, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* workers.c: the process of a connection */

/* With the device's @connect, and its output's descriptor or -1: 0 or -errno. */
int xd_device_start_worker(struct xd_device *dev, int output_fd);
void xd_device_kill_worker(struct xd_device *dev);
void xd_device_worker_ended(struct xd_device *dev, int status);
void xd_device_close_sock(struct xd_device *dev);

/* viewers.c: those who look at a device, a process each */

/* Begins to listen where the device's output wants to: 0 or -errno. */
int xd_viewers_start(struct xd_device *dev);

/* Whoever waits to be let in is. */
void xd_viewers_listen(struct xd_device *dev);
void xd_viewers_finish(struct xd_device *dev);

/* Was it a viewer of this device that ended? */
bool xd_viewers_ended(struct xd_device *dev, pid_t pid, int status);

/* nodes.c */

/* What each child has to know; @config is the guest's. */
void xd_fill_child(const struct xd_config *config, uint32_t domid,
		   uint32_t devid, const char *guest, struct xd_child *child);

/*
 * The next connections of the device begin with this size, also those of a
 * daemon that comes after this one: a client may be in that mode. 0 or -errno.
 */
int xd_device_remember_size(struct xd_device *dev, unsigned int conn,
			    uint32_t width, uint32_t height);

/* The same of what a worker says, which may be anything, at any rate. */
void xd_device_new_size(struct xd_device *dev, const struct xd_message *msg);

/* What @sizes_timer, or the end of the worker, has to do. */
void xd_device_write_sizes(struct xd_device *dev);

/* Has the guest published other channels than the worker was started with? */
bool xd_device_has_other_channels(struct xd_device *dev);

/* What the guest published, checked; 0 or -errno, logged. */
int xd_device_read_params(struct xd_device *dev, struct xd_connect *connect);

/* Says in our directory which extensions a frontend may ask for: 0 or -errno. */
int xd_device_offer_extensions(struct xd_device *dev);

/* host.c: what an output needs that takes rights */

/* 0, with the descriptor of the output or -1, or -errno. */
int xd_device_open_output(struct xd_device *dev, int *ret_fd);

/* The worker has ended, and its descriptor with it. */
void xd_device_closed_output(struct xd_device *dev);

/* Tells workers what they are owed of monitors that come and go. */
void xd_host_tell(struct xd_supervisor *sup);

void xd_host_finish(struct xd_supervisor *sup);

/* The worker has lost it, and gets another one, or why there is none. */
void xd_device_reopen_output(struct xd_device *dev);

/* control.c */

/* How long a worker may take for an answer; tests cannot wait for so long. */
extern unsigned int xd_control_patience_ms;

int xd_control_start(struct xd_supervisor *sup);
void xd_control_finish(struct xd_supervisor *sup);

/* Whoever waits to ask is let in again. */
void xd_control_listen(struct xd_supervisor *sup);

/* A worker answered; @fd is the callee's. */
void xd_control_answer(struct xd_device *dev, const struct xd_message *msg,
		       int fd);
/* A worker is gone: what was asked of it will not be answered. */
void xd_control_lost(struct xd_device *dev);

#endif /* XD_CORE_SUPERVISOR_H */
