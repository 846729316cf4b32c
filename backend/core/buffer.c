/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Display buffers and framebuffers. A buffer's directory is read when it is
 * created; its pages are mapped, read-only and all at once, when it is first
 * shown, and stay until it goes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/guest.h"
#include "proto/pgdir.h"

/* Fills @dir by mapping one directory page after the other. */
static int walk_directory(struct xd_guest *guest, struct xd_pgdir *dir)
{
	uint32_t gref;
	int ret = 0;

	while (!ret && xd_pgdir_next(dir, &gref)) {
		void *page = guest->bus->ops->map(guest->bus,
						  guest->params.child.domid, &gref,
						  1, false);

		if (!page)
			return -EFAULT;
		ret = xd_pgdir_feed(dir, page);
		guest->bus->ops->unmap(guest->bus, page, 1);
	}
	return ret ? ret : xd_pgdir_check(dir);
}

static int read_directory(struct xd_guest *guest, uint32_t gref_directory,
			  uint32_t nr_pages, uint32_t **ret_grefs)
{
	struct xd_pgdir dir;
	int ret = xd_pgdir_init(&dir, gref_directory, nr_pages,
				XD_PGDIR_GREFS);

	if (!ret)
		ret = walk_directory(guest, &dir);
	if (!ret)
		*ret_grefs = xd_pgdir_steal_grefs(&dir);
	xd_pgdir_finish(&dir);
	return ret;
}

int xd_guest_write(struct xd_guest *guest, uint32_t gref_directory,
		   uint32_t nr_pages, const void *data, size_t size)
{
	uint32_t *grefs;
	void *addr;
	int ret = read_directory(guest, gref_directory, nr_pages, &grefs);

	if (ret)
		return ret;
	/* only as many pages as the data takes */
	nr_pages = (uint32_t)((size + XD_PAGE_SIZE - 1) / XD_PAGE_SIZE);
	addr = guest->bus->ops->map(guest->bus, guest->params.child.domid, grefs,
				    nr_pages, true);
	free(grefs);
	if (!addr)
		return -EFAULT;
	memcpy(addr, data, size);
	guest->bus->ops->unmap(guest->bus, addr, nr_pages);
	return 0;
}

/* Tells the guest the references of our pages, in the directory it made. */
static int write_directory(struct xd_guest *guest, const struct xd_pgdir *dir,
			   const uint32_t *grefs)
{
	uint32_t i, num, done = 0;

	for (i = 0; i < dir->nr_dir_pages; i++) {
		struct xendispl_page_directory *page;

		page = guest->bus->ops->map(guest->bus, guest->params.child.domid,
					    &dir->dir_grefs[i], 1, true);
		if (!page)
			return -EFAULT;
		num = dir->nr_pages - done;
		if (num > XD_GREFS_PER_PAGE)
			num = XD_GREFS_PER_PAGE;
		memcpy(page->gref, grefs + done, num * sizeof(*grefs));
		done += num;
		guest->bus->ops->unmap(guest->bus, page, 1);
	}
	return 0;
}

static int share_pages(struct xd_guest *guest, struct xd_dbuf *dbuf,
		       const struct xd_pgdir *dir)
{
	uint32_t *grefs = calloc(dir->nr_pages, sizeof(*grefs));
	int ret;

	if (!grefs)
		return -ENOMEM;
	dbuf->addr = guest->bus->ops->share(guest->bus, guest->params.child.domid,
					    dir->nr_pages, grefs);
	ret = dbuf->addr ? write_directory(guest, dir, grefs) : -errno;
	free(grefs);
	if (ret && dbuf->addr)
		guest->bus->ops->unshare(guest->bus, dbuf->addr,
					 dir->nr_pages);
	dbuf->shared = !ret;
	return ret;
}

/* A buffer of our memory, which the guest maps. */
static int alloc_dbuf(struct xd_guest *guest, struct xd_dbuf *dbuf,
		      const struct xd_dbuf_create *desc)
{
	struct xd_pgdir dir;
	int ret = xd_usage_add_shared(&guest->usage, &guest->params.limits,
				      desc->buffer_sz);

	if (ret)
		return ret;
	ret = xd_pgdir_init(&dir, desc->gref_directory, desc->nr_pages,
			    XD_PGDIR_CHAIN);
	if (!ret)
		ret = walk_directory(guest, &dir);
	if (!ret)
		ret = share_pages(guest, dbuf, &dir);
	xd_pgdir_finish(&dir);
	if (ret)
		xd_usage_del_shared(&guest->usage, desc->buffer_sz);
	return ret;
}

static struct xd_dbuf **find_dbuf(struct xd_guest *guest, uint64_t cookie)
{
	struct xd_dbuf **link = &guest->dbufs;

	while (*link && (*link)->desc.cookie != cookie)
		link = &(*link)->next;
	return link;
}

static struct xd_fb **find_fb(struct xd_guest *guest, uint64_t cookie)
{
	struct xd_fb **link = &guest->fbs;

	while (*link && (*link)->cookie != cookie)
		link = &(*link)->next;
	return link;
}

struct xd_fb *xd_fb_find(struct xd_guest *guest, uint64_t cookie)
{
	return *find_fb(guest, cookie);
}

int xd_dbuf_create(struct xd_guest *guest, const struct xd_dbuf_create *desc)
{
	struct xd_dbuf *dbuf;
	int ret;

	if (*find_dbuf(guest, desc->cookie))
		return -EEXIST;
	ret = xd_usage_add_dbuf(&guest->usage, &guest->params.limits,
				desc->buffer_sz);
	if (ret)
		return ret;
	dbuf = calloc(1, sizeof(*dbuf));
	if (!dbuf)
		ret = -ENOMEM;
	else if (desc->be_alloc)
		ret = alloc_dbuf(guest, dbuf, desc);
	else
		ret = read_directory(guest, desc->gref_directory,
				     desc->nr_pages, &dbuf->grefs);
	if (ret) {
		free(dbuf);
		xd_usage_del_dbuf(&guest->usage, desc->buffer_sz);
		return ret;
	}
	dbuf->desc = *desc;
	dbuf->export.fd = -1;
	dbuf->next = guest->dbufs;
	guest->dbufs = dbuf;
	return 0;
}

/* The output may not read a picture any more that no framebuffer is. */
static void release_fb(struct xd_guest *guest, const struct xd_fb *fb)
{
	const struct xd_fb *other;

	if (!fb->dbuf->addr)
		return;
	for (other = guest->fbs; other; other = other->next)
		if (other != fb && other->dbuf == fb->dbuf &&
		    other->layout.offset == fb->layout.offset)
			return;
	guest->output->ops->release(guest->output, (char *)fb->dbuf->addr +
				    fb->layout.offset);
}

static void remove_fb(struct xd_guest *guest, struct xd_fb **link)
{
	struct xd_fb *fb = *link;

	release_fb(guest, fb);
	*link = fb->next;
	xd_usage_del_fb(&guest->usage);
	free(fb);
}

void xd_dbuf_free(struct xd_guest *guest, struct xd_dbuf *dbuf)
{
	xd_usage_del_dbuf(&guest->usage, dbuf->desc.buffer_sz);
	free(dbuf->grefs);
	free(dbuf);
}

/* The buffer, if something still has it, or NULL. */
static struct xd_dbuf *remove_dbuf(struct xd_guest *guest,
				   struct xd_dbuf **link)
{
	struct xd_dbuf *dbuf = *link;
	struct xd_fb **fb = &guest->fbs;

	*link = dbuf->next;
	while (*fb) {
		if ((*fb)->dbuf == dbuf)
			remove_fb(guest, fb);
		else
			fb = &(*fb)->next;
	}
	if (dbuf->shared) {
		guest->bus->ops->unshare(guest->bus, dbuf->addr,
					 dbuf->desc.nr_pages);
		xd_usage_del_shared(&guest->usage, dbuf->desc.buffer_sz);
	} else if (dbuf->addr) {
		guest->bus->ops->unmap(guest->bus, dbuf->addr,
				       dbuf->desc.nr_pages);
		guest->counters.mapped_pages -= dbuf->desc.nr_pages;
	}
	if (!xd_dbuf_let_go(guest, dbuf))
		return dbuf;
	xd_dbuf_free(guest, dbuf);
	return NULL;
}

int xd_dbuf_destroy(struct xd_conn *conn, uint16_t id, uint64_t cookie)
{
	struct xd_dbuf **link = find_dbuf(conn->guest, cookie);
	struct xd_dbuf *dbuf;

	if (!*link)
		return -ENOENT;
	dbuf = remove_dbuf(conn->guest, link);
	if (!dbuf)
		return 0;
	dbuf->answer_to = conn;
	dbuf->answer_id = id;
	return -EINPROGRESS;
}

int xd_fb_attach(struct xd_guest *guest, const struct xd_fb_attach *desc)
{
	struct xd_dbuf *dbuf = *find_dbuf(guest, desc->dbuf_cookie);
	struct xd_fb_layout layout;
	struct xd_fb *fb;
	int ret;

	if (!dbuf)
		return -ENOENT;
	if (*find_fb(guest, desc->fb_cookie))
		return -EEXIST;
	ret = xd_fb_check(&dbuf->desc, desc, &layout);
	if (ret)
		return ret;
	ret = xd_usage_add_fb(&guest->usage, &guest->params.limits);
	if (ret)
		return ret;
	fb = calloc(1, sizeof(*fb));
	if (!fb) {
		xd_usage_del_fb(&guest->usage);
		return -ENOMEM;
	}
	fb->cookie = desc->fb_cookie;
	fb->dbuf = dbuf;
	fb->layout = layout;
	fb->next = guest->fbs;
	guest->fbs = fb;
	return 0;
}

int xd_fb_detach(struct xd_guest *guest, uint64_t cookie)
{
	struct xd_fb **link = find_fb(guest, cookie);

	if (!*link)
		return -ENOENT;
	remove_fb(guest, link);
	return 0;
}

int xd_fb_image(struct xd_guest *guest, struct xd_fb *fb,
		struct xd_image *ret_image)
{
	struct xd_dbuf *dbuf = fb->dbuf;

	if (!dbuf->addr) {
		dbuf->addr = guest->bus->ops->map(guest->bus,
						  guest->params.child.domid,
						  dbuf->grefs,
						  dbuf->desc.nr_pages, false);
		if (!dbuf->addr)
			return -EFAULT;
		guest->counters.mapped_pages += dbuf->desc.nr_pages;
	}
	*ret_image = (struct xd_image){
		.format = fb->layout.format,
		.width = fb->layout.width,
		.height = fb->layout.height,
		.stride = fb->layout.stride,
		.data = (char *)dbuf->addr + fb->layout.offset,
	};
	return 0;
}

void xd_buffers_finish(struct xd_guest *guest)
{
	while (guest->dbufs)
		remove_dbuf(guest, &guest->dbufs);
}
