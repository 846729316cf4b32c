/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The port on real Xen: libxenstore, libxengnttab, libxenevtchn. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xenevtchn.h>
#include <xengnttab.h>
#include <xenstore.h>
#include <xentoollog.h>

#include "xen/port.h"

#define SHARE_LIMIT	"262144"	/* pages */
#define GRANT_SIZE	4096u

struct libxen_store {
	struct xd_store base;
	struct xs_handle *xs;
};

static struct libxen_store *to_libxen_store(struct xd_store *store)
{
	return (struct libxen_store *)store;
}

static int store_fd(struct xd_store *store)
{
	return xs_fileno(to_libxen_store(store)->xs);
}

static char *store_read(struct xd_store *store, const char *path)
{
	return xs_read(to_libxen_store(store)->xs, XBT_NULL, path, NULL);
}

/* For the caller to free(); NULL with errno set. */
static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash)
		return strndup(path, (size_t)(slash - path));
	errno = EINVAL;
	return NULL;
}

/* Whether the directory is there, and the write, in one transaction. */
static int write_once(struct xs_handle *xs, const char *dir, const char *path,
		      const char *text)
{
	xs_transaction_t t = xs_transaction_start(xs);
	void *found;
	int err = 0;

	if (t == XBT_NULL)
		return -errno;
	found = xs_read(xs, t, dir, NULL);
	if (!found || !xs_write(xs, t, path, text, (unsigned int)strlen(text)))
		err = errno;
	free(found);
	if (!xs_transaction_end(xs, t, err != 0) && !err)
		err = errno;
	return -err;
}

static int store_write(struct xd_store *store, const char *path,
		       const char *text)
{
	char *dir = directory_of(path);
	int ret;

	if (!dir)
		return -errno;
	do {
		ret = write_once(to_libxen_store(store)->xs, dir, path, text);
	} while (ret == -EAGAIN);
	free(dir);
	return ret;
}

/* In one transaction: the toolstack may be adding another device there. */
static int remove_once(struct xs_handle *xs, const char *above,
		       const char *path)
{
	xs_transaction_t t = xs_transaction_start(xs);
	unsigned int num;
	char **names;
	int err = 0;

	if (t == XBT_NULL)
		return -errno;
	if (!xs_rm(xs, t, path))
		err = errno;
	names = err ? NULL : xs_directory(xs, t, above, &num);
	if (names && !num && !xs_rm(xs, t, above))
		err = errno;
	free(names);
	if (!xs_transaction_end(xs, t, err != 0) && !err)
		err = errno;
	return -err;
}

static int store_remove(struct xd_store *store, const char *path)
{
	char *above = directory_of(path);
	int ret;

	if (!above)
		return -errno;
	do {
		ret = remove_once(to_libxen_store(store)->xs, above, path);
	} while (ret == -EAGAIN);
	free(above);
	return ret;
}

static char **store_list(struct xd_store *store, const char *path,
			 unsigned int *ret_num)
{
	return xs_directory(to_libxen_store(store)->xs, XBT_NULL, path,
			    ret_num);
}

static int store_watch(struct xd_store *store, const char *path,
		       const char *token)
{
	return xs_watch(to_libxen_store(store)->xs, path, token) ? 0 : -errno;
}

static int store_unwatch(struct xd_store *store, const char *path,
			 const char *token)
{
	return xs_unwatch(to_libxen_store(store)->xs, path, token) ?
		0 : -errno;
}

static char **store_next_watch(struct xd_store *store)
{
	_Static_assert((int)XD_WATCH_PATH == XS_WATCH_PATH &&
		       (int)XD_WATCH_TOKEN == XS_WATCH_TOKEN, "as they are");
	return xs_check_watch(to_libxen_store(store)->xs);
}

static int store_domain_alive(struct xd_store *store, uint32_t domid)
{
	errno = 0;
	if (xs_is_domain_introduced(to_libxen_store(store)->xs, domid) ||
	    errno == EACCES)
		return 1;
	return -errno;
}

static void store_destroy(struct xd_store *store)
{
	xs_close(to_libxen_store(store)->xs);
	free(store);
}

static const struct xd_store_ops store_ops = {
	.fd = store_fd,
	.read = store_read,
	.write = store_write,
	.remove = store_remove,
	.list = store_list,
	.watch = store_watch,
	.unwatch = store_unwatch,
	.next_watch = store_next_watch,
	.domain_alive = store_domain_alive,
	.destroy = store_destroy,
};

struct xd_store *xd_libxen_store(void)
{
	struct libxen_store *store = calloc(1, sizeof(*store));

	if (!store)
		return NULL;
	store->base.ops = &store_ops;
	store->xs = xs_open(0);
	if (!store->xs) {
		free(store);
		return NULL;
	}
	fcntl(xs_fileno(store->xs), F_SETFD, FD_CLOEXEC);
	return &store->base;
}

/*
 * What goes wrong is told by return values. The library would also write it to
 * stderr, a line for each grant that a guest makes up.
 */
static void no_message(struct xentoollog_logger *logger,
		       xentoollog_level level, int err, const char *context,
		       const char *format, va_list ap)
{
}

static struct xentoollog_logger silent = { .vmessage = no_message };

struct libxen_bus {
	struct xd_bus base;
	xengnttab_handle *gnttab;
	xenevtchn_handle *evtchn;
	xengntshr_handle *gntshr;	/* NULL: no pages of our own to share */
	const char *no_export;		/* why grants cannot be; NULL: they can */
};

static struct libxen_bus *to_libxen_bus(struct xd_bus *bus)
{
	return (struct libxen_bus *)bus;
}

static void *bus_map(struct xd_bus *bus, uint32_t domid,
		     const uint32_t *grefs, unsigned int num, bool writable)
{
	/* the library does not write to the list */
	return xengnttab_map_domain_grant_refs(to_libxen_bus(bus)->gnttab, num,
					       domid, (uint32_t *)grefs,
					       writable ?
					       PROT_READ | PROT_WRITE :
					       PROT_READ);
}

static void bus_unmap(struct xd_bus *bus, void *addr, unsigned int num)
{
	xengnttab_unmap(to_libxen_bus(bus)->gnttab, addr, num);
}

static void *bus_share(struct xd_bus *bus, uint32_t domid, unsigned int num,
		       uint32_t *ret_grefs)
{
	struct libxen_bus *libxen = to_libxen_bus(bus);

	if (!libxen->gntshr) {
		errno = EOPNOTSUPP;
		return NULL;
	}
	return xengntshr_share_pages(libxen->gntshr, domid, (int)num,
				     ret_grefs, 1);
}

static void bus_unshare(struct xd_bus *bus, void *addr, unsigned int num)
{
	xengntshr_unshare(to_libxen_bus(bus)->gntshr, addr, num);
}

/* There the kernel refuses as it does pages that are no good. */
static bool is_pv(void)
{
	char type[8] = "";
	int fd = open("/sys/hypervisor/guest_type", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? 0 : read(fd, type, sizeof(type) - 1);

	if (fd >= 0)
		close(fd);
	return len > 0 && !strcmp(type, "PV\n");
}

/* A kernel that has dma-bufs knows that this one has been released. */
static const char *why_no_export(xengnttab_handle *gnttab)
{
	if (xengnttab_dmabuf_exp_wait_released(gnttab, UINT32_MAX, 0))
		return "this kernel does not export grants as dma-bufs";
	return is_pv() ? "a PV domain cannot export grants as dma-bufs" : NULL;
}

static int bus_export(struct xd_bus *bus, uint32_t domid,
		      const uint32_t *grefs, unsigned int num,
		      struct xd_export *ret_export, const char **ret_why)
{
	struct libxen_bus *libxen = to_libxen_bus(bus);
	uint32_t fd;
	int ret;

	*ret_why = libxen->no_export;
	if (*ret_why)
		return -EOPNOTSUPP;
	if (xengnttab_dmabuf_exp_from_refs(libxen->gnttab, domid, 0, num,
					   grefs, &fd)) {
		ret = -errno;
		*ret_why = "the kernel does not export this guest's pages";
		return ret;
	}
	*ret_export = (struct xd_export){
		.fd = (int)fd,
		.size = (uint64_t)num * GRANT_SIZE,
	};
	return 0;
}

/*
 * The kernel knows the dma-buf by the descriptor's number even when that is
 * closed. Something else has the number until nobody has the dma-buf.
 */
static void bus_unexport(struct xd_bus *bus, struct xd_export *export)
{
	const int other = xenevtchn_fd(to_libxen_bus(bus)->evtchn);
	int fd = export->fd;

	close(fd);
	export->fd = fcntl(other, F_DUPFD_CLOEXEC, fd);
	if (export->fd >= 0 && export->fd != fd) {
		close(export->fd);
		export->fd = -1;
	}
}

static bool bus_exported(struct xd_bus *bus, struct xd_export *export)
{
	if (export->fd < 0)
		return false;
	if (xengnttab_dmabuf_exp_wait_released(to_libxen_bus(bus)->gnttab,
					       (uint32_t)export->fd, 0))
		return true;
	close(export->fd);
	export->fd = -1;
	return false;
}

static int bus_fd(struct xd_bus *bus)
{
	return xenevtchn_fd(to_libxen_bus(bus)->evtchn);
}

static int bus_bind(struct xd_bus *bus, uint32_t domid, uint32_t port)
{
	xenevtchn_port_or_error_t local =
		xenevtchn_bind_interdomain(to_libxen_bus(bus)->evtchn, domid,
					   port);

	return local < 0 ? -errno : local;
}

static void bus_unbind(struct xd_bus *bus, int port)
{
	xenevtchn_unbind(to_libxen_bus(bus)->evtchn, (evtchn_port_t)port);
}

static int bus_pending(struct xd_bus *bus)
{
	xenevtchn_port_or_error_t port =
		xenevtchn_pending(to_libxen_bus(bus)->evtchn);

	return port < 0 ? -errno : port;
}

static void bus_unmask(struct xd_bus *bus, int port)
{
	xenevtchn_unmask(to_libxen_bus(bus)->evtchn, (evtchn_port_t)port);
}

static void bus_notify(struct xd_bus *bus, int port)
{
	xenevtchn_notify(to_libxen_bus(bus)->evtchn, (evtchn_port_t)port);
}

static void bus_destroy(struct xd_bus *bus)
{
	struct libxen_bus *libxen = to_libxen_bus(bus);

	if (libxen->evtchn)
		xenevtchn_close(libxen->evtchn);
	if (libxen->gnttab)
		xengnttab_close(libxen->gnttab);
	if (libxen->gntshr)
		xengntshr_close(libxen->gntshr);
	free(libxen);
}

static const struct xd_bus_ops bus_ops = {
	.map = bus_map,
	.unmap = bus_unmap,
	.share = bus_share,
	.unshare = bus_unshare,
	.export = bus_export,
	.unexport = bus_unexport,
	.exported = bus_exported,
	.fd = bus_fd,
	.bind = bus_bind,
	.unbind = bus_unbind,
	.pending = bus_pending,
	.unmask = bus_unmask,
	.notify = bus_notify,
	.destroy = bus_destroy,
};

/*
 * The kernel's module shares 4 MiB at the most unless told otherwise, less than
 * one buffer; what a guest may have is for xd_limits to say.
 */
int xd_libxen_raise_share_limit(void)
{
	int ret = 0, fd = open(XD_SHARE_LIMIT_FILE, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (write(fd, SHARE_LIMIT, strlen(SHARE_LIMIT)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/* Not every kernel has it. */
static xengntshr_handle *open_gntshr(void)
{
	if (access("/dev/xen/gntalloc", R_OK | W_OK))
		return NULL;
	return xengntshr_open(&silent, 0);
}

/* 0, also where the platform cannot, or -errno */
static int open_evtchn(struct libxen_bus *bus, uint32_t domid)
{
	int fd, flags;

	bus->evtchn = xenevtchn_open(NULL, 0);
	if (!bus->evtchn)
		return -errno;
	if (xenevtchn_restrict(bus->evtchn, (domid_t)domid) &&
	    errno != ENOTTY && errno != EOPNOTSUPP)
		return -errno;
	fd = xenevtchn_fd(bus->evtchn);
	flags = fcntl(fd, F_GETFL);
	return fcntl(fd, F_SETFL, flags | O_NONBLOCK) ? -errno : 0;
}

struct xd_bus *xd_libxen_bus(uint32_t domid, bool share)
{
	struct libxen_bus *bus = calloc(1, sizeof(*bus));
	int ret;

	if (!bus)
		return NULL;
	bus->base.ops = &bus_ops;
	bus->gnttab = xengnttab_open(&silent, 0);
	ret = bus->gnttab ? open_evtchn(bus, domid) : -errno;
	if (ret) {
		bus_destroy(&bus->base);
		errno = -ret;
		return NULL;
	}
	if (share)
		bus->gntshr = open_gntshr();
	bus->no_export = why_no_export(bus->gnttab);
	return &bus->base;
}

bool xd_libxen_exports(void)
{
	xengnttab_handle *gnttab = xengnttab_open(&silent, 0);
	bool can = gnttab && !why_no_export(gnttab);

	if (gnttab)
		xengnttab_close(gnttab);
	return can;
}
