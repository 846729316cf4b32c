/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is taken from a worker before it reads the first byte that its guest
 * wrote: 0 or -errno; what is gone does not come back.
 */
#ifndef XD_SANDBOX_SANDBOX_H
#define XD_SANDBOX_SANDBOX_H

#include <stddef.h>
#include <stdint.h>

/*
 * Workers of different guests run as different users: this one and the guest's
 * domain id. No system hands out numbers from here on; nothing owns files as
 * one of them.
 */
#define XD_SANDBOX_FIRST_UID	0x70000000u

/**
 * xd_sandbox_rights() - become a user without rights
 * @user:	its name; "" for one of the guest's own, above, or, where that cannot
 *		be, the first of xen-displayd and nobody
 * @domid:	the guest's
 *
 * No groups, no capabilities, no new privileges, no core files
 * for whatever collects them. A process that is
 * not root keeps its user.
 *
 * Return: -ENOENT when there is no such user.
 */
int xd_sandbox_rights(const char *user, uint32_t domid);

/* Those who serve one guest, and those who serve one client of it. */
enum xd_sandbox_role { XD_SANDBOX_WORKER, XD_SANDBOX_VIEWER };

/**
 * xd_sandbox_calls() - give up all system calls but those of a process at work
 * @role:	a viewer may also wait with select(2), and ask its socket who it is;
 *		it cannot use Xen's devices
 * @denied:	told, in a signal handler, for which one the process dies
 *
 * What is open can be read, written, waited for, and mapped, though not to be
 * executed; nothing can be opened but memory, a timer, an epoll. Anything else
 * kills the process with SIGSYS. Needs PR_SET_NO_NEW_PRIVS.
 *
 * Return: -EINVAL or -ENOSYS of a kernel without seccomp filters.
 */
int xd_sandbox_calls(enum xd_sandbox_role role, void (*denied)(int call));

/* Its name, or its number. */
void xd_sandbox_call_name(int call, char *name, size_t size);

#endif /* XD_SANDBOX_SANDBOX_H */
