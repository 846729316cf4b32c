/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sandbox/sandbox.h"

#define ALL(calls)	calls, sizeof(calls) / sizeof((calls)[0])

/* Of a process that serves with what it has. */
static const int allowed[] = {
	/* waiting */
	SCMP_SYS(epoll_create1),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(timerfd_create),
	SCMP_SYS(timerfd_settime),
	SCMP_SYS(timerfd_settime64),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_gettime64),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(clock_nanosleep_time64),
	SCMP_SYS(time),
	/* descriptors that are open */
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(close),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendmsg),
	SCMP_SYS(lseek),
	SCMP_SYS(fstat),
	SCMP_SYS(fcntl),
	SCMP_SYS(fcntl64),
	SCMP_SYS(memfd_create),
	SCMP_SYS(ftruncate),
	/* memory */
	SCMP_SYS(brk),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	/* the C library */
	SCMP_SYS(futex),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(getrandom),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

/* Of a viewer's library besides. */
static const int viewers[] = {
	SCMP_SYS(select),
	SCMP_SYS(_newselect),
	SCMP_SYS(pselect6),
	SCMP_SYS(pselect6_time64),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(ppoll_time64),
	SCMP_SYS(recvfrom),
	SCMP_SYS(shutdown),
	SCMP_SYS(setsockopt),
	SCMP_SYS(getsockopt),
	SCMP_SYS(getpeername),
	SCMP_SYS(getsockname),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(uname),
	SCMP_SYS(alarm),
	SCMP_SYS(setitimer),
};

/* Libraries try them (the time zone, the user's name) and go on without. */
static const int refused[] = {
	SCMP_SYS(open),
	SCMP_SYS(openat),
	SCMP_SYS(stat),
	SCMP_SYS(stat64),
	SCMP_SYS(newfstatat),
	SCMP_SYS(fstatat64),
	SCMP_SYS(statx),
	SCMP_SYS(access),
	SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2),
	SCMP_SYS(socket),
};

static void (*tell_denied)(int call);

static void on_denied(int signal, siginfo_t *info, void *context)
{
	tell_denied(info->si_syscall);
	/* the action is the default one again */
	raise(SIGSYS);
}

static int catch_denied(void (*denied)(int call))
{
	struct sigaction action = {
		.sa_sigaction = on_denied,
		.sa_flags = SA_SIGINFO | SA_RESETHAND | SA_NODEFER,
	};

	tell_denied = denied;
	return sigaction(SIGSYS, &action, NULL) ? -errno : 0;
}

static int add_all(scmp_filter_ctx filter, uint32_t action, const int *calls,
		   size_t nr_calls)
{
	int ret = 0;

	/* negative: this machine does not have it */
	for (size_t i = 0; i < nr_calls && !ret; i++)
		if (calls[i] >= 0)
			ret = seccomp_rule_add(filter, action, calls[i], 0);
	return ret;
}

/* Memory must not become executable. */
static int add_memory(scmp_filter_ctx filter)
{
	static const int calls[] = {
		SCMP_SYS(mmap), SCMP_SYS(mmap2), SCMP_SYS(mprotect),
	};
	int ret = 0;

	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls) && !ret; i++)
		if (calls[i] >= 0)
			ret = seccomp_rule_add(filter, SCMP_ACT_ALLOW,
					       calls[i], 1,
					       SCMP_A2(SCMP_CMP_MASKED_EQ,
						       PROT_EXEC, 0));
	return ret;
}

/* Of gntdev and gntalloc, of evtchn, of graphics cards, whatever the rest. */
static int add_ioctls(scmp_filter_ctx filter)
{
	static const char types[] = { 'G', 'E', 'd' };
	int ret = 0;

	for (size_t i = 0; i < sizeof(types) && !ret; i++)
		ret = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl),
				       1, SCMP_A1(SCMP_CMP_MASKED_EQ, 0xff00,
						  (scmp_datum_t)types[i] << 8));
	return ret;
}

/* To where the socket leads, which syslog(3) does; to oneself, as abort(3). */
static int add_bounded(scmp_filter_ctx filter)
{
	int ret = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(sendto), 1,
				   SCMP_A4(SCMP_CMP_EQ, 0, 0));

	if (!ret)
		ret = seccomp_rule_add(filter, SCMP_ACT_ALLOW,
				       SCMP_SYS(tgkill), 1,
				       SCMP_A0(SCMP_CMP_EQ,
					       (scmp_datum_t)getpid(), 0));
	return ret;
}

int xd_sandbox_calls(enum xd_sandbox_role role, void (*denied)(int call))
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_TRAP);
	int ret;

	if (!filter)
		return -ENOMEM;
	ret = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH,
			       SCMP_ACT_KILL_PROCESS);
	if (!ret)
		ret = add_all(filter, SCMP_ACT_ALLOW, ALL(allowed));
	if (!ret)
		ret = add_all(filter, SCMP_ACT_ERRNO(EPERM), ALL(refused));
	if (!ret)
		ret = add_memory(filter);
	if (!ret && role == XD_SANDBOX_WORKER)
		ret = add_ioctls(filter);
	if (!ret && role == XD_SANDBOX_VIEWER)
		ret = add_all(filter, SCMP_ACT_ALLOW, ALL(viewers));
	if (!ret)
		ret = add_bounded(filter);
	if (!ret)
		ret = catch_denied(denied);
	if (!ret)
		ret = seccomp_load(filter);
	seccomp_release(filter);
	return ret;
}

void xd_sandbox_call_name(int call, char *name, size_t size)
{
	char *known = seccomp_syscall_resolve_num_arch(seccomp_arch_native(),
						       call);

	if (known)
		snprintf(name, size, "%s", known);
	else
		snprintf(name, size, "number %d", call);
	free(known);
}
