/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside the machine: one block of shared memory, one lock. */
#ifndef TESTS_FAKE_MACHINE_H
#define TESTS_FAKE_MACHINE_H

#include <pthread.h>
#include <sys/types.h>

#include "fake.h"

#define MAX_DOMAINS	16
#define MAX_GRANTS	40000	/* per domain; Linux's default is 32768 */
#define FIRST_GREF	8	/* those below are Xen's */
#define MAX_PORTS	512
#define MAX_BUSES	64
#define MAX_STORES	16
#define MAX_NODES	4096
#define MAX_WATCHES	512
#define MAX_EVENTS	512
#define NR_PAGES	(1u << 18)	/* 1 GiB, as far as it is touched */
#define PATH_SIZE	160
#define TEXT_SIZE	512
#define TOKEN_SIZE	160

struct fake_grant {
	uint32_t page;
	bool used;
	bool writable;
	uint8_t maps[MAX_BUSES];	/* by whom it is mapped, how often */
};

struct fake_domain {
	uint32_t domid;
	bool used;
	bool alive;
	unsigned int mapped[MAX_BUSES];
	unsigned int mapped_ever;
	uint32_t next_gref;
	struct fake_grant grant[MAX_GRANTS];
};

/* An event channel: a guest's port, maybe bound to a port of a bus. */
struct fake_channel {
	bool used;
	uint32_t domid;
	uint32_t port;
	int bus;		/* -1: unbound */
	bool raised;		/* signalled while masked */
	bool masked;
	bool queued;
	unsigned int signals;	/* towards the guest */
};

struct fake_bus {
	pid_t pid;		/* 0: free */
};

struct fake_node {
	bool used;
	char path[PATH_SIZE];
	char text[TEXT_SIZE];
};

struct fake_watch {
	int store;		/* -1: free */
	char path[PATH_SIZE];
	char token[TOKEN_SIZE];
};

struct fake_event {
	char path[PATH_SIZE];
	char token[TOKEN_SIZE];
};

struct fake_store {
	pid_t pid;		/* 0: free */
	unsigned int head;
	unsigned int tail;
	struct fake_event event[MAX_EVENTS];
};

struct fake {
	pthread_mutex_t lock;
	uint32_t own_domain;	/* the daemon's */
	bool exports;
	int memory_fd;
	uint8_t *memory;
	int change_fd;
	int bus_fd[MAX_BUSES];
	int store_fd[MAX_STORES];
	struct fake_bus bus[MAX_BUSES];
	struct fake_store store[MAX_STORES];
	struct fake_domain domain[MAX_DOMAINS];
	struct fake_channel channel[MAX_PORTS];
	struct fake_node node[MAX_NODES];
	unsigned int nr_nodes;
	struct fake_watch watch[MAX_WATCHES];
	unsigned int foreign_writes;
	unsigned int store_reads;
	unsigned int store_writes;
	bool store_lost;		/* xenstored has ended */
	bool no_bus;			/* nobody may open one */
	unsigned int bus_tries;
	unsigned int failing_maps;	/* so many of those to come */
	int map_err;
	uint32_t next_page;
	uint8_t page_used[NR_PAGES];
	/* pages that a bus shares: to whom and which one; its page is the gref */
	uint16_t shared_with[NR_PAGES];	/* domain + 1, 0: not shared */
	uint8_t shared_by[NR_PAGES];
};

void machine_fail(const char *what) __attribute__((noreturn));
void machine_lock(struct fake *fake);
void machine_unlock(struct fake *fake);		/* and wake the waiters */
void machine_signal_fd(int fd);
void machine_drain_fd(int fd);

struct fake_domain *machine_domain(struct fake *fake, uint32_t domid);

/* With the lock held: give back what dead processes had. */
void machine_reap(struct fake *fake);

/* With the lock held: forget a bus, its mappings and its bindings, by bus.c. */
void machine_close_bus(struct fake *fake, int bus);

/* Has somebody a dma-buf of one of these pages? By export.c. */
bool machine_exported(struct fake *fake, uint32_t page, unsigned int num);

/* With the lock held: signal the daemon's end of a channel. */
void machine_raise(struct fake *fake, struct fake_channel *channel);

/* With the lock held: something changed at a path or "@...", by store.c. */
void machine_fire(struct fake *fake, const char *path);

/* With the lock held: forget a store and its watches, by store.c. */
void machine_close_store(struct fake *fake, int store);

#endif /* TESTS_FAKE_MACHINE_H */
