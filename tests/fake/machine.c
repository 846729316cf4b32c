// SPDX-License-Identifier: GPL-2.0-or-later
/* The machine itself: memory, lock, waiting, domains, the guest's side. */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "machine.h"

#define LOOK_MS	50

void machine_fail(const char *what)
{
	fprintf(stderr, "fake Xen: %s\n", what);
	abort();
}

void machine_lock(struct fake *fake)
{
	int ret = pthread_mutex_lock(&fake->lock);

	/* A worker was killed with the lock held: each change is small. */
	if (ret == EOWNERDEAD)
		ret = pthread_mutex_consistent(&fake->lock);
	if (ret)
		machine_fail("lock");
}

void machine_unlock(struct fake *fake)
{
	pthread_mutex_unlock(&fake->lock);
	machine_signal_fd(fake->change_fd);
}

void machine_signal_fd(int fd)
{
	const uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		machine_fail("eventfd");
}

void machine_drain_fd(int fd)
{
	uint64_t count;

	if (read(fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		machine_fail("eventfd");
}

static int new_eventfd(void)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	if (fd < 0)
		machine_fail("no descriptors");
	return fd;
}

struct fake *fake_create(void)
{
	const size_t memory = (size_t)NR_PAGES * FAKE_PAGE_SIZE;
	pthread_mutexattr_t attr;
	struct fake *fake;

	fake = mmap(NULL, sizeof(*fake), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (fake == MAP_FAILED)
		machine_fail("no memory");

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&fake->lock, &attr);
	pthread_mutexattr_destroy(&attr);

	fake->memory_fd = memfd_create("fake-xen", MFD_CLOEXEC);
	if (fake->memory_fd < 0 || ftruncate(fake->memory_fd, (off_t)memory))
		machine_fail("no memory");
	fake->memory = mmap(NULL, memory, PROT_READ | PROT_WRITE, MAP_SHARED,
			    fake->memory_fd, 0);
	if (fake->memory == MAP_FAILED)
		machine_fail("no memory");

	fake->change_fd = new_eventfd();
	for (int i = 0; i < MAX_BUSES; i++)
		fake->bus_fd[i] = new_eventfd();
	for (int i = 0; i < MAX_STORES; i++)
		fake->store_fd[i] = new_eventfd();
	for (int i = 0; i < MAX_WATCHES; i++)
		fake->watch[i].store = -1;
	fake->next_page = 1;
	fake_domain_create(fake, 0);
	return fake;
}

void fake_destroy(struct fake *fake)
{
	for (int i = 0; i < MAX_BUSES; i++)
		close(fake->bus_fd[i]);
	for (int i = 0; i < MAX_STORES; i++)
		close(fake->store_fd[i]);
	close(fake->change_fd);
	munmap(fake->memory, (size_t)NR_PAGES * FAKE_PAGE_SIZE);
	close(fake->memory_fd);
	pthread_mutex_destroy(&fake->lock);
	munmap(fake, sizeof(*fake));
}

bool fake_owns_fd(const struct fake *fake, int fd)
{
	bool ours = fd == fake->memory_fd || fd == fake->change_fd;

	for (int i = 0; i < MAX_BUSES; i++)
		ours = ours || fd == fake->bus_fd[i];
	for (int i = 0; i < MAX_STORES; i++)
		ours = ours || fd == fake->store_fd[i];
	return ours;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static bool is_stopped(pid_t pid)
{
	char path[64], state = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file || fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
		machine_fail("a process to stop");
	fclose(file);
	return state == 'T';
}

void fake_stop(struct fake *fake, pid_t pid)
{
	machine_lock(fake);
	kill(pid, SIGSTOP);
	while (!is_stopped(pid))
		sched_yield();
	machine_unlock(fake);
}

bool fake_wait(struct fake *fake, bool (*cond)(void *ctx), void *ctx,
	       int timeout_ms)
{
	struct pollfd pfd = { .fd = fake->change_fd, .events = POLLIN };
	int64_t left = timeout_ms;

	for (;;) {
		int64_t before = now_ms(), passed;

		machine_drain_fd(fake->change_fd);
		machine_lock(fake);
		machine_reap(fake);
		pthread_mutex_unlock(&fake->lock);
		if (cond(ctx))
			return true;
		if (left <= 0)
			return false;
		/* A process that dies signals nothing: look now and then. */
		poll(&pfd, 1, left < LOOK_MS ? (int)left : LOOK_MS);
		/* when the machine stood still, nobody could do anything */
		passed = now_ms() - before;
		left -= passed < 2 * LOOK_MS ? passed : 2 * LOOK_MS;
	}
}

/* Gone, or a zombie that its parent has not asked for yet. */
static bool is_dead(pid_t pid)
{
	char path[32], text[512], *state;
	FILE *file;
	size_t len;

	if (!pid || pid == getpid())
		return false;
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return true;
	len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[len] = '\0';
	state = strrchr(text, ')');
	return !state || state[2] == 'Z' || state[2] == 'X';
}

void machine_reap(struct fake *fake)
{
	for (int i = 0; i < MAX_BUSES; i++)
		if (is_dead(fake->bus[i].pid))
			machine_close_bus(fake, i);
	for (int i = 0; i < MAX_STORES; i++)
		if (is_dead(fake->store[i].pid))
			machine_close_store(fake, i);
}

/* Domains */

struct fake_domain *machine_domain(struct fake *fake, uint32_t domid)
{
	for (int i = 0; i < MAX_DOMAINS; i++)
		if (fake->domain[i].used && fake->domain[i].domid == domid)
			return &fake->domain[i];
	return NULL;
}

static struct fake_domain *must_domain(struct fake *fake, uint32_t domid)
{
	struct fake_domain *dom = machine_domain(fake, domid);

	if (!dom)
		machine_fail("no such domain");
	return dom;
}

static unsigned int mapped_by_all(const struct fake_domain *dom)
{
	unsigned int sum = 0;

	for (int i = 0; i < MAX_BUSES; i++)
		sum += dom->mapped[i];
	return sum;
}

void fake_domain_create(struct fake *fake, uint32_t domid)
{
	struct fake_domain *dom;
	int i;

	machine_lock(fake);
	dom = machine_domain(fake, domid);
	for (i = 0; !dom && i < MAX_DOMAINS; i++)
		if (!fake->domain[i].used)
			dom = &fake->domain[i];
	if (!dom || dom->alive || mapped_by_all(dom))
		machine_fail("domains");
	memset(dom, 0, sizeof(*dom));
	dom->domid = domid;
	dom->used = true;
	dom->alive = true;
	dom->next_gref = FIRST_GREF;
	machine_fire(fake, "@introduceDomain");
	machine_unlock(fake);
}

void fake_domain_kill(struct fake *fake, uint32_t domid)
{
	struct fake_domain *dom;

	machine_lock(fake);
	dom = must_domain(fake, domid);
	dom->alive = false;
	for (int i = 0; i < MAX_GRANTS; i++)
		dom->grant[i].used = false;
	for (int i = 0; i < MAX_PORTS; i++)
		if (fake->channel[i].domid == domid)
			fake->channel[i].used = false;
	machine_fire(fake, "@releaseDomain");
	machine_unlock(fake);
}

bool fake_domain_exists(struct fake *fake, uint32_t domid)
{
	return machine_domain(fake, domid);
}

pid_t fake_domain_worker(struct fake *fake, uint32_t domid)
{
	struct fake_domain *dom;
	pid_t pid = 0;

	machine_lock(fake);
	machine_reap(fake);
	dom = must_domain(fake, domid);
	for (int i = 0; i < MAX_BUSES; i++)
		if (dom->mapped[i])
			pid = fake->bus[i].pid;
	pthread_mutex_unlock(&fake->lock);
	return pid;
}

unsigned int fake_domain_mapped(struct fake *fake, uint32_t domid)
{
	unsigned int mapped;

	machine_lock(fake);
	machine_reap(fake);
	mapped = mapped_by_all(must_domain(fake, domid)) +
		machine_exported(fake, 0, NR_PAGES);
	pthread_mutex_unlock(&fake->lock);
	return mapped;
}

unsigned int fake_domain_mappings_ever(struct fake *fake, uint32_t domid)
{
	unsigned int mapped;

	machine_lock(fake);
	mapped = must_domain(fake, domid)->mapped_ever;
	pthread_mutex_unlock(&fake->lock);
	return mapped;
}

/* Guest memory */

static bool pages_free_at(const struct fake *fake, uint32_t first,
			  unsigned int num)
{
	for (unsigned int i = 0; i < num; i++)
		if (fake->page_used[first + i])
			return false;
	return true;
}

void *fake_pages_alloc(struct fake *fake, unsigned int num)
{
	uint32_t first;
	void *pages;

	machine_lock(fake);
	first = fake->next_page;
	if (first + num > NR_PAGES)
		first = 1;
	while (first + num <= NR_PAGES && !pages_free_at(fake, first, num))
		first++;
	if (!num || first + num > NR_PAGES)
		machine_fail("pages");
	memset(fake->page_used + first, 1, num);
	fake->next_page = first + num;
	pages = fake->memory + (size_t)first * FAKE_PAGE_SIZE;
	memset(pages, 0, (size_t)num * FAKE_PAGE_SIZE);
	pthread_mutex_unlock(&fake->lock);
	return pages;
}

static uint32_t page_index(const struct fake *fake, const void *page)
{
	size_t offset = (size_t)((const uint8_t *)page - fake->memory);

	if (offset % FAKE_PAGE_SIZE || offset / FAKE_PAGE_SIZE >= NR_PAGES)
		machine_fail("not a page of the machine");
	return (uint32_t)(offset / FAKE_PAGE_SIZE);
}

void fake_pages_free(struct fake *fake, void *pages, unsigned int num)
{
	machine_lock(fake);
	memset(fake->page_used + page_index(fake, pages), 0, num);
	pthread_mutex_unlock(&fake->lock);
}

/* Grants */

uint32_t fake_grant(struct fake *fake, uint32_t domid, void *page,
		    bool writable)
{
	struct fake_domain *dom;
	uint32_t ref;

	machine_lock(fake);
	dom = must_domain(fake, domid);
	ref = dom->next_gref;
	for (int tried = 0; dom->grant[ref].used; tried++) {
		if (tried == MAX_GRANTS)
			machine_fail("grants");
		if (++ref >= MAX_GRANTS)
			ref = FIRST_GREF;
	}
	dom->next_gref = ref + 1 < MAX_GRANTS ? ref + 1 : FIRST_GREF;
	dom->grant[ref] = (struct fake_grant){
		.page = page_index(fake, page), .used = true,
		.writable = writable,
	};
	pthread_mutex_unlock(&fake->lock);
	return ref;
}

int fake_grant_end(struct fake *fake, uint32_t domid, uint32_t gref)
{
	struct fake_domain *dom;
	int ret = 0;

	machine_lock(fake);
	machine_reap(fake);
	dom = must_domain(fake, domid);
	if (gref >= MAX_GRANTS || !dom->grant[gref].used)
		machine_fail("end of a grant that is not");
	for (int i = 0; i < MAX_BUSES; i++)
		if (dom->grant[gref].maps[i])
			ret = -EBUSY;
	if (machine_exported(fake, dom->grant[gref].page, 1))
		ret = -EBUSY;
	if (!ret)
		dom->grant[gref].used = false;
	pthread_mutex_unlock(&fake->lock);
	return ret;
}

/* Event channels */

static struct fake_channel *must_channel(struct fake *fake, uint32_t domid,
					 uint32_t port)
{
	for (int i = 0; i < MAX_PORTS; i++) {
		struct fake_channel *c = &fake->channel[i];

		if (c->used && c->domid == domid && c->port == port)
			return c;
	}
	machine_fail("no such port");
}

uint32_t fake_port_alloc(struct fake *fake, uint32_t domid)
{
	uint32_t i;

	machine_lock(fake);
	for (i = 0; i < MAX_PORTS && fake->channel[i].used; i++)
		;
	if (i == MAX_PORTS)
		machine_fail("ports");
	fake->channel[i] = (struct fake_channel){
		.used = true, .domid = domid, .port = 100 + i, .bus = -1,
	};
	pthread_mutex_unlock(&fake->lock);
	return 100 + i;
}

void fake_port_free(struct fake *fake, uint32_t domid, uint32_t port)
{
	machine_lock(fake);
	must_channel(fake, domid, port)->used = false;
	pthread_mutex_unlock(&fake->lock);
}

void machine_raise(struct fake *fake, struct fake_channel *channel)
{
	if (channel->bus < 0)
		return;
	if (channel->masked) {
		channel->raised = true;
		return;
	}
	channel->raised = false;
	channel->masked = true;
	channel->queued = true;
	machine_signal_fd(fake->bus_fd[channel->bus]);
}

void fake_port_notify(struct fake *fake, uint32_t domid, uint32_t port)
{
	machine_lock(fake);
	machine_raise(fake, must_channel(fake, domid, port));
	pthread_mutex_unlock(&fake->lock);
}

bool fake_port_bound(struct fake *fake, uint32_t domid, uint32_t port)
{
	bool bound;

	machine_lock(fake);
	machine_reap(fake);
	bound = must_channel(fake, domid, port)->bus >= 0;
	pthread_mutex_unlock(&fake->lock);
	return bound;
}

unsigned int fake_port_signals(struct fake *fake, uint32_t domid,
			       uint32_t port)
{
	unsigned int signals;

	machine_lock(fake);
	signals = must_channel(fake, domid, port)->signals;
	pthread_mutex_unlock(&fake->lock);
	return signals;
}
