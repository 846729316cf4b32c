// SPDX-License-Identifier: GPL-2.0-or-later
/* sandbox/sandbox.h: what a worker still can, and what it cannot. */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sandbox/sandbox.h"

#define NOT_HERE	77

static pid_t parent;
static int told;	/* pipe: what on_denied() hears */

static void on_denied(int call)
{
	if (write(told, &call, sizeof(call)) != sizeof(call))
		_exit(98);
}

static int child(int (*act)(void))
{
	const struct rlimit none = { 0, 0 };
	int ret;

	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	ret = xd_sandbox_calls(XD_SANDBOX_WORKER, on_denied);
	if (ret == -ENOSYS || ret == -EINVAL)
		return NOT_HERE;
	return ret ? 99 : act();
}

/* The status of a child that did this in the sandbox, and what it died of. */
static int in_sandbox(int (*act)(void), int *ret_call)
{
	int fds[2];
	int status;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	told = fds[1];
	parent = getpid();
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		_exit(child(act));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(fds[1]);
	if (read(fds[0], ret_call, sizeof(*ret_call)) != sizeof(*ret_call))
		*ret_call = -1;
	close(fds[0]);
	if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_HERE)
		SKIP_BECAUSE("this kernel has no such seccomp filters");
	return status;
}

static int work(void)
{
	struct timespec ts = { .tv_nsec = 1 };
	int memory = memfd_create("test", MFD_CLOEXEC);
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	struct itimerspec spec = { .it_value.tv_nsec = 1 };
	struct epoll_event event = { .events = EPOLLIN };
	void *pages;

	if (memory < 0 || epoll < 0 || timer < 0)
		return 1;
	/* where the kernel's page for them cannot tell the time, as in some PV domains */
	if (syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &ts, NULL))
		return 6;
#ifdef SYS_time
	if (syscall(SYS_time, NULL) < 0)
		return 7;
#endif
	if (write(memory, "text", 4) != 4 ||
	    clock_gettime(CLOCK_MONOTONIC, &ts) ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event) ||
	    timerfd_settime(timer, 0, &spec, NULL) ||
	    epoll_wait(epoll, &event, 1, 1000) != 1)
		return 2;
	pages = mmap(NULL, 1 << 24, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED || munmap(pages, 1 << 24))
		return 3;
	if (dprintf(STDERR_FILENO, "# from the sandbox\n") < 0)
		return 4;
	return close(memory) || close(epoll) || close(timer) ? 5 : 0;
}

static void work_goes_on(void **state)
{
	int call;

	assert_int_equal(in_sandbox(work, &call), 0);
}

static int refused_calls(void)
{
	if (open("/etc/passwd", O_RDONLY) >= 0 || errno != EPERM)
		return 1;
	if (socket(AF_INET, SOCK_STREAM, 0) >= 0 || errno != EPERM)
		return 2;
	return 0;
}

static void nothing_opens(void **state)
{
	int call;

	assert_int_equal(in_sandbox(refused_calls, &call), 0);
}

/* None of these comes back, with whatever result. */

static int map_code(void)
{
	mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
	     -1, 0);
	return 0;
}

static int make_code(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mprotect(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
	return 0;
}

static int start_process(void)
{
	syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	return 0;
}

static int execute(void)
{
	char *const argv[] = { "true", NULL };

	execv("/bin/true", argv);
	return 0;
}

static int trace(void)
{
	ptrace(PTRACE_ATTACH, parent, NULL, NULL);
	return 0;
}

static int signal_other(void)
{
	syscall(SYS_kill, 1, 0);
	return 0;
}

static int signal_thread(void)
{
	syscall(SYS_tgkill, parent, parent, 0);
	return 0;
}

/* As the log's socket could be told to. */
static int send_elsewhere(void)
{
	const struct sockaddr other = { .sa_family = AF_UNIX };

	sendto(told, "x", 1, 0, &other, sizeof(other));
	return 0;
}

static int catch_signal(void)
{
	const struct sigaction action = { .sa_handler = SIG_IGN };

	syscall(SYS_rt_sigaction, SIGSYS, &action, NULL, 8);
	return 0;
}

static int other_ioctl(void)
{
	int value;

	ioctl(STDERR_FILENO, FIONREAD, &value);
	return 0;
}

static int change_back(void)
{
	syscall(SYS_setuid, 0);
	return 0;
}

static void the_rest_kills(void **state)
{
	static const struct {
		int (*act)(void);
		const char *name;
	} tries[] = {
		{ map_code, "mmap" },
		{ make_code, "mprotect" },
		{ start_process, "clone" },
		{ execute, "execve" },
		{ trace, "ptrace" },
		{ signal_other, "kill" },
		{ signal_thread, "tgkill" },
		{ send_elsewhere, "sendto" },
		{ other_ioctl, "ioctl" },
		{ change_back, "setuid" },
		{ catch_signal, "rt_sigaction" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(tries); i++) {
		int call, status = in_sandbox(tries[i].act, &call);
		char name[32];

		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			fail_msg("%s: status %#x", tries[i].name, status);
		xd_sandbox_call_name(call, name, sizeof(name));
		assert_string_equal(name, tries[i].name);
	}
}

/* A library of another machine, say, or what came after ours was built. */
static void unknown_calls_have_numbers(void **state)
{
	char name[32];

	xd_sandbox_call_name(123456, name, sizeof(name));
	assert_string_equal(name, "number 123456");
}

static int lose_rights(uint32_t domid)
{
	const uid_t id = XD_SANDBOX_FIRST_UID + domid;
	struct rlimit core;

	if (xd_sandbox_rights("", domid))
		return 1;
	if (getrlimit(RLIMIT_CORE, &core) || core.rlim_max ||
	    prctl(PR_GET_DUMPABLE))
		return 2;
	if (getuid() != id || geteuid() != id || getgid() != id ||
	    getgroups(0, NULL))
		return 3;
	return setuid(0) ? 0 : 4;
}

/* Two guests' workers cannot touch each other. */
static void a_user_for_each(void **state)
{
	for (uint32_t domid = 1; domid <= 2; domid++) {
		pid_t pid;
		int status;

		if (geteuid())
			SKIP_BECAUSE("not root");
		pid = fork();
		assert_true(pid >= 0);
		if (!pid)
			_exit(lose_rights(domid));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
}

static void named_users(void **state)
{
	pid_t pid;
	int status;

	if (geteuid())
		SKIP_BECAUSE("not root");
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		_exit(xd_sandbox_rights("no such user", 1) != -ENOENT ||
		      geteuid() || xd_sandbox_rights("nobody", 1) ||
		      !geteuid() || geteuid() >= XD_SANDBOX_FIRST_UID);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest sandbox_tests[] = {
		TEST(work_goes_on, "work-goes-on"),
		TEST(nothing_opens, "nothing-opens"),
		TEST(the_rest_kills, "the-rest-kills"),
		TEST(unknown_calls_have_numbers, "unknown-calls-have-numbers"),
		TEST(a_user_for_each, "a-user-for-each"),
		TEST(named_users, "named-users"),
	};

	return cmocka_run_group_tests(sandbox_tests, NULL, NULL);
}
