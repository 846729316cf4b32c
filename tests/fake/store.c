// SPDX-License-Identifier: GPL-2.0-or-later
/* XenStore: nodes, watches, and the store of port.h over them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "machine.h"


struct fake_store_handle {
	struct xd_store base;
	struct fake *fake;
	int index;
};

static struct fake_store_handle *to_handle(struct xd_store *store)
{
	return (struct fake_store_handle *)store;
}

/* Is @path @dir itself or something below it? */
static bool is_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return !strncmp(path, dir, len) && (!path[len] || path[len] == '/');
}

static struct fake_node *find_node(struct fake *fake, const char *path)
{
	for (unsigned int i = 0; i < fake->nr_nodes; i++)
		if (fake->node[i].used && !strcmp(fake->node[i].path, path))
			return &fake->node[i];
	return NULL;
}

static bool is_directory(struct fake *fake, const char *path)
{
	for (unsigned int i = 0; i < fake->nr_nodes; i++)
		if (fake->node[i].used && is_below(fake->node[i].path, path))
			return true;
	return false;
}

/* Watches */

static void queue_event(struct fake *fake, const struct fake_watch *watch,
			const char *path)
{
	struct fake_store *s = &fake->store[watch->store];
	struct fake_event *event;

	if (s->head - s->tail == MAX_EVENTS) {
		/* Too slow to keep up: the same once is enough. */
		for (unsigned int i = s->tail; i != s->head; i++) {
			event = &s->event[i % MAX_EVENTS];
			if (!strcmp(event->token, watch->token) &&
			    !strcmp(event->path, path))
				return;
		}
		machine_fail("watch events");
	}
	event = &s->event[s->head++ % MAX_EVENTS];
	strcpy(event->path, path);
	strcpy(event->token, watch->token);
	machine_signal_fd(fake->store_fd[watch->store]);
}

void machine_fire(struct fake *fake, const char *path)
{
	for (int i = 0; i < MAX_WATCHES; i++)
		if (fake->watch[i].store >= 0 &&
		    is_below(path, fake->watch[i].path))
			queue_event(fake, &fake->watch[i], path);
}

/* With all that was below it: who watched there hears of that. */
static void fire_removed(struct fake *fake, const char *path)
{
	for (int i = 0; i < MAX_WATCHES; i++) {
		const struct fake_watch *w = &fake->watch[i];

		if (w->store >= 0 && strcmp(w->path, path) &&
		    is_below(w->path, path))
			queue_event(fake, w, w->path);
	}
	machine_fire(fake, path);
}

void machine_close_store(struct fake *fake, int store)
{
	for (int i = 0; i < MAX_WATCHES; i++)
		if (fake->watch[i].store == store)
			fake->watch[i].store = -1;
	fake->store[store].pid = 0;
	fake->store[store].head = 0;
	fake->store[store].tail = 0;
	machine_drain_fd(fake->store_fd[store]);
}

/* Nodes */

static int set_node(struct fake *fake, const char *path, const char *text)
{
	struct fake_node *node = find_node(fake, path);

	if (strlen(path) >= PATH_SIZE || strlen(text) >= TEXT_SIZE)
		return -E2BIG;
	for (unsigned int i = 0; !node && i < MAX_NODES; i++)
		if (!fake->node[i].used)
			node = &fake->node[i];
	if (!node)
		machine_fail("nodes");
	if (node >= fake->node + fake->nr_nodes)
		fake->nr_nodes = (unsigned int)(node - fake->node) + 1;
	node->used = true;
	strcpy(node->path, path);
	strcpy(node->text, text);
	machine_fire(fake, path);
	return 0;
}

static char *get_node(struct fake *fake, const char *path)
{
	struct fake_node *node = find_node(fake, path);
	char *text = node ? strdup(node->text) : NULL;

	if (!node && is_directory(fake, path))
		text = strdup("");
	if (!text)
		errno = ENOENT;
	return text;
}

void fake_write(struct fake *fake, const char *path, const char *text)
{
	machine_lock(fake);
	if (set_node(fake, path, text))
		machine_fail("node too big");
	machine_unlock(fake);
}

char *fake_read(struct fake *fake, const char *path)
{
	char *text;

	machine_lock(fake);
	text = get_node(fake, path);
	pthread_mutex_unlock(&fake->lock);
	return text;
}

void fake_remove(struct fake *fake, const char *path)
{
	bool removed = false;

	machine_lock(fake);
	for (unsigned int i = 0; i < fake->nr_nodes; i++) {
		struct fake_node *node = &fake->node[i];

		if (!node->used || !is_below(node->path, path))
			continue;
		node->used = false;
		removed = true;
	}
	if (removed)
		fire_removed(fake, path);
	machine_unlock(fake);
}

unsigned int fake_foreign_writes(struct fake *fake)
{
	return fake->foreign_writes;
}

unsigned int fake_store_reads(struct fake *fake)
{
	return fake->store_reads;
}

unsigned int fake_store_writes(struct fake *fake)
{
	return fake->store_writes;
}

unsigned int fake_watches(struct fake *fake)
{
	unsigned int n = 0;

	machine_lock(fake);
	machine_reap(fake);
	for (int i = 0; i < MAX_WATCHES; i++)
		n += fake->watch[i].store >= 0;
	pthread_mutex_unlock(&fake->lock);
	return n;
}

/* The port */

void fake_set_own_domain(struct fake *fake, uint32_t domid)
{
	char path[PATH_SIZE], text[12];

	fake->own_domain = domid;
	snprintf(text, sizeof(text), "%u", domid);
	snprintf(path, sizeof(path), "/local/domain/%u/domid", domid);
	fake_write(fake, path, text);
}

uint32_t fake_own_domain(const struct fake *fake)
{
	return fake->own_domain;
}

static const char *absolute(const struct fake *fake, const char *path,
			    char buf[2 * PATH_SIZE])
{
	if (path[0] == '/' || path[0] == '@')
		return path;
	snprintf(buf, 2 * PATH_SIZE, "/local/domain/%u/%s", fake->own_domain,
		 path);
	return buf;
}

static bool is_foreign(const struct fake *fake, const char *path)
{
	char own[PATH_SIZE];

	snprintf(own, sizeof(own), "/local/domain/%u", fake->own_domain);
	return is_below(path, "/local/domain") && !is_below(path, own);
}

void fake_lose_store(struct fake *fake, bool lost)
{
	machine_lock(fake);
	fake->store_lost = lost;
	machine_unlock(fake);
}

/* What libxenstore says from then on is EBADF; its descriptor says nothing. */
static bool is_lost(struct fake *fake)
{
	return __atomic_load_n(&fake->store_lost, __ATOMIC_SEQ_CST);
}

static int store_fd(struct xd_store *store)
{
	struct fake_store_handle *h = to_handle(store);

	return h->fake->store_fd[h->index];
}

static char *store_read(struct xd_store *store, const char *path)
{
	struct fake *fake = to_handle(store)->fake;
	char buf[2 * PATH_SIZE];

	if (is_lost(fake)) {
		errno = EBADF;
		return NULL;
	}
	__atomic_add_fetch(&fake->store_reads, 1, __ATOMIC_RELAXED);
	return fake_read(fake, absolute(fake, path, buf));
}

static bool parent_exists(const struct fake *fake, const char *path)
{
	size_t len = (size_t)(strrchr(path, '/') - path);

	for (unsigned int i = 0; i < fake->nr_nodes; i++) {
		const struct fake_node *node = &fake->node[i];

		if (node->used && !strncmp(node->path, path, len) &&
		    (!node->path[len] || node->path[len] == '/'))
			return true;
	}
	return false;
}

static int store_write(struct xd_store *store, const char *path,
		       const char *text)
{
	struct fake *fake = to_handle(store)->fake;
	char buf[2 * PATH_SIZE];
	int ret;

	if (is_lost(fake))
		return -EBADF;
	path = absolute(fake, path, buf);
	machine_lock(fake);
	fake->store_writes++;
	if (is_foreign(fake, path))
		fake->foreign_writes++;
	/* as the port says: never makes a directory again */
	ret = parent_exists(fake, path) ? set_node(fake, path, text) : -ENOENT;
	machine_unlock(fake);
	return ret;
}

/* What is above has no node of its own here: it goes with its last child. */
static int store_remove(struct xd_store *store, const char *path)
{
	struct fake *fake = to_handle(store)->fake;

	if (is_lost(fake))
		return -EBADF;
	if (is_foreign(fake, path))
		fake->foreign_writes++;
	fake_remove(fake, path);
	return 0;
}

/* Adds @name to names that grow one after the other, if it is not there. */
static unsigned int add_name(char (*names)[PATH_SIZE], unsigned int num,
			     const char *name, size_t len)
{
	for (unsigned int i = 0; i < num; i++)
		if (strlen(names[i]) == len && !strncmp(names[i], name, len))
			return num;
	memcpy(names[num], name, len);
	names[num][len] = '\0';
	return num + 1;
}

/* One block for the caller to free: the pointers, then what they point to. */
static char **pack(char (*names)[PATH_SIZE], unsigned int num)
{
	char **list = malloc((num + 1) * (sizeof(char *) + PATH_SIZE));
	char *text = (char *)(list + num + 1);

	if (!list)
		return NULL;
	for (unsigned int i = 0; i < num; i++, text += PATH_SIZE)
		list[i] = strcpy(text, names[i]);
	return list;
}

static char **store_list(struct xd_store *store, const char *path,
			 unsigned int *ret_num)
{
	struct fake *fake = to_handle(store)->fake;
	char (*names)[PATH_SIZE];
	char buf[2 * PATH_SIZE], **list = NULL;
	unsigned int num = 0;
	bool exists;
	size_t len;

	if (is_lost(fake)) {
		errno = EBADF;
		return NULL;
	}
	names = malloc(MAX_NODES * sizeof(*names));
	if (!names)
		return NULL;
	path = absolute(fake, path, buf);
	len = strlen(path);
	machine_lock(fake);
	exists = is_directory(fake, path);
	for (unsigned int i = 0; i < fake->nr_nodes; i++) {
		const char *p = fake->node[i].path;

		if (fake->node[i].used && is_below(p, path) && p[len])
			num = add_name(names, num, p + len + 1,
				       strcspn(p + len + 1, "/"));
	}
	pthread_mutex_unlock(&fake->lock);
	if (exists)
		list = pack(names, num);
	else
		errno = ENOENT;
	free(names);
	*ret_num = num;
	return list;
}

static int store_watch(struct xd_store *store, const char *path,
		       const char *token)
{
	struct fake_store_handle *h = to_handle(store);
	struct fake_watch *w = NULL;
	char buf[2 * PATH_SIZE];

	if (is_lost(h->fake))
		return -EBADF;
	path = absolute(h->fake, path, buf);
	if (strlen(path) >= PATH_SIZE || strlen(token) >= TOKEN_SIZE)
		return -E2BIG;
	machine_lock(h->fake);
	for (int i = 0; !w && i < MAX_WATCHES; i++)
		if (h->fake->watch[i].store < 0)
			w = &h->fake->watch[i];
	if (!w)
		machine_fail("watches");
	w->store = h->index;
	strcpy(w->path, path);
	strcpy(w->token, token);
	queue_event(h->fake, w, w->path);
	machine_unlock(h->fake);
	return 0;
}

static int store_unwatch(struct xd_store *store, const char *path,
			 const char *token)
{
	struct fake_store_handle *h = to_handle(store);
	char buf[2 * PATH_SIZE];
	int ret = -ENOENT;

	if (is_lost(h->fake))
		return -EBADF;
	path = absolute(h->fake, path, buf);
	machine_lock(h->fake);
	for (int i = 0; ret && i < MAX_WATCHES; i++) {
		struct fake_watch *w = &h->fake->watch[i];

		if (w->store != h->index || strcmp(w->path, path) ||
		    strcmp(w->token, token))
			continue;
		w->store = -1;
		ret = 0;
	}
	machine_unlock(h->fake);
	return ret;
}

/* In one block, as port.h has it. */
static char **copy_event(const struct fake_event *event)
{
	char **copy = malloc(2 * sizeof(*copy) + sizeof(*event));
	struct fake_event *text = (struct fake_event *)(copy + 2);

	if (!copy)
		machine_fail("memory");
	*text = *event;
	copy[XD_WATCH_PATH] = text->path;
	copy[XD_WATCH_TOKEN] = text->token;
	return copy;
}

static char **store_next_watch(struct xd_store *store)
{
	struct fake_store_handle *h = to_handle(store);
	struct fake_store *s = &h->fake->store[h->index];
	char **event = NULL;

	machine_lock(h->fake);
	if (s->tail != s->head)
		event = copy_event(&s->event[s->tail++ % MAX_EVENTS]);
	if (s->tail == s->head)
		machine_drain_fd(h->fake->store_fd[h->index]);
	pthread_mutex_unlock(&h->fake->lock);
	if (!event)
		errno = EAGAIN;
	return event;
}

static int store_domain_alive(struct xd_store *store, uint32_t domid)
{
	struct fake *fake = to_handle(store)->fake;
	struct fake_domain *dom;
	bool alive;

	if (is_lost(fake))
		return -EBADF;
	machine_lock(fake);
	dom = machine_domain(fake, domid);
	alive = (dom && dom->alive) || fake->own_domain;
	pthread_mutex_unlock(&fake->lock);
	return alive;
}

static void store_destroy(struct xd_store *store)
{
	struct fake_store_handle *h = to_handle(store);

	machine_lock(h->fake);
	machine_close_store(h->fake, h->index);
	machine_unlock(h->fake);
	free(h);
}

static const struct xd_store_ops fake_store_ops = {
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

struct xd_store *fake_store_open(struct fake *fake)
{
	struct fake_store_handle *h = calloc(1, sizeof(*h));
	int i;

	if (!h)
		return NULL;
	machine_lock(fake);
	machine_reap(fake);
	for (i = 0; i < MAX_STORES && fake->store[i].pid; i++)
		;
	if (i == MAX_STORES)
		machine_fail("stores");
	fake->store[i].pid = getpid();
	machine_unlock(fake);
	h->base.ops = &fake_store_ops;
	h->fake = fake;
	h->index = i;
	return &h->base;
}
