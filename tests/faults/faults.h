/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls that fail. A program of the tests is linked so that what the code under
 * test calls of the C library, of pixman and of libpng comes here first
 * (wraps.c, --wrap of the linker), and so do its calls of port.h (port.c). In each
 * run one of them fails once, in the processes of one role.
 *
 * Calls that are made inside of libraries do not come here: they are theirs to
 * check, and what they make of a failure is a call of ours that fails.
 */
#ifndef TESTS_FAULTS_FAULTS_H
#define TESTS_FAULTS_FAULTS_H

#include <stdbool.h>
#include <stddef.h>

/* Whose calls are counted; the fork()s of a test are nobody's. */
enum fault_role {
	FAULT_NOBODY,
	FAULT_SUPERVISOR,
	FAULT_WORKER,
	FAULT_KEYBOARD,
	FAULT_VIEWER,
	FAULT_TOOL,
};

/* In the test, before it starts a process whose calls are to fail. */
void faults_init(void);

/*
 * The @nth run of a series: one call of such processes fails, the first that did
 * not in any run of it before. The second malloc() is the same one in each run,
 * whatever else has been called meanwhile.
 */
void faults_arm(enum fault_role role, unsigned int nth);

/* No more. True when a call has failed. */
bool faults_disarm(void);

/*
 * What failed and, with FAULTS_SHOW in the environment, where; "" when nothing
 * did.
 */
const char *faults_hit(void);

/* Bytes that the worker had allocated when it last waited for something. */
size_t faults_heap(void);

/* Who makes or opens what is in directory @from gets it in @to. */
void faults_redirect(const char *from, const char *to);
const char *faults_path(const char *path, char buf[160]);

/* Of this process, and what it forks. */
void faults_set_role(enum fault_role role);

/* Of a worker that is about to wait. */
void faults_note_heap(size_t bytes);

/* Is it this call that fails? @pc: where it is made. */
bool fault_at(const char *call, void *pc);

#define fault(call)	fault_at(call, __builtin_return_address(0))

/* What the machine in memory calls itself is not counted. */
void faults_enter(void);
void faults_leave(void);

#endif /* TESTS_FAULTS_FAULTS_H */
