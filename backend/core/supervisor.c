/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/log.h"
#include "core/supervisor.h"
#include "proto/nodes.h"

#define MAX_DOMID	0x7ff0u
#define MAX_DEVID	1024u

static struct xd_device **find_device(struct xd_supervisor *sup,
				      uint32_t domid, uint32_t devid)
{
	struct xd_device **link = &sup->devices;

	while (*link && ((*link)->domid != domid || (*link)->devid != devid))
		link = &(*link)->next;
	return link;
}

static void add_device(struct xd_supervisor *sup, uint32_t domid,
		       uint32_t devid)
{
	struct xd_device **link = find_device(sup, domid, devid);
	int ret;

	if (*link)
		return;
	ret = xd_device_create(sup, domid, devid, link);
	if (!ret)
		return;
	if (!sup->lost && xd_log_allow(&sup->log_limit))
		xd_error("domain %u: cannot serve its device %u: %s; trying again",
			 domid, devid, strerror(-ret));
	xd_look_again(sup);
}

static void scan_domain(struct xd_supervisor *sup, const char *root,
			const char *text,
			void (*found)(struct xd_supervisor *sup,
				      uint32_t domid, uint32_t devid))
{
	char path[128];
	uint32_t domid, devid;
	unsigned int num, i;
	char **names;

	if (xd_parse_u32(text, 0, MAX_DOMID, &domid))
		return;
	snprintf(path, sizeof(path), "%s/%u", root, domid);
	names = xd_list(sup, path, &num);
	if (!names)
		return;
	for (i = 0; i < num; i++)
		if (!xd_parse_u32(names[i], 0, MAX_DEVID, &devid))
			found(sup, domid, devid);
	free(names);
}

void xd_scan_devices(struct xd_supervisor *sup, const char *root,
		     void (*found)(struct xd_supervisor *sup, uint32_t domid,
				   uint32_t devid))
{
	unsigned int num, i;
	char **names = xd_list(sup, root, &num);

	for (i = 0; names && i < num; i++)
		scan_domain(sup, root, names[i], found);
	free(names);
}

void xd_read_guest_name(struct xd_supervisor *sup, uint32_t domid,
			char name[XD_GUEST_NAME_SIZE])
{
	char path[64];
	char *text, *c;

	snprintf(path, sizeof(path), "/local/domain/%u/name", domid);
	text = xd_read(sup, path);
	if (!text && sup->unsure)
		return;		/* as it was, for whoever logs */
	snprintf(name, XD_GUEST_NAME_SIZE, "%s", text ? text : "?");
	for (c = name; *c; c++)
		if ((unsigned char)*c < ' ' || (unsigned char)*c > '~')
			*c = '?';
	free(text);
}

void xd_drop_directory(struct xd_supervisor *sup, const char *be_path)
{
	char path[192];
	char *online;

	if (!sup->domid)
		return;
	/* not there: the toolstack is about to write it */
	snprintf(path, sizeof(path), "%s/online", be_path);
	online = xd_read(sup, path);
	if (online && !strcmp(online, "0"))
		xd_remove(sup, be_path);
	free(online);
}

/* Devices whose directory and worker have gone are forgotten. */
static void forget_devices(struct xd_supervisor *sup)
{
	struct xd_device **link = &sup->devices;

	while (*link) {
		struct xd_device *dev = *link;

		if (dev->present || dev->worker) {
			link = &dev->next;
			continue;
		}
		*link = dev->next;
		xd_device_destroy(dev);
	}
}

static void quit_when_closed(struct xd_supervisor *sup)
{
	struct xd_device *dev;

	if (!sup->closing)
		return;
	for (dev = sup->devices; dev; dev = dev->next)
		if (dev->worker)
			return;
	if (!xd_keyboards_closed(sup))
		return;
	xd_loop_quit(sup->loop);
}

static void scan(struct xd_supervisor *sup)
{
	struct xd_device *dev;

	xd_scan_devices(sup, sup->root, add_device);
	for (dev = sup->devices; dev; dev = dev->next)
		xd_device_update(dev);
	forget_devices(sup);
	xd_keyboards_scan(sup);
}

void xd_rest_if_full(struct xd_supervisor *sup, struct xd_source *source,
		     int err)
{
	if (err != EMFILE && err != ENFILE && err != ENOMEM && err != ENOBUFS)
		return;
	if (xd_log_allow(&sup->log_limit))
		xd_warn("a client has to wait: %s", strerror(err));
	xd_source_modify(sup->loop, source, 0);
	xd_look_again(sup);
}

void xd_listen_again(struct xd_supervisor *sup, struct xd_source *source)
{
	if (xd_source_modify(sup->loop, source, EPOLLIN))
		xd_look_again(sup);
}

static void look_again(void *ctx)
{
	struct xd_supervisor *sup = ctx;
	struct xd_device *dev;

	xd_control_listen(sup);
	for (dev = sup->devices; dev; dev = dev->next)
		xd_viewers_listen(dev);
	xd_host_tell(sup);
	scan(sup);
	xd_looked_again(sup);
	quit_when_closed(sup);
}

/* Below the directory of a device that we know, or NULL. */
static struct xd_device *device_of_path(struct xd_supervisor *sup,
					const char *path)
{
	const size_t len = strlen(sup->root);
	unsigned int domid, devid;
	int below = 0;

	if (strncmp(path, sup->root, len) ||
	    sscanf(path + len, "/%u/%u/%n", &domid, &devid, &below) != 2 ||
	    !below)
		return NULL;
	return *find_device(sup, domid, devid);
}

/*
 * Notes what changed: a device, if the token is its own or a node of it was
 * written, also by us; else devices may have come or gone.
 */
static void note_watch(struct xd_supervisor *sup, const char *path,
		       const char *token)
{
	unsigned int domid, devid;
	struct xd_device *dev;

	if (sscanf(token, "fe/%u/%u", &domid, &devid) == 2) {
		dev = *find_device(sup, domid, devid);
	} else {
		dev = device_of_path(sup, path);
		if (!dev)
			sup->rescan = true;
	}
	if (dev)
		dev->changed = true;
}

/*
 * All that has fired by now is looked at once: what we write ourselves fires
 * too, several times for a state that we take.
 */
static void store_ready(void *ctx, uint32_t events)
{
	struct xd_supervisor *sup = ctx;
	struct xd_device *dev;
	char **event;

	while ((event = sup->store->ops->next_watch(sup->store))) {
		note_watch(sup, event[XD_WATCH_PATH], event[XD_WATCH_TOKEN]);
		free(event);
	}
	/* one of those that were lost may have been anyone's */
	if (errno != EAGAIN)
		xd_look_again(sup);
	if (sup->rescan) {
		sup->rescan = false;
		scan(sup);
		return;
	}
	for (dev = sup->devices; dev; dev = dev->next)
		if (dev->changed)
			xd_device_update(dev);
	forget_devices(sup);
}

static int read_own_domid(struct xd_supervisor *sup)
{
	char *text = sup->store->ops->read(sup->store, "domid");
	int ret;

	/* a dom0 without the node is still domain 0 */
	if (!text)
		return errno == ENOENT ? 0 : -errno;
	ret = xd_parse_u32(text, 0, MAX_DOMID, &sup->domid);
	free(text);
	return ret;
}

static int watch_store(struct xd_supervisor *sup)
{
	struct xd_store *store = sup->store;
	int ret = read_own_domid(sup);

	if (ret)
		return ret;
	snprintf(sup->root, sizeof(sup->root),
		 "/local/domain/%u/backend/" XENDISPL_DRIVER_NAME, sup->domid);
	ret = xd_timer_init(sup->loop, &sup->again, look_again, sup);
	if (!ret)
		ret = xd_store_watch_over(sup);
	if (!ret)
		ret = xd_source_add(sup->loop, &sup->store_source,
				    store->ops->fd(store), EPOLLIN,
				    store_ready, sup);
	if (!ret)
		ret = xd_watch(sup, sup->root, "devices");
	if (!ret)
		ret = xd_keyboards_start(sup);
	if (!ret)
		ret = xd_watch(sup, "@releaseDomain", "domains");
	return ret;
}

int xd_supervisor_start(struct xd_supervisor *sup, struct xd_loop *loop,
			struct xd_store *store, const struct xd_config *config,
			pid_t (*spawn)(int sock))
{
	int ret;

	*sup = (struct xd_supervisor){
		.loop = loop,
		.store = store,
		.config = config,
		.spawn = spawn,
	};
	ret = xd_control_start(sup);
	if (ret)
		return ret;
	ret = watch_store(sup);
	if (ret)
		xd_error("cannot watch XenStore: %s", strerror(-ret));
	return ret;
}

void xd_supervisor_child(struct xd_supervisor *sup, pid_t pid, int status)
{
	struct xd_device *dev;

	if (xd_keyboards_ended(sup, pid, status)) {
		quit_when_closed(sup);
		return;
	}
	for (dev = sup->devices; dev; dev = dev->next)
		if (dev->worker == pid) {
			xd_device_worker_ended(dev, status);
			break;
		} else if (xd_viewers_ended(dev, pid, status)) {
			break;
		}
	forget_devices(sup);
	quit_when_closed(sup);
}

void xd_supervisor_close(struct xd_supervisor *sup)
{
	struct xd_device *dev;

	sup->closing = true;
	for (dev = sup->devices; dev; dev = dev->next)
		xd_device_update(dev);
	xd_keyboards_scan(sup);
	quit_when_closed(sup);
}

void xd_supervisor_finish(struct xd_supervisor *sup)
{
	while (sup->devices) {
		struct xd_device *dev = sup->devices;

		sup->devices = dev->next;
		xd_device_destroy(dev);
	}
	xd_keyboards_finish(sup);
	xd_control_finish(sup);
	xd_host_finish(sup);
	xd_timer_finish(sup->loop, &sup->again);
	xd_timer_finish(sup->loop, &sup->beat);
	xd_source_del(sup->loop, &sup->store_source);
}
