/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The connection to the compositor. A worker cannot open one, so it is asked
 * for and comes as a descriptor; when it is lost, another one is asked for,
 * ever more slowly. Nothing here waits.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "outputs/wayland.h"

#define MIN_DELAY	100000000ull	/* ns */
#define MAX_DELAY	5000000000ull
#define STABLE		2000000000ull	/* a link that lived so long worked */

#define COMPOSITOR_VERSION	4u	/* wl_surface.damage_buffer */

static void say(struct way_link *link, const char *what)
{
	struct xd_output_params *params = &link->owner->params;

	params->events->note(params->ctx, what);
}

static void try_later(struct way_link *link)
{
	xd_timer_set(&link->retry, xd_now() + link->delay);
	link->delay *= 2;
	if (link->delay > MAX_DELAY)
		link->delay = MAX_DELAY;
}

static void destroy_globals(struct way_link *link)
{
	if (link->decoration)
		zxdg_decoration_manager_v1_destroy(link->decoration);
	if (link->dmabuf)
		zwp_linux_dmabuf_v1_destroy(link->dmabuf);
	if (link->viewporter)
		wp_viewporter_destroy(link->viewporter);
	if (link->wm_base)
		xdg_wm_base_destroy(link->wm_base);
	if (link->shm)
		wl_shm_destroy(link->shm);
	if (link->compositor)
		wl_compositor_destroy(link->compositor);
	if (link->sync)
		wl_callback_destroy(link->sync);
	if (link->registry)
		wl_registry_destroy(link->registry);
	link->decoration = NULL;
	link->dmabuf = NULL;
	link->viewporter = NULL;
	link->wm_base = NULL;
	link->shm = NULL;
	link->compositor = NULL;
	link->sync = NULL;
	link->registry = NULL;
}

static void disconnect(struct way_link *link)
{
	struct way_output *out = link->owner;
	struct wl_display *display = link->display;
	unsigned int i;

	if (!display)
		return;
	way_seat_drop(&link->seat);
	for (i = 0; i < out->nr_windows; i++)
		way_window_close(&out->windows[i]);
	destroy_globals(link);
	xd_source_del(out->params.loop, &link->source);
	link->display = NULL;
	link->ready = false;
	link->blocked = false;
	link->lost = false;
	wl_display_disconnect(display);
}

static void lose(struct way_link *link)
{
	if (link->ready) {
		say(link, "lost the compositor");
		if (xd_now() - link->since > STABLE)
			link->delay = MIN_DELAY;
	}
	disconnect(link);
	try_later(link);
}

void way_link_flush(struct way_link *link)
{
	bool blocked;

	if (!link->display || link->lost)
		return;
	blocked = wl_display_flush(link->display) < 0;
	if (blocked && errno != EAGAIN) {
		link->lost = true;
		/* not from within a caller that uses it: on the next turn */
		xd_timer_set(&link->retry, 1);
		return;
	}
	if (blocked != link->blocked)
		xd_source_modify(link->owner->params.loop, &link->source,
				 blocked ? EPOLLIN | EPOLLOUT : EPOLLIN);
	link->blocked = blocked;
}

/* It reads again: what could not be drawn is drawn now. */
static void unblock(struct way_link *link)
{
	struct way_output *out = link->owner;
	unsigned int i;

	way_link_flush(link);
	if (link->blocked)
		return;
	for (i = 0; i < out->nr_windows; i++)
		way_window_update(&out->windows[i]);
}

static int read_events(struct way_link *link)
{
	while (wl_display_prepare_read(link->display))
		if (wl_display_dispatch_pending(link->display) < 0)
			return -1;
	if (wl_display_read_events(link->display) < 0 && errno != EAGAIN)
		return -1;
	return wl_display_dispatch_pending(link->display);
}

static void link_event(void *ctx, uint32_t events)
{
	struct way_link *link = ctx;

	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR) && read_events(link) < 0)
		link->lost = true;
	if (!link->lost && events & EPOLLOUT)
		unblock(link);
	way_link_flush(link);
	if (link->lost)
		lose(link);
}

static void ping(void *data, struct xdg_wm_base *wm_base, uint32_t serial)
{
	xdg_wm_base_pong(wm_base, serial);
}

static const struct xdg_wm_base_listener wm_base_listener = { .ping = ping };

static uint32_t min(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static void global(void *data, struct wl_registry *registry, uint32_t name,
		   const char *interface, uint32_t version)
{
	struct way_link *link = data;

	if (!strcmp(interface, wl_compositor_interface.name) &&
	    !link->compositor && version >= COMPOSITOR_VERSION)
		link->compositor = wl_registry_bind(registry, name,
						    &wl_compositor_interface,
						    COMPOSITOR_VERSION);
	else if (!strcmp(interface, wl_shm_interface.name) && !link->shm)
		link->shm = wl_registry_bind(registry, name, &wl_shm_interface,
					     1);
	else if (!strcmp(interface, xdg_wm_base_interface.name) &&
		 !link->wm_base) {
		link->wm_base = wl_registry_bind(registry, name,
						 &xdg_wm_base_interface,
						 min(version, 2));
		if (link->wm_base)
			xdg_wm_base_add_listener(link->wm_base,
						 &wm_base_listener, link);
	} else if (!strcmp(interface, wp_viewporter_interface.name) &&
		   !link->viewporter)
		link->viewporter = wl_registry_bind(registry, name,
						    &wp_viewporter_interface,
						    1);
	else if (!strcmp(interface, zwp_linux_dmabuf_v1_interface.name) &&
		 !link->dmabuf)
		way_import_bind(link, registry, name, version);
	else if (!strcmp(interface, wl_seat_interface.name))
		way_seat_bind(&link->seat, registry, name, version);
	else if (!strcmp(interface,
			 zxdg_decoration_manager_v1_interface.name) &&
		 !link->decoration)
		link->decoration =
			wl_registry_bind(registry, name,
					 &zxdg_decoration_manager_v1_interface,
					 1);
}

static void global_remove(void *data, struct wl_registry *registry,
			  uint32_t name)
{
	struct way_link *link = data;

	/* of what we use only that goes while the compositor lives */
	if (link->seat.proxy && link->seat.name == name)
		way_seat_drop(&link->seat);
}

static const struct wl_registry_listener registry_listener = {
	.global = global,
	.global_remove = global_remove,
};

static void all_told(struct way_link *link)
{
	struct way_output *out = link->owner;
	unsigned int i;

	if (!link->compositor || !link->shm || !link->wm_base) {
		say(link, "the compositor lacks wl_compositor 4, wl_shm or xdg_wm_base");
		link->lost = true;
		return;
	}
	link->ready = true;
	link->since = xd_now();
	say(link, "connected to the compositor");
	for (i = 0; i < out->nr_windows; i++)
		way_window_open(&out->windows[i]);
}

static int synchronise(struct way_link *link);

/* What was asked before has been told: the globals, then what they tell. */
static void synced(void *data, struct wl_callback *callback, uint32_t time)
{
	struct way_link *link = data;
	bool again = link->dmabuf && !link->dmabuf_asked;

	wl_callback_destroy(callback);
	link->sync = NULL;
	if (!again)
		all_told(link);
	else if (synchronise(link))
		link->lost = true;
	link->dmabuf_asked = true;
}

static const struct wl_callback_listener sync_listener = { .done = synced };

static int synchronise(struct way_link *link)
{
	link->sync = wl_display_sync(link->display);
	if (!link->sync)
		return -ENOMEM;
	wl_callback_add_listener(link->sync, &sync_listener, link);
	return 0;
}

static int set_up(struct way_link *link)
{
	link->dmabuf_asked = false;
	link->registry = wl_display_get_registry(link->display);
	if (!link->registry || synchronise(link))
		return -ENOMEM;
	wl_registry_add_listener(link->registry, &registry_listener, link);
	return xd_source_add(link->owner->params.loop, &link->source,
			     wl_display_get_fd(link->display), EPOLLIN,
			     link_event, link);
}

void way_link_connect(struct way_link *link, int fd)
{
	if (link->display) {
		/* not asked for */
		if (fd >= 0)
			close(fd);
		return;
	}
	if (fd >= 0)
		link->display = wl_display_connect_to_fd(fd);
	if (!link->display) {
		try_later(link);
		return;
	}
	if (set_up(link)) {
		disconnect(link);
		try_later(link);
		return;
	}
	xd_timer_set(&link->retry, 0);
	way_link_flush(link);
}

static void retry(void *ctx)
{
	struct way_link *link = ctx;
	struct xd_output_params *params = &link->owner->params;

	if (link->lost)
		lose(link);
	else if (!link->display) {
		/* in case that there is no answer */
		xd_timer_set(&link->retry, xd_now() + MAX_DELAY);
		params->events->reopen(params->ctx);
	}
}

/* What goes wrong is told by return values; the daemon's log is not libwayland's. */
static void quiet(const char *fmt, va_list args)
{
}

int way_link_init(struct way_link *link, struct way_output *owner)
{
	int ret;

	*link = (struct way_link){ .owner = owner, .delay = MIN_DELAY };
	wl_log_set_handler_client(quiet);
	ret = xd_timer_init(owner->params.loop, &link->retry, retry, link);
	if (!ret)
		way_link_connect(link, owner->params.fd);
	else if (owner->params.fd >= 0)
		close(owner->params.fd);
	return ret;
}

void way_link_finish(struct way_link *link)
{
	if (!link->owner)
		return;
	disconnect(link);
	xd_timer_finish(link->owner->params.loop, &link->retry);
}
