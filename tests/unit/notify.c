// SPDX-License-Identifier: GPL-2.0-or-later
/* base/notify.h: what the service manager is told. */
#include "unit.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/notify.h"

/* A manager's socket; the name begins with @ where it is abstract. */
static int listen_on(const char *name)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
				    strlen(name));

	assert_true(sock >= 0);
	strcpy(addr.sun_path, name);
	if (*name == '@')
		addr.sun_path[0] = '\0';
	assert_int_equal(bind(sock, (struct sockaddr *)&addr, len), 0);
	assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
	return sock;
}

static void expect_ready(int sock)
{
	char text[64] = "";

	assert_int_equal(xd_notify("READY=1"), 0);
	assert_int_equal(recv(sock, text, sizeof(text) - 1, 0), 7);
	assert_string_equal(text, "READY=1");
	assert_int_equal(recv(sock, text, sizeof(text) - 1, 0), -1);
	close(sock);
}

static void nobody_asks(void **state)
{
	assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
	assert_int_equal(xd_notify("READY=1"), 0);
	assert_int_equal(setenv("NOTIFY_SOCKET", "", 1), 0);
	assert_int_equal(xd_notify("READY=1"), 0);
}

static void path(void **state)
{
	char dir[] = "/tmp/unit-notify-XXXXXX";
	char name[64];

	assert_non_null(mkdtemp(dir));
	snprintf(name, sizeof(name), "%s/socket", dir);
	expect_ready(listen_on(name));
	/* nobody reads it any more */
	assert_int_equal(xd_notify("READY=1"), -ECONNREFUSED);
	unlink(name);
	assert_int_equal(xd_notify("READY=1"), -ENOENT);
	rmdir(dir);
}

static void abstract(void **state)
{
	char name[64];

	snprintf(name, sizeof(name), "@unit-notify-%d", (int)getpid());
	expect_ready(listen_on(name));
}

static void not_an_address(void **state)
{
	char name[256];

	assert_int_equal(setenv("NOTIFY_SOCKET", "relative", 1), 0);
	assert_int_equal(xd_notify("READY=1"), -EINVAL);
	memset(name, '/', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
	assert_int_equal(xd_notify("READY=1"), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest notify_tests[] = {
		TEST(nobody_asks, "nobody-asks"),
		TEST(path, "path"),
		TEST(abstract, "abstract"),
		TEST(not_an_address, "not-an-address"),
	};

	return cmocka_run_group_tests(notify_tests, NULL, NULL);
}
