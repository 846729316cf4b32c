// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The control socket: packets of a length byte and so many bytes. A first byte
 * with bit 7 set is a message of the worker instead. The daemon always answers
 * something or hangs up, and serves the next one.
 */
#include "fuzz.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/control.h"
#include "core/supervisor.h"
#include "fake.h"

static char path[64];
static struct xd_config config = { .output = "headless", .socket = path };
static struct xd_supervisor sup;
static struct xd_loop loop;

static void remove_socket(void)
{
	unlink(path);
}

static void set_up(void)
{
	struct fake *fake = fake_create();
	int socks[2];

	snprintf(path, sizeof(path), "/tmp/fuzz-control-%d", (int)getpid());
	atexit(remove_socket);
	CHECK(!xd_loop_init(&loop));
	sup = (struct xd_supervisor){
		.loop = &loop,
		.store = fake_store_open(fake),
		.config = &config,
	};
	strcpy(sup.root, "/local/domain/0/backend/vdispl");
	CHECK(!xd_control_start(&sup));
	CHECK(!xd_device_create(&sup, 5, 0, &sup.devices));
	strcpy(sup.devices->guest, "fuzz");
	CHECK(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, socks));
	sup.devices->sock = socks[0];
	sup.devices->connect.nr_conns = 1;
}

static void run(void)
{
	for (int i = 0; i < 3; i++)
		CHECK(!xd_loop_turn(&loop, 0));
}

static int ask(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);

	strcpy(addr.sun_path, path);
	CHECK(sock >= 0);
	CHECK(!connect(sock, (struct sockaddr *)&addr, sizeof(addr)));
	run();
	return sock;
}

static void worker_says(struct fuzz_input *in)
{
	struct xd_message msg = { 0 };

	fuzz_take(in, &msg, 16);
	msg.seq %= 4;
	xd_control_answer(sup.devices, &msg, -1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	char packet[256];
	ssize_t len;
	int sock;

	if (!path[0])
		set_up();
	sock = ask();
	for (int n = 0; in.left && n < 16; n++) {
		uint8_t first = fuzz_u8(&in);

		if (first & 0x80) {
			worker_says(&in);
		} else {
			fuzz_take(&in, packet, first);
			send(sock, packet, first, MSG_NOSIGNAL);
		}
		run();
	}
	xd_control_lost(sup.devices);
	close(sock);
	run();

	sock = ask();
	CHECK(send(sock, "list", 4, MSG_NOSIGNAL) == 4);
	run();
	len = recv(sock, packet, sizeof(packet), 0);
	CHECK(len > 3 && !memcmp(packet, "ok\n", 3));
	close(sock);
	run();
	return 0;
}
