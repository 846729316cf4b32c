// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "desk-internal.h"
#include "viewporter-server.h"
#include "xdg-shell-server.h"

#define FRAME_MS	16

struct server server;

static void no_request(struct wl_client *client, struct wl_resource *resource)
{
	wl_resource_destroy(resource);
}

/* Buffers */

static void let_go(struct held *held)
{
	if (!held->buffer)
		return;
	wl_list_remove(&held->gone.link);
	free(held->copy);
	*held = (struct held){ 0 };
}

static void held_gone(struct wl_listener *listener, void *data)
{
	struct held *held = wl_container_of(listener, held, gone);

	let_go(held);
}

static void check_held(struct surface *surface)
{
	unsigned int i;

	surface->win->kept = 0;
	for (i = 0; i < MAX_KEPT; i++) {
		struct held *held = &surface->held[i];
		struct look look;

		if (!held->buffer)
			continue;
		surface->win->kept++;
		buffer_look(held->buffer, &look);
		if (memcmp(look.data, held->copy, held->size))
			surface->win->scribbled = true;
	}
}

static void release_all(struct surface *surface)
{
	unsigned int i;

	check_held(surface);
	for (i = 0; i < MAX_KEPT; i++) {
		if (surface->held[i].buffer)
			wl_buffer_send_release(surface->held[i].buffer);
		let_go(&surface->held[i]);
	}
	surface->win->kept = 0;
}

static void hold(struct surface *surface, struct wl_resource *buffer,
		 const void *data, size_t size)
{
	unsigned int i;

	for (i = 0; i < MAX_KEPT; i++) {
		struct held *held = &surface->held[i];

		if (held->buffer)
			continue;
		held->buffer = buffer;
		held->size = size;
		held->copy = malloc(size);
		memcpy(held->copy, data, size);
		held->gone.notify = held_gone;
		wl_resource_add_destroy_listener(buffer, &held->gone);
		return;
	}
}

static void take_buffer(struct surface *surface)
{
	struct desk_window *win = surface->win;
	struct look look;

	buffer_look(surface->buffer, &look);
	if (server.release)
		release_all(surface);
	else
		check_held(surface);
	for (uint32_t y = 0; y < look.height &&
	     look.width * look.height <= DESK_PIXELS; y++)
		memcpy(win->pixels + y * look.width,
		       look.data + (size_t)y * look.stride, look.width * 4);
	hold(surface, surface->buffer, look.data,
	     (size_t)look.stride * look.height);
	win->width = look.width;
	win->height = look.height;
	win->damage = surface->damage;
	win->dmabufs += look.is_dmabuf;
	win->commits++;
	win->frames = 0;
}

/* wl_surface */

static void forget_buffer(struct surface *surface)
{
	if (surface->buffer)
		wl_list_remove(&surface->buffer_gone.link);
	surface->buffer = NULL;
}

static void buffer_gone(struct wl_listener *listener, void *data)
{
	struct surface *surface = wl_container_of(listener, surface,
						  buffer_gone);

	forget_buffer(surface);
}

static void attach(struct wl_client *client, struct wl_resource *resource,
		   struct wl_resource *buffer, int32_t x, int32_t y)
{
	struct surface *surface = wl_resource_get_user_data(resource);

	forget_buffer(surface);
	surface->buffer = buffer;
	if (!buffer)
		return;
	surface->buffer_gone.notify = buffer_gone;
	wl_resource_add_destroy_listener(buffer, &surface->buffer_gone);
}

static void damage(struct wl_client *client, struct wl_resource *resource,
		   int32_t x, int32_t y, int32_t width, int32_t height)
{
	struct surface *surface = wl_resource_get_user_data(resource);

	surface->damage += (uint32_t)(width * height);
}

static void callback_gone(struct wl_resource *resource)
{
	wl_list_remove(wl_resource_get_link(resource));
}

static void frame(struct wl_client *client, struct wl_resource *resource,
		  uint32_t id)
{
	struct surface *surface = wl_resource_get_user_data(resource);
	struct wl_resource *callback;

	callback = wl_resource_create(client, &wl_callback_interface, 1, id);
	wl_resource_set_implementation(callback, NULL, NULL, callback_gone);
	wl_list_insert(surface->frames.prev, wl_resource_get_link(callback));
}

static void send_configure(struct surface *surface, int32_t width,
			   int32_t height, int32_t states)
{
	struct wl_array array;
	uint32_t *state;

	wl_array_init(&array);
	for (uint32_t i = 0; i < 32; i++) {
		if (!((uint32_t)states & 1u << i))
			continue;
		state = wl_array_add(&array, sizeof(*state));
		*state = i;
	}
	xdg_toplevel_send_configure(surface->toplevel, width, height, &array);
	wl_array_release(&array);
	xdg_surface_send_configure(surface->xdg,
				   wl_display_next_serial(server.display));
}

static void commit(struct wl_client *client, struct wl_resource *resource)
{
	struct surface *surface = wl_resource_get_user_data(resource);

	if (surface->toplevel && !surface->win->configured) {
		if (surface->buffer)
			wl_resource_post_error(surface->xdg,
					       XDG_SURFACE_ERROR_UNCONFIGURED_BUFFER,
					       "too early");
		else
			send_configure(surface, 0, 0, 0);
		return;
	}
	if (surface->buffer)
		take_buffer(surface);
	forget_buffer(surface);
	surface->damage = 0;
}

static void ignore_region(struct wl_client *client,
			  struct wl_resource *resource,
			  struct wl_resource *region)
{
}

static void ignore_int(struct wl_client *client, struct wl_resource *resource,
		       int32_t value)
{
}

static const struct wl_surface_interface surface_impl = {
	.destroy = no_request,
	.attach = attach,
	.damage = damage,
	.frame = frame,
	.set_opaque_region = ignore_region,
	.set_input_region = ignore_region,
	.commit = commit,
	.set_buffer_transform = ignore_int,
	.set_buffer_scale = ignore_int,
	.damage_buffer = damage,
};

static void surface_gone(struct wl_resource *resource)
{
	struct surface *surface = wl_resource_get_user_data(resource);
	struct wl_resource *callback, *next;

	seat_forget(surface);
	wl_resource_for_each_safe(callback, next, &surface->frames)
		wl_resource_destroy(callback);
	forget_buffer(surface);
	for (unsigned int i = 0; i < MAX_KEPT; i++)
		let_go(&surface->held[i]);
	surface->win->used = false;
	server.surfaces[surface->win - server.shared->windows] = NULL;
	free(surface);
}

static void create_surface(struct wl_client *client,
			   struct wl_resource *resource, uint32_t id)
{
	struct surface *surface = calloc(1, sizeof(*surface));
	unsigned int i = 0;

	while (i < DESK_WINDOWS && server.surfaces[i])
		i++;
	if (i == DESK_WINDOWS)
		abort();
	server.surfaces[i] = surface;
	surface->win = &server.shared->windows[i];
	memset(surface->win, 0, sizeof(*surface->win));
	surface->win->used = true;
	wl_list_init(&surface->frames);
	surface->resource = wl_resource_create(client, &wl_surface_interface,
					       4, id);
	wl_resource_set_implementation(surface->resource, &surface_impl,
				       surface, surface_gone);
}

static const struct wl_compositor_interface compositor_impl = {
	.create_surface = create_surface,
};

/* xdg_toplevel */

static void set_text(char *to, const char *text)
{
	snprintf(to, 128, "%s", text);
}

static void set_title(struct wl_client *client, struct wl_resource *resource,
		      const char *title)
{
	struct surface *surface = wl_resource_get_user_data(resource);

	set_text(surface->win->title, title);
}

static void set_app_id(struct wl_client *client, struct wl_resource *resource,
		       const char *app_id)
{
	struct surface *surface = wl_resource_get_user_data(resource);

	set_text(surface->win->app_id, app_id);
}

static void set_minimized(struct wl_client *client,
			  struct wl_resource *resource)
{
	struct surface *surface = wl_resource_get_user_data(resource);

	surface->win->minimized++;
}

static void set_fullscreen(struct wl_client *client,
			   struct wl_resource *resource,
			   struct wl_resource *screen)
{
	struct surface *surface = wl_resource_get_user_data(resource);

	surface->win->fullscreen = true;
}

static const struct xdg_toplevel_interface toplevel_impl = {
	.destroy = no_request,
	.set_title = set_title,
	.set_app_id = set_app_id,
	.set_fullscreen = set_fullscreen,
	.set_minimized = set_minimized,
};

static void toplevel_gone(struct wl_resource *resource)
{
}

static void get_toplevel(struct wl_client *client,
			 struct wl_resource *resource, uint32_t id)
{
	struct surface *surface = wl_resource_get_user_data(resource);

	surface->toplevel = wl_resource_create(client, &xdg_toplevel_interface,
					       2, id);
	wl_resource_set_implementation(surface->toplevel, &toplevel_impl,
				       surface, toplevel_gone);
}

static void ack_configure(struct wl_client *client,
			  struct wl_resource *resource, uint32_t serial)
{
	struct surface *surface = wl_resource_get_user_data(resource);

	surface->win->configured = true;
}

static const struct xdg_surface_interface xdg_surface_impl = {
	.destroy = no_request,
	.get_toplevel = get_toplevel,
	.ack_configure = ack_configure,
};

static void get_xdg_surface(struct wl_client *client,
			    struct wl_resource *resource, uint32_t id,
			    struct wl_resource *wl_surface)
{
	struct surface *surface = wl_resource_get_user_data(wl_surface);

	surface->xdg = wl_resource_create(client, &xdg_surface_interface, 2,
					  id);
	wl_resource_set_implementation(surface->xdg, &xdg_surface_impl,
				       surface, NULL);
}

static const struct xdg_wm_base_interface wm_base_impl = {
	.destroy = no_request,
	.get_xdg_surface = get_xdg_surface,
};

/* wp_viewporter */

static void set_source(struct wl_client *client, struct wl_resource *resource,
		       wl_fixed_t x, wl_fixed_t y, wl_fixed_t width,
		       wl_fixed_t height)
{
}

static void set_destination(struct wl_client *client,
			    struct wl_resource *resource, int32_t width,
			    int32_t height)
{
	struct surface *surface = wl_resource_get_user_data(resource);

	surface->win->to_width = width;
	surface->win->to_height = height;
}

static const struct wp_viewport_interface viewport_impl = {
	.destroy = no_request,
	.set_source = set_source,
	.set_destination = set_destination,
};

static void get_viewport(struct wl_client *client,
			 struct wl_resource *resource, uint32_t id,
			 struct wl_resource *wl_surface)
{
	struct wl_resource *viewport =
		wl_resource_create(client, &wp_viewport_interface, 1, id);

	wl_resource_set_implementation(viewport, &viewport_impl,
				       wl_resource_get_user_data(wl_surface),
				       NULL);
}

static const struct wp_viewporter_interface viewporter_impl = {
	.destroy = no_request,
	.get_viewport = get_viewport,
};

static const struct {
	const struct wl_interface *interface;
	int version;
	const void *impl;
} globals[] = {
	{ &wl_compositor_interface, 4, &compositor_impl },
	{ &xdg_wm_base_interface, 2, &wm_base_impl },
	{ &wp_viewporter_interface, 1, &viewporter_impl },
};

static void bind_global(struct wl_client *client, void *data, uint32_t version,
		 uint32_t id)
{
	const size_t i = (size_t)data;
	struct wl_resource *resource =
		wl_resource_create(client, globals[i].interface, (int)version,
				   id);

	wl_resource_set_implementation(resource, globals[i].impl, NULL, NULL);
}

/* Clients and commands */

static void client_gone(struct wl_listener *listener, void *data)
{
	server.shared->connected--;
	free(listener);
}

static void client_created(struct wl_listener *listener, void *data)
{
	struct wl_listener *gone = calloc(1, sizeof(*gone));

	server.shared->clients++;
	server.shared->connected++;
	gone->notify = client_gone;
	wl_client_add_destroy_listener(data, gone);
}

static int tick(void *data)
{
	wl_event_source_timer_update(server.tick, FRAME_MS);
	for (unsigned int i = 0; i < DESK_WINDOWS; i++) {
		struct surface *surface = server.surfaces[i];
		struct wl_resource *callback, *next;

		if (!surface || !server.frames)
			continue;
		wl_resource_for_each_safe(callback, next, &surface->frames) {
			wl_callback_send_done(callback, 0);
			surface->win->frames++;
			wl_resource_destroy(callback);
		}
	}
	return 0;
}

static void drag(struct surface *surface, const struct desk_cmd *cmd)
{
	const int32_t width = (int32_t)surface->win->width;
	const int32_t height = (int32_t)surface->win->height;

	for (int32_t n = 1; n <= cmd->c; n++)
		send_configure(surface, width + (cmd->a - width) * n / cmd->c,
			       height + (cmd->b - height) * n / cmd->c,
			       1 << XDG_TOPLEVEL_STATE_RESIZING);
}

static void obey(const struct desk_cmd *cmd)
{
	struct surface *surface = server.surfaces[cmd->window];

	for (unsigned int i = 0; i < DESK_WINDOWS; i++)
		if (server.surfaces[i])
			check_held(server.surfaces[i]);
	if (cmd->op == DESK_FRAMES)
		server.frames = cmd->a;
	else if (cmd->op == DESK_RELEASE)
		server.release = cmd->a;
	else if (cmd->op == DESK_DMABUF)
		server.dmabuf = (enum desk_dmabuf)cmd->a;
	if (cmd->op == DESK_DMABUF)
		dmabuf_answer();
	if (cmd->op == DESK_RELEASE && cmd->a)
		for (unsigned int i = 0; i < DESK_WINDOWS; i++)
			if (server.surfaces[i])
				release_all(server.surfaces[i]);
	if (!surface)
		return;
	if (cmd->op == DESK_CONFIGURE)
		send_configure(surface, cmd->a, cmd->b, cmd->c);
	else if (cmd->op == DESK_DRAG)
		drag(surface, cmd);
	else if (cmd->op == DESK_CLOSE)
		xdg_toplevel_send_close(surface->toplevel);
	else if (cmd->op == DESK_ERROR)
		wl_resource_post_error(surface->resource, 0, "as told");
	else
		seat_command(cmd, surface);
}

static int commanded(int fd, uint32_t mask, void *data)
{
	struct desk_cmd cmd;

	if (read(fd, &cmd, sizeof(cmd)) != sizeof(cmd))
		_exit(0);
	obey(&cmd);
	wl_display_flush_clients(server.display);
	if (write(fd, "", 1) != 1)
		_exit(1);
	return 0;
}

static void quiet(const char *fmt, va_list args)
{
}

static void serve(struct desk *desk, int sock)
{
	struct wl_listener created = { .notify = client_created };
	struct wl_event_loop *loop;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	wl_log_set_handler_server(quiet);
	server.shared = desk->shared;
	server.frames = true;
	server.release = true;
	server.dmabuf = desk->dmabuf;
	server.display = wl_display_create();
	if (wl_display_add_socket(server.display, desk->path))
		_exit(1);
	wl_display_init_shm(server.display);
	for (size_t i = 0; i < sizeof(globals) / sizeof(globals[0]); i++)
		if (!desk->no_viewporter ||
		    globals[i].interface != &wp_viewporter_interface)
			wl_global_create(server.display, globals[i].interface,
					 globals[i].version, (void *)i,
					 bind_global);
	seat_create(server.display);
	dmabuf_create(server.display);
	wl_display_add_client_created_listener(server.display, &created);
	loop = wl_display_get_event_loop(server.display);
	wl_event_loop_add_fd(loop, sock, WL_EVENT_READABLE, commanded, NULL);
	server.tick = wl_event_loop_add_timer(loop, tick, NULL);
	tick(NULL);
	wl_display_run(server.display);
	_exit(0);
}

/* The test's side */

void desk_start(struct desk *desk, const char *path)
{
	int socks[2];

	if (!desk->shared)
		desk->shared = mmap(NULL, sizeof(*desk->shared),
				    PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (desk->shared == MAP_FAILED ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks))
		abort();
	memset(desk->shared, 0, sizeof(*desk->shared));
	snprintf(desk->path, sizeof(desk->path), "%s", path);
	fflush(NULL);
	desk->pid = fork();
	if (!desk->pid) {
		close(socks[0]);
		serve(desk, socks[1]);
	}
	close(socks[1]);
	desk->sock = socks[0];
	/* it listens when it answers */
	desk_tell(desk, DESK_SYNC, 0, 0, 0, 0);
}

void desk_kill(struct desk *desk)
{
	if (!desk->pid)
		return;
	kill(desk->pid, SIGKILL);
	waitpid(desk->pid, NULL, 0);
	close(desk->sock);
	desk->pid = 0;
}

void desk_finish(struct desk *desk)
{
	char lock[sizeof(desk->path) + 8];

	desk_kill(desk);
	unlink(desk->path);
	snprintf(lock, sizeof(lock), "%s.lock", desk->path);
	unlink(lock);
	munmap(desk->shared, sizeof(*desk->shared));
	desk->shared = NULL;
}

bool desk_tell(struct desk *desk, enum desk_op op, uint32_t window, int32_t a,
	       int32_t b, int32_t c)
{
	const struct desk_cmd cmd = {
		.op = op, .window = window, .a = a, .b = b, .c = c,
	};
	char answer;

	return desk->pid && write(desk->sock, &cmd, sizeof(cmd)) ==
		sizeof(cmd) && read(desk->sock, &answer, 1) == 1;
}

struct desk_window *desk_find(struct desk *desk, const char *app_id)
{
	if (!desk_tell(desk, DESK_SYNC, 0, 0, 0, 0))
		return NULL;
	for (unsigned int i = 0; i < DESK_WINDOWS; i++) {
		struct desk_window *win = &desk->shared->windows[i];

		if (win->used && !strcmp(win->app_id, app_id))
			return win;
	}
	return NULL;
}
