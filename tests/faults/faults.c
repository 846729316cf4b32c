// SPDX-License-Identifier: GPL-2.0-or-later
/* Which call fails. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <sanitizer/common_interface_defs.h>

#include "faults.h"

/* For a program that is executed: the descriptor of what is shared. */
#define ENV_FD	"FAULTS_FD"

/* Calls are counted by name: two that share a place do no harm. */
#define NR_NAMES	1024u

/* Shared by all processes of a test. */
struct shared {
	enum fault_role role;
	bool armed;
	unsigned int count[NR_NAMES];	/* in this run */
	unsigned int failed[NR_NAMES];	/* of them, in this run and before */
	bool show;
	char hit[256];
	size_t heap;
};

static struct shared *shared;
static enum fault_role own_role;
static unsigned int entered;

static void attach(int fd)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED, fd, 0);
	if (shared == MAP_FAILED)
		abort();
}

void faults_init(void)
{
	char text[12];
	int fd;

	if (shared)
		return;
	fd = memfd_create("faults", 0);
	if (fd < 0 || ftruncate(fd, sizeof(*shared)))
		abort();
	attach(fd);
	shared->show = getenv("FAULTS_SHOW");
	snprintf(text, sizeof(text), "%d", fd);
	setenv(ENV_FD, text, 1);
}

__attribute__((constructor)) static void be_the_tool(void)
{
	const char *fd = getenv(ENV_FD);

	if (!fd)
		return;
	attach(atoi(fd));
	own_role = FAULT_TOOL;
}

void faults_arm(enum fault_role role, unsigned int nth)
{
	if (nth == 1)
		memset(shared->failed, 0, sizeof(shared->failed));
	memset(shared->count, 0, sizeof(shared->count));
	shared->hit[0] = '\0';
	shared->role = role;
	__atomic_store_n(&shared->armed, true, __ATOMIC_SEQ_CST);
}

bool faults_disarm(void)
{
	__atomic_store_n(&shared->armed, false, __ATOMIC_SEQ_CST);
	return shared->hit[0];
}

const char *faults_hit(void)
{
	return shared->hit;
}

size_t faults_heap(void)
{
	return __atomic_load_n(&shared->heap, __ATOMIC_SEQ_CST);
}

void faults_note_heap(size_t bytes)
{
	if (shared && own_role == FAULT_WORKER)
		__atomic_store_n(&shared->heap, bytes, __ATOMIC_SEQ_CST);
}

static char redirect_from[80], redirect_to[80];

void faults_redirect(const char *from, const char *to)
{
	snprintf(redirect_from, sizeof(redirect_from), "%s", from);
	snprintf(redirect_to, sizeof(redirect_to), "%s", to);
}

const char *faults_path(const char *path, char buf[160])
{
	const size_t len = strlen(redirect_from);

	if (!len || strncmp(path, redirect_from, len))
		return path;
	snprintf(buf, 160, "%s%s", redirect_to, path + len);
	return buf;
}

void faults_set_role(enum fault_role role)
{
	own_role = role;
}

void faults_enter(void)
{
	entered++;
}

void faults_leave(void)
{
	entered--;
}

/* The caller of the wrapper, by name: takes a while. */
static void add_place(void *pc)
{
	size_t len = strlen(shared->hit);

	faults_enter();
	__sanitizer_symbolize_pc(pc, " in %f, %s:%l", shared->hit + len,
				 sizeof(shared->hit) - len);
	faults_leave();
}

static unsigned int place_of(const char *call)
{
	unsigned int hash = 5381;

	while (*call)
		hash = hash * 33 + (unsigned char)*call++;
	return hash % NR_NAMES;
}

/* Is it this one that has not failed yet, and the first of such in this run? */
static bool is_its_turn(unsigned int place)
{
	unsigned int count = __atomic_add_fetch(&shared->count[place], 1,
						__ATOMIC_SEQ_CST);

	if (count <= shared->failed[place] ||
	    !__atomic_exchange_n(&shared->armed, false, __ATOMIC_SEQ_CST))
		return false;
	shared->failed[place] = count;
	return true;
}

bool fault_at(const char *call, void *pc)
{
	if (!shared || !own_role || entered ||
	    !__atomic_load_n(&shared->armed, __ATOMIC_SEQ_CST) ||
	    shared->role != own_role || !is_its_turn(place_of(call)))
		return false;
	snprintf(shared->hit, sizeof(shared->hit), "%s", call);
	if (shared->show)
		add_place(pc);
	return true;
}
