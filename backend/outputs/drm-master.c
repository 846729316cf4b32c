/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The supervisor's half: master of the graphics cards that guests are shown on,
 * and lessor of their connectors. A lease ends with the worker that has it; a
 * card without leases is closed, so that the console has it back.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "outputs/drm-output.h"

#define MAX_CARDS	16
#define MAX_LEASES	32	/* of a card: there are no more CRTCs */
#define UEVENTS		1	/* the kernel's, as a multicast group */

struct lease {
	uint32_t id;		/* of the lessee; 0: free */
	char guest[64];
	struct drm_head heads[DRM_MAX_HEADS];
	unsigned int nr_heads;
};

/* A card that is open, or an entry that is free: @path is empty. */
struct card {
	char path[XD_OPTION_SIZE];
	int fd;
	struct lease leases[MAX_LEASES];
};

static struct card cards[MAX_CARDS];

static int check_card(int fd)
{
	drmModeRes *res = drmModeGetResources(fd);
	int ret = 0;

	if (!res || !res->count_connectors || !res->count_crtcs)
		ret = -ENODEV;
	else if (!drmIsMaster(fd) && drmSetMaster(fd))
		ret = -EBUSY;
	else if (drmSetClientCap(fd, DRM_CLIENT_CAP_ATOMIC, 1))
		ret = -EOPNOTSUPP;
	if (res)
		drmModeFreeResources(res);
	return ret;
}

/* Why check_card() or open() refused it. */
static void explain(const char *path, int err, char why[XD_WHY_SIZE])
{
	const char *text = strerror(-err);

	if (err == -ENODEV)
		text = "no graphics card with connectors";
	else if (err == -EBUSY)
		text = "another program is its DRM master";
	else if (err == -EOPNOTSUPP)
		text = "its driver has no atomic modesetting";
	snprintf(why, XD_WHY_SIZE, "%s: %s", path, text);
}

static void close_card(struct card *card)
{
	close(card->fd);
	*card = (struct card){ .fd = -1 };
}

static bool is_alive(const struct card *card)
{
	drmModeRes *res = drmModeGetResources(card->fd);

	if (res)
		drmModeFreeResources(res);
	return res;
}

/* Forgets leases whose workers have ended, and the card when none is left. */
static void clean_up(struct card *card)
{
	drmModeLesseeListPtr list = drmModeListLessees(card->fd);
	unsigned int i, j, left = 0;

	for (i = 0; i < MAX_LEASES; i++) {
		struct lease *lease = &card->leases[i];

		for (j = 0; list && j < list->count; j++)
			if (lease->id && list->lessees[j] == lease->id)
				break;
		if (!list || j == list->count)
			lease->id = 0;
		else
			left++;
	}
	drmFree(list);
	if (!left)
		close_card(card);
}

static int open_card(struct card *card, const char *path,
		     char why[XD_WHY_SIZE])
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	int ret = fd < 0 ? -errno : check_card(fd);

	if (ret) {
		explain(path, ret, why);
		if (fd >= 0)
			close(fd);
		return ret;
	}
	*card = (struct card){ .fd = fd };
	snprintf(card->path, sizeof(card->path), "%s", path);
	return 0;
}

static int get_card(const char *path, struct card **ret_card,
		    char why[XD_WHY_SIZE])
{
	struct card *unused = NULL;
	unsigned int i;

	for (i = 0; i < MAX_CARDS; i++) {
		struct card *card = &cards[i];

		/* one that was pulled: another may be there by now */
		if (*card->path && !is_alive(card))
			close_card(card);
		if (!*card->path) {
			unused = unused ? unused : card;
			continue;
		}
		if (strcmp(card->path, path))
			continue;
		*ret_card = card;
		return 0;
	}
	if (!unused) {
		snprintf(why, XD_WHY_SIZE, "%s: one card too many", path);
		return -EMFILE;
	}
	*ret_card = unused;
	return open_card(unused, path, why);
}

static const struct lease *find_holder(const struct card *card,
				       const char *name)
{
	unsigned int i, j;

	for (i = 0; i < MAX_LEASES; i++)
		for (j = 0; card->leases[i].id &&
		     j < card->leases[i].nr_heads; j++)
			if (!strcmp(card->leases[i].heads[j].name, name))
				return &card->leases[i];
	return NULL;
}

/* Connectors that were asked for by name are waited for, not replaced. */
static int check_names(const struct card *card, const char *names,
		       char why[XD_WHY_SIZE])
{
	char name[DRM_NAME_SIZE];

	while (drm_next_name(&names, name)) {
		const struct lease *holder = find_holder(card, name);

		if (!holder)
			continue;
		snprintf(why, XD_WHY_SIZE, "%s of %s shows guest %s already",
			 name, card->path, holder->guest);
		return -EBUSY;
	}
	return 0;
}

static unsigned int list_taken(struct card *card, struct drm_head *taken,
			       struct lease **ret_free)
{
	unsigned int i, j, n = 0;

	*ret_free = NULL;
	for (i = 0; i < MAX_LEASES; i++) {
		struct lease *lease = &card->leases[i];

		if (!lease->id)
			*ret_free = lease;
		for (j = 0; lease->id && j < lease->nr_heads; j++)
			if (lease->heads[j].connector)
				taken[n++] = lease->heads[j];
	}
	return n;
}

static int create_lease(int fd, struct lease *lease)
{
	uint32_t objects[DRM_MAX_HEADS * 3];
	unsigned int i;
	int n = 0, ret;

	for (i = 0; i < lease->nr_heads; i++) {
		if (!lease->heads[i].connector)
			continue;
		objects[n++] = lease->heads[i].connector;
		objects[n++] = lease->heads[i].crtc;
		objects[n++] = lease->heads[i].plane;
		drm_head_part(fd, &lease->heads[i]);
	}
	ret = drmModeCreateLease(fd, objects, n, O_CLOEXEC | O_NONBLOCK,
				 &lease->id);
	if (ret < 0)
		lease->id = 0;
	return ret;
}

static void explain_none(const struct card *card, const char *names,
			 char why[XD_WHY_SIZE])
{
	char list[100];

	drm_heads_list(card->fd, list, sizeof(list));
	if (*names)
		snprintf(why, XD_WHY_SIZE, "%.40s has none of \"%.60s\", but %s",
			 card->path, names, list);
	else
		snprintf(why, XD_WHY_SIZE, "%.40s has no free connector of %s",
			 card->path, list);
}

static int lease_from(struct card *card, const char *names, const char *guest,
		      unsigned int nr_monitors, char why[XD_WHY_SIZE])
{
	struct drm_head taken[MAX_LEASES * DRM_MAX_HEADS];
	struct lease *lease;
	unsigned int nr_taken = list_taken(card, taken, &lease);
	int ret = check_names(card, names, why);

	if (ret)
		return ret;
	if (!lease)
		return -EBUSY;
	ret = drm_heads_pick(card->fd, names, nr_monitors, taken, nr_taken,
			     lease->heads);
	if (ret <= 0) {
		explain_none(card, names, why);
		return -ENODEV;
	}
	lease->nr_heads = nr_monitors;
	snprintf(lease->guest, sizeof(lease->guest), "%s", guest);
	ret = create_lease(card->fd, lease);
	if (ret < 0)
		snprintf(why, XD_WHY_SIZE, "%s: no lease: %s", card->path,
			 strerror(-ret));
	return ret;
}

static int lease_at(const char *path, const char *names, const char *guest,
		    unsigned int nr_monitors, char why[XD_WHY_SIZE])
{
	struct card *card;
	int ret;

	drm_master_closed();
	ret = get_card(path, &card, why);
	if (ret)
		return ret;
	ret = lease_from(card, names, guest, nr_monitors, why);
	if (ret < 0)
		clean_up(card);
	return ret;
}

int drm_master_lease(const struct xd_output_options *options,
		     const char *guest, unsigned int nr_monitors,
		     char why[XD_WHY_SIZE])
{
	const char *names = options->text[XD_OPTION_DRM_CONNECTORS];
	const char *configured = options->text[XD_OPTION_DRM_CARD];
	char path[32], reason[XD_WHY_SIZE];
	bool found = false;
	int i, ret = -ENODEV;

	if (*configured)
		return lease_at(configured, names, guest, nr_monitors, why);
	snprintf(why, XD_WHY_SIZE, "no card in /dev/dri");
	for (i = 0; i < MAX_CARDS; i++) {
		int fd;

		snprintf(path, sizeof(path), "/dev/dri/card%d", i);
		fd = lease_at(path, names, guest, nr_monitors, reason);
		if (fd >= 0)
			return fd;
		if (fd == -ENOENT || found)
			continue;
		/* of several the first one's reason */
		found = true;
		ret = fd;
		memcpy(why, reason, XD_WHY_SIZE);
	}
	return ret;
}

void drm_master_closed(void)
{
	unsigned int i;

	for (i = 0; i < MAX_CARDS; i++)
		if (*cards[i].path)
			clean_up(&cards[i]);
}

int drm_master_watch(void)
{
	struct sockaddr_nl addr = {
		.nl_family = AF_NETLINK,
		.nl_groups = UEVENTS,
	};
	int fd, ret;

	fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
		    NETLINK_KOBJECT_UEVENT);
	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		ret = -errno;
		close(fd);
		return ret;
	}
	return fd;
}

/* Has a uevent this line? Each is ended by a NUL. */
static bool has_line(const char *text, size_t size, const char *line)
{
	size_t at;

	for (at = 0; at < size; at += strlen(text + at) + 1)
		if (!strcmp(text + at, line))
			return true;
	return false;
}

/* Cards are added and removed; of what changes, leases that end are no news. */
bool drm_master_is_news(const char *text, size_t size)
{
	return has_line(text, size, "SUBSYSTEM=drm") &&
		(has_line(text, size, "HOTPLUG=1") ||
		 has_line(text, size, "ACTION=add") ||
		 has_line(text, size, "ACTION=remove"));
}

bool drm_master_changed(int fd)
{
	struct sockaddr_nl from;
	char text[8192];
	struct iovec iov = { text, sizeof(text) - 1 };
	struct msghdr msg = {
		.msg_name = &from,
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};
	bool changed = false;
	ssize_t len;

	for (;;) {
		msg.msg_namelen = sizeof(from);
		len = recvmsg(fd, &msg, MSG_DONTWAIT);
		/* some were dropped: one of them may have been it */
		if (len < 0 && errno == ENOBUFS) {
			changed = true;
			continue;
		}
		if (len < 0)
			return changed;
		text[len] = '\0';
		/* only the kernel's count */
		if (msg.msg_namelen == sizeof(from) && !from.nl_pid)
			changed |= drm_master_is_news(text, (size_t)len);
	}
}
