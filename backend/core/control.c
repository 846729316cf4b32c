/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers the control socket. One that asks what only a worker knows waits for
 * that worker's answer, or for its end; nobody else waits with it.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "core/control.h"
#include "core/supervisor.h"

#define MAX_CLIENTS	16
#define MS		1000000ull	/* ns */

unsigned int xd_control_patience_ms = 5000;

struct client {
	struct client *next;
	struct xd_control *control;
	struct xd_source source;
	int sock;
	struct xd_device *asked;	/* the worker we wait for */
	struct xd_message question;	/* to it */
	struct xd_timer timer;		/* until when */
	bool info;			/* what to tell of its status */
};

struct xd_control {
	struct xd_supervisor *sup;
	struct xd_source source;
	int sock;
	struct client *clients;
	unsigned int nr_clients;
	uint32_t seq;
	char answer[XD_CONTROL_MAX_ANSWER];
	size_t answer_len;
};

static const char *const state_names[XD_NUM_STATES] = {
	"unknown", "initialising", "init-wait", "initialised", "connected",
	"closing", "closed", "reconfiguring", "reconfigured",
};

static void begin(struct xd_control *control)
{
	control->answer_len = 0;
}

__attribute__((format(printf, 2, 3)))
static void add(struct xd_control *control, const char *fmt, ...)
{
	size_t room = sizeof(control->answer) - control->answer_len;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(control->answer + control->answer_len, room, fmt, ap);
	va_end(ap);
	if (len > 0 && (size_t)len < room)
		control->answer_len += (size_t)len;
}

static void send_answer(struct client *client, int fd)
{
	struct xd_control *control = client->control;
	struct iovec iov = {
		.iov_base = control->answer,
		.iov_len = control->answer_len,
	};
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} space = { 0 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cmsg;

	if (fd >= 0) {
		msg.msg_control = &space;
		msg.msg_controllen = sizeof(space);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	}
	/* one that does not read its answer does not get it, nor waits for it */
	if (sendmsg(client->sock, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		shutdown(client->sock, SHUT_RDWR);
}

static void send_error(struct client *client, const char *text)
{
	begin(client->control);
	add(client->control, "error %s", text);
	send_answer(client, -1);
}

static void add_device_row(struct xd_control *control, struct xd_device *dev)
{
	add(control, "%u\t%s\t%u\t%u\t%s\t%s\t%d\t%s\n", dev->domid,
	    dev->guest, dev->devid,
	    dev->worker ? dev->connect.nr_conns : 0,
	    state_names[dev->fe_state], state_names[dev->be_state],
	    (int)dev->worker,
	    dev->worker ? dev->connect.child.output : dev->sup->config->output);
}

static void answer_list(struct client *client)
{
	struct xd_control *control = client->control;
	struct xd_device *dev;

	begin(control);
	add(control, "ok\ndomid\tname\tdevice\tconnectors\tfrontend\tbackend\tworker\toutput\n");
	for (dev = control->sup->devices; dev; dev = dev->next)
		add_device_row(control, dev);
	send_answer(client, -1);
}

/* Who waits longest for an answer of this device's worker; NULL: nobody. */
static struct client *next_in_line(struct xd_control *control,
				   const struct xd_device *dev)
{
	struct client *first = NULL, *client;

	for (client = control->clients; client; client = client->next)
		if (client->asked == dev &&
		    (!first || client->question.seq < first->question.seq))
			first = client;
	return first;
}

static void stop_waiting(struct client *client)
{
	client->asked = NULL;
	xd_timer_set(&client->timer, 0);
}

/* The worker is not asked anything else until it has answered. */
static void no_answer(void *ctx)
{
	struct client *client = ctx;

	stop_waiting(client);
	send_error(client, "the guest's worker does not answer");
}

/*
 * One question at a time, so that a worker that has no time is not flooded, nor
 * its answers lost. The answer comes by xd_control_answer().
 */
static void ask_worker(struct xd_control *control, struct xd_device *dev)
{
	struct client *client;

	while (!dev->question && (client = next_in_line(control, dev))) {
		if (dev->sock >= 0 &&
		    !xd_message_send(dev->sock, &client->question, -1)) {
			dev->question = client->question.seq;
			return;
		}
		stop_waiting(client);
		send_error(client, "the guest is not connected");
	}
}

#define ANY_DEVICE	UINT32_MAX

/* The guest's device, or its first one. */
static struct xd_device *find_guest(struct xd_control *control,
				    uint32_t domid, uint32_t devid)
{
	struct xd_device *first = NULL, *dev;

	for (dev = control->sup->devices; dev; dev = dev->next)
		if (dev->domid == domid &&
		    (devid == ANY_DEVICE || devid == dev->devid) &&
		    (!first || dev->devid < first->devid))
			first = dev;
	return first;
}

/* DOMID.DEVID of a question: the second number, which is cut out. */
static int take_devid(char *text, uint32_t *ret_devid)
{
	char *dot = text ? strchr(text, '.') : NULL;
	char number[12];
	size_t len;

	*ret_devid = ANY_DEVICE;
	if (!dot)
		return 0;
	len = strcspn(dot + 1, " ");
	if (strcspn(text, " ") < (size_t)(dot - text) || len >= sizeof(number))
		return -EINVAL;
	memcpy(number, dot + 1, len);
	number[len] = '\0';
	memmove(dot, dot + 1 + len, strlen(dot + 1 + len) + 1);
	return xd_parse_u32(number, 0, ANY_DEVICE - 1, ret_devid);
}

/* The numbers of a question, at most @max; -EINVAL when they are none. */
static int parse_numbers(char *text, uint32_t *ret_numbers, int max)
{
	char *word;
	int n = 0;

	while ((word = strsep(&text, " "))) {
		if (n == max || xd_parse_u32(word, 0, UINT32_MAX,
					     &ret_numbers[n]))
			return -EINVAL;
		n++;
	}
	return n;
}

/* What only a worker can tell: false when it is not such a question. */
static bool to_worker(const char *command, const uint32_t *numbers, int n,
		      struct xd_message *ret_msg)
{
	*ret_msg = (struct xd_message){ 0 };
	if (n == 1 && (!strcmp(command, "stats") ||
		       !strcmp(command, "info"))) {
		ret_msg->type = XD_MSG_STATS;
	} else if (n == 2 && !strcmp(command, "screenshot")) {
		ret_msg->type = XD_MSG_SCREENSHOT;
		ret_msg->conn = numbers[1];
	} else if (n == 4 && !strcmp(command, "resize")) {
		ret_msg->type = XD_MSG_RESIZE;
		ret_msg->conn = numbers[1];
		ret_msg->size.width = numbers[2];
		ret_msg->size.height = numbers[3];
	} else {
		return false;
	}
	return true;
}

/* @question is taken apart. */
static void answer(struct client *client, char *question)
{
	const char *command = strsep(&question, " ");
	struct xd_control *control = client->control;
	struct xd_device *dev;
	struct xd_message msg;
	uint32_t numbers[4], devid;
	int n = take_devid(question, &devid) ? -EINVAL :
		parse_numbers(question, numbers, 4);

	if (n == 0 && !strcmp(command, "list")) {
		answer_list(client);
		return;
	}
	if (!to_worker(command, numbers, n, &msg)) {
		send_error(client, "not a question of the protocol");
		return;
	}
	dev = find_guest(control, numbers[0], devid);
	if (!dev) {
		send_error(client, devid == ANY_DEVICE ? "no such guest" :
			   "no such device");
		return;
	}
	control->seq = control->seq % UINT32_MAX + 1;	/* never 0 */
	msg.seq = control->seq;
	client->info = !strcmp(command, "info");
	client->question = msg;
	client->asked = dev;
	xd_timer_set(&client->timer, xd_now() + xd_control_patience_ms * MS);
	ask_worker(control, dev);
}

static void drop_client(struct client *client)
{
	struct xd_control *control = client->control;
	struct client **link = &control->clients;

	while (*link != client)
		link = &(*link)->next;
	*link = client->next;
	control->nr_clients--;
	xd_timer_finish(control->sup->loop, &client->timer);
	xd_source_del(control->sup->loop, &client->source);
	close(client->sock);
	free(client);
}

static void client_ready(void *ctx, uint32_t events)
{
	char question[XD_CONTROL_MAX_QUESTION + 1];
	struct client *client = ctx;
	ssize_t len = recv(client->sock, question, sizeof(question),
			   MSG_DONTWAIT);

	if (len < 0 && errno == EAGAIN)
		return;
	/* one question at a time, of the right size */
	if (len <= 0 || len > XD_CONTROL_MAX_QUESTION || client->asked) {
		drop_client(client);
		return;
	}
	question[len] = '\0';
	answer(client, question);
}

static int watch_client(struct client *client)
{
	struct xd_loop *loop = client->control->sup->loop;
	int ret = xd_timer_init(loop, &client->timer, no_answer, client);

	if (!ret)
		ret = xd_source_add(loop, &client->source, client->sock,
				    EPOLLIN, client_ready, client);
	if (ret)
		xd_timer_finish(loop, &client->timer);
	return ret;
}

static void control_ready(void *ctx, uint32_t events)
{
	struct xd_control *control = ctx;
	struct client *client;
	int sock = accept4(control->sock, NULL, NULL,
			   SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (sock < 0) {
		xd_rest_if_full(control->sup, &control->source, errno);
		return;
	}
	client = control->nr_clients < MAX_CLIENTS ?
		calloc(1, sizeof(*client)) : NULL;
	if (!client) {
		close(sock);
		return;
	}
	client->control = control;
	client->sock = sock;
	if (watch_client(client)) {
		close(sock);
		free(client);
		return;
	}
	client->next = control->clients;
	control->clients = client;
	control->nr_clients++;
}

static void add_counters(struct xd_control *control, struct xd_device *dev,
			 const struct xd_counters *c)
{
	const uint64_t counters[] = {
		c->requests, c->errors, c->flips, c->frames, c->dropped,
		c->copied, c->frames ? c->latency / c->frames / 1000 : 0,
		c->worst_latency / 1000, c->violations, c->dbufs, c->fbs,
		c->bytes, c->mapped_pages,
	};
	size_t i;

	add(control, "ok\ndomid\tname\tdevice\trequests\terrors\tflips\tframes\tdropped\tcopied-bytes\tlatency-us\tworst-latency-us\tviolations\tbuffers\tframebuffers\tbytes\tmapped-pages\n");
	add(control, "%u\t%s\t%u", dev->domid, dev->guest, dev->devid);
	for (i = 0; i < sizeof(counters) / sizeof(*counters); i++)
		add(control, "\t%llu", (unsigned long long)counters[i]);
	add(control, "\n");
}

static void add_conns(struct xd_control *control, struct xd_device *dev,
		      const struct xd_conn_status *conns)
{
	const struct xd_connect *connect = &dev->connect;
	unsigned int i;

	add(control, "ok\nconnector\tunique-id\twidth\theight\tversion\tstate\tmode-width\tmode-height\n");
	for (i = 0; i < connect->nr_conns; i++)
		add(control, "%u\t%s\t%u\t%u\t%u\t%s\t%u\t%u\n", i,
		    connect->conns[i].unique_id, conns[i].pref_width,
		    conns[i].pref_height, connect->features.version,
		    conns[i].broken ? "broken" :
		    conns[i].width ? "on" : "off", conns[i].width,
		    conns[i].height);
}

static void send_status(struct client *client, struct xd_device *dev,
			const struct xd_status *status)
{
	begin(client->control);
	if (client->info)
		add_conns(client->control, dev, status->conns);
	else
		add_counters(client->control, dev, &status->counters);
	send_answer(client, -1);
}

static void send_picture(struct client *client,
			 const struct xd_picture *picture, int fd)
{
	begin(client->control);
	add(client->control, "ok\nwidth\theight\tstride\n%u\t%u\t%u\n",
	    picture->width, picture->height, picture->stride);
	send_answer(client, fd);
}

static const char *error_text(int err)
{
	switch (err) {
	case -ENOENT:
		return "the connector is off";
	case -ENODEV:
		return "no such connector";
	case -EOPNOTSUPP:
		return "the guest's driver does not follow sizes";
	default:
		return strerror(-err);
	}
}

static void send_resized(struct client *client, struct xd_device *dev)
{
	const struct xd_message *question = &client->question;

	if (xd_device_remember_size(dev, question->conn, question->size.width,
				    question->size.height)) {
		send_error(client, "until the guest reconnects only: cannot write to XenStore");
		return;
	}
	begin(client->control);
	add(client->control, "ok\n");
	send_answer(client, -1);
}

static void pass_on(struct client *client, struct xd_device *dev,
		    const struct xd_message *msg, int fd)
{
	if (msg->err < 0 && msg->err >= -4095) {
		send_error(client, error_text(msg->err));
		return;
	}
	if (client->question.type == XD_MSG_SCREENSHOT && fd < 0) {
		/* the worker sent one, but we can have no more of them */
		send_error(client, strerror(EMFILE));
		return;
	}
	switch (client->question.type) {
	case XD_MSG_STATS:
		send_status(client, dev, &msg->status);
		break;
	case XD_MSG_SCREENSHOT:
		send_picture(client, &msg->picture, fd);
		break;
	default:
		send_resized(client, dev);
	}
}

void xd_control_listen(struct xd_supervisor *sup)
{
	xd_listen_again(sup, &sup->control->source);
}

void xd_control_answer(struct xd_device *dev, const struct xd_message *msg,
		       int fd)
{
	struct xd_control *control = dev->sup->control;
	struct client *client = control->clients;

	if (!msg->seq || msg->seq != dev->question)
		return;		/* nobody asked */
	dev->question = 0;
	while (client && (client->asked != dev ||
			  client->question.seq != msg->seq))
		client = client->next;
	/* else: the one who asked has gone, or waits no more */
	if (client) {
		stop_waiting(client);
		pass_on(client, dev, msg, fd);
	}
	ask_worker(control, dev);
}

void xd_control_lost(struct xd_device *dev)
{
	struct client *client;

	dev->question = 0;
	if (!dev->sup->control)
		return;
	for (client = dev->sup->control->clients; client;
	     client = client->next)
		if (client->asked == dev) {
			stop_waiting(client);
			send_error(client, "the guest has disconnected");
		}
}

/* Removes a socket that nobody listens on; what is none stays. */
static int remove_stale(const struct sockaddr_un *addr)
{
	struct stat st;
	int sock, ret = 0;

	if (lstat(addr->sun_path, &st))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return -errno;
	if (!connect(sock, (const struct sockaddr *)addr, sizeof(*addr)))
		ret = -EADDRINUSE;
	else if (errno == ECONNREFUSED)
		unlink(addr->sun_path);
	close(sock);
	return ret;
}

static int make_directory(const char *path)
{
	char dir[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	char *slash;

	snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	if (!slash || slash == dir)
		return 0;
	*slash = '\0';
	return mkdir(dir, 0755) && errno != EEXIST ? -errno : 0;
}

static int listen_on(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	mode_t mask;
	int sock, ret;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	strcpy(addr.sun_path, path);
	ret = make_directory(path);
	if (!ret)
		ret = remove_stale(&addr);
	if (ret)
		return ret;
	sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		      0);
	if (sock < 0)
		return -errno;
	mask = umask(0077);	/* pictures are for who runs the daemon */
	ret = bind(sock, (struct sockaddr *)&addr, sizeof(addr)) ||
		listen(sock, MAX_CLIENTS) ? -errno : 0;
	umask(mask);
	if (ret)
		close(sock);
	return ret ? ret : sock;
}

int xd_control_start(struct xd_supervisor *sup)
{
	struct xd_control *control = calloc(1, sizeof(*control));
	int ret;

	if (!control) {
		xd_error("cannot listen on %s: %s", sup->config->socket,
			 strerror(ENOMEM));
		return -ENOMEM;
	}
	control->sup = sup;
	control->sock = listen_on(sup->config->socket);
	ret = control->sock < 0 ? control->sock :
		xd_source_add(sup->loop, &control->source, control->sock,
			      EPOLLIN, control_ready, control);
	if (ret) {
		if (ret == -EADDRINUSE)
			xd_error("another xen-displayd answers on %s",
				 sup->config->socket);
		else
			xd_error("cannot listen on %s: %s",
				 sup->config->socket, strerror(-ret));
		if (control->sock >= 0)
			close(control->sock);
		free(control);
		return ret;
	}
	sup->control = control;
	return 0;
}

void xd_control_finish(struct xd_supervisor *sup)
{
	struct xd_control *control = sup->control;

	if (!control)
		return;
	while (control->clients)
		drop_client(control->clients);
	xd_source_del(sup->loop, &control->source);
	close(control->sock);
	unlink(sup->config->socket);
	free(control);
	sup->control = NULL;
}
