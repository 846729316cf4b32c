/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"
#include "core/child.h"
#include "core/keyboard.h"
#include "core/message.h"
#include "core/worker.h"
#include "outputs/output.h"
#include "sandbox/sandbox.h"

static int supervisor_sock = -1;

/* Both in a signal handler, the last thing that is done. */

static void worker_denied(int call)
{
	struct xd_message msg = { .type = XD_MSG_DENIED, .call = call };

	xd_message_send(supervisor_sock, &msg, -1);
}

/* Its socket leads to the worker, which is not to be trusted with logs. */
static void viewer_denied(int call)
{
	char name[32];

	xd_sandbox_call_name(call, name, sizeof(name));
	xd_error("the sandbox ends the viewer: it called %s", name);
}

/*
 * From here on there is nothing to gain but the guest's own pictures.
 * @ret_step: what could not be done
 */
static int enter_sandbox(const struct xd_child *child,
			 enum xd_sandbox_role role, enum xd_step *ret_step)
{
	int ret = xd_sandbox_rights(child->user, child->domid);

	*ret_step = ret == -ENOENT ? XD_STEP_USER : XD_STEP_RIGHTS;
	if (ret || !child->sandbox)
		return ret;
	*ret_step = XD_STEP_CALLS;
	ret = xd_sandbox_calls(role, role == XD_SANDBOX_WORKER ?
			       worker_denied : viewer_denied);
	if (ret == -ENOSYS || ret == -EINVAL) {
		xd_warn("no seccomp here: the process keeps its system calls");
		return 0;
	}
	return ret;
}

static int serve(int sock, struct xd_bus *bus, const struct xd_message *msg,
		 int fd)
{
	if (msg->type == XD_MSG_KEYBOARD)
		return xd_keyboard_serve(sock, bus, &msg->keyboard, fd);
	return xd_worker_serve(sock, bus, &msg->connect, fd);
}

static bool wants_share(const struct xd_message *msg)
{
	return msg->type == XD_MSG_CONNECT && msg->connect.features.be_alloc;
}

static int run_worker(int sock, struct xd_bus *(*open_bus)(uint32_t domid, bool share),
		      const struct xd_message *msg, int fd)
{
	struct xd_bus *bus = open_bus(msg->child.domid, wants_share(msg));
	struct xd_message failed = { .type = XD_MSG_CONNECTED };
	enum xd_step step = XD_STEP_BUS;

	supervisor_sock = sock;
	failed.err = bus ? enter_sandbox(&msg->child, XD_SANDBOX_WORKER,
					 &step) : -errno;
	if (failed.err) {
		/* which knows how often it has been said */
		failed.step = step;
		xd_message_send(sock, &failed, -1);
	} else {
		failed.err = serve(sock, bus, msg, fd);
	}
	if (bus)
		bus->ops->destroy(bus);
	return failed.err;
}

static int drop_viewers_rights(void *ctx)
{
	enum xd_step step;
	int ret = enter_sandbox(ctx, XD_SANDBOX_VIEWER, &step);

	if (ret)
		xd_error("%s: %s", xd_step_failed(step), strerror(-ret));
	return ret;
}

static int run_viewer(int sock, struct xd_message *msg, int client)
{
	const struct xd_output_ops *ops = xd_output_find(msg->child.output);
	const struct xd_view_params params = {
		.options = &msg->child.options,
		.guest = msg->child.guest,
		.client = client,
		.link = sock,
		.drop_rights = drop_viewers_rights,
		.ctx = &msg->child,
	};
	char why[XD_WHY_SIZE] = "";
	int ret = ops && ops->view && client >= 0 ? ops->view(&params, why) :
		-EPROTO;

	if (ret && ret != -EPIPE)
		xd_error("cannot show the guest: %s",
			 *why ? why : strerror(-ret));
	return ret;
}

/* The first message says whom to serve, and how. @ret_fd: came along, or -1 */
static int receive_first(int sock, struct xd_message *msg, int *ret_fd)
{
	struct pollfd pfd = { .fd = sock, .events = POLLIN };
	int ret;

	do {
		while (poll(&pfd, 1, -1) < 0)
			if (errno != EINTR)
				return -errno;
		ret = xd_message_receive(sock, msg, ret_fd);
	} while (ret == -EAGAIN);
	if (ret < 0)
		return ret;
	return ret && (msg->type == XD_MSG_CONNECT ||
		       msg->type == XD_MSG_KEYBOARD ||
		       msg->type == XD_MSG_VIEW) ? 0 : -EPROTO;
}

static void set_up_log(const struct xd_child *child)
{
	char prefix[128];

	snprintf(prefix, sizeof(prefix), "domain %u (%.*s)", child->domid,
		 XD_GUEST_NAME_SIZE, child->guest);
	xd_log_setup(prefix, child->verbose);
	if (child->syslog)
		xd_log_to_syslog();
}

/* The kernel's name for a program that is executed by its descriptor is "exe". */
static void set_name(uint32_t type)
{
	prctl(PR_SET_NAME, type == XD_MSG_VIEW ? "displayd-viewer" :
	      type == XD_MSG_KEYBOARD ? "displayd-input" : "displayd-worker");
}

int xd_child_run(int sock, struct xd_bus *(*open_bus)(uint32_t domid, bool share))
{
	struct xd_message msg;
	int fd, ret;

	/* who started us may be gone already */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	ret = receive_first(sock, &msg, &fd);
	if (ret)
		return EXIT_FAILURE;
	set_name(msg.type);
	set_up_log(&msg.child);
	if (msg.type == XD_MSG_VIEW)
		ret = run_viewer(sock, &msg, fd);
	else
		ret = run_worker(sock, open_bus, &msg, fd);
	close(sock);
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}
