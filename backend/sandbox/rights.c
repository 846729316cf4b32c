/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sandbox/sandbox.h"

static int become(uid_t uid, gid_t gid)
{
	if (setgroups(0, NULL) || setresgid(gid, gid, gid) ||
	    setresuid(uid, uid, uid))
		return -errno;
	return 0;
}

static int become_named(const char *user)
{
	const struct passwd *pw;

	errno = 0;
	pw = getpwnam(user);
	if (!pw)
		return errno ? -errno : -ENOENT;
	return become(pw->pw_uid, pw->pw_gid);
}

static int change_user(const char *user, uint32_t domid)
{
	const uint32_t id = XD_SANDBOX_FIRST_UID + domid;
	int ret;

	if (*user)
		return become_named(user);
	ret = become(id, id);
	/* a user namespace without such numbers */
	if (ret == -EINVAL)
		ret = become_named("xen-displayd");
	if (ret == -ENOENT)
		ret = become_named("nobody");
	return ret;
}

int xd_sandbox_rights(const char *user, uint32_t domid)
{
	const struct rlimit none = { 0, 0 };
	int ret;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	ret = geteuid() ? 0 : change_user(user, domid);
	if (ret)
		return ret;
	/*
	 * A core file would be the guest's pictures, on our disk. A collector
	 * that the kernel pipes them to does not hear of the limit, only of
	 * what is not dumpable. The change of user has cleared the rest.
	 */
	if (setrlimit(RLIMIT_CORE, &none) || prctl(PR_SET_DUMPABLE, 0) ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL))
		return -errno;
	return 0;
}
