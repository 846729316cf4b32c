// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * XenStore as a guest may fill it: values separated by a 0 byte, for the nodes
 * in the order of the list. The supervisor reads them all, and acts.
 */
#include "fuzz.h"

#include <errno.h>

#include "base/log.h"
#include "core/supervisor.h"
#include "fake.h"

static const char *const nodes[] = {
	"state", "version", "0/resolution", "0/unique-id", "0/req-ring-ref",
	"0/req-event-channel", "0/evt-ring-ref", "0/evt-event-channel",
	"1/resolution", "1/unique-id", "1/req-ring-ref", "1/req-event-channel",
	"1/evt-ring-ref", "1/evt-event-channel", "request-damage",
	"request-stride", "request-connector-event", "request-ro-grants",
	"be-alloc", "2/resolution",
};

#define NR_NODES	(sizeof(nodes) / sizeof(nodes[0]))
#define FRONT		"/local/domain/5/device/vdispl/0/"
#define BACK		"/local/domain/0/backend/vdispl/5/0/"

static const struct xd_config config = {
	.output = "headless",
	.socket = "/tmp/fuzz-params.sock",
};
static struct xd_supervisor sup;
static struct xd_device *dev;
static struct xd_loop loop;
static struct fake *fake;

static pid_t no_worker(int sock)
{
	(void)sock;
	return -EAGAIN;
}

static void set_up(void)
{
	fake = fake_create();
	fake_domain_create(fake, 5);
	fake_write(fake, "/local/domain/5/name", "fuzz");
	fake_write(fake, BACK "frontend", "/local/domain/5/device/vdispl/0");
	fake_write(fake, BACK "online", "1");
	fake_write(fake, BACK "state", "1");
	CHECK(!xd_loop_init(&loop));
	sup = (struct xd_supervisor){
		.loop = &loop,
		.store = fake_store_open(fake),
		.config = &config,
		.spawn = no_worker,
	};
	snprintf(sup.root, sizeof(sup.root),
		 "/local/domain/0/backend/vdispl");
	CHECK(!xd_device_create(&sup, 5, 0, &dev));
}

static void fill_in(const uint8_t *data, size_t size)
{
	char path[96], text[256];

	for (size_t i = 0; i < NR_NODES; i++) {
		size_t len = strnlen((const char *)data, size);

		snprintf(path, sizeof(path), FRONT "%s", nodes[i]);
		if (!size || (len == 1 && data[0] == '~')) {
			fake_remove(fake, path);
		} else {
			snprintf(text, sizeof(text), "%.*s", (int)len,
				 (const char *)data);
			fake_write(fake, path, text);
		}
		len += len < size;
		data += len;
		size -= len;
	}
}

static void check(const struct xd_connect *connect)
{
	CHECK(connect->nr_conns >= 1 && connect->nr_conns <= XD_MAX_CONNECTORS);
	CHECK(connect->features.version == 1 || connect->features.version == 2);
	CHECK(!connect->features.be_alloc || connect->limits.max_shared_bytes);
	for (uint32_t i = 0; i < connect->nr_conns; i++) {
		const struct xd_conn_params *conn = &connect->conns[i];

		CHECK(conn->width >= 1 && conn->width <= XD_MAX_DIMENSION);
		CHECK(conn->height >= 1 && conn->height <= XD_MAX_DIMENSION);
		CHECK(strnlen(conn->unique_id, XD_UNIQUE_ID_SIZE) <
		      XD_UNIQUE_ID_SIZE);
		CHECK(conn->unique_id[0] && !strchr(conn->unique_id, '/'));
		CHECK(conn->req_ref && conn->evt_ref);
		CHECK(conn->req_port && conn->evt_port);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xd_connect connect;
	char **event;

	if (!fake)
		set_up();
	fill_in(data, size);
	if (!xd_device_read_params(dev, &connect))
		check(&connect);
	xd_device_update(dev);
	CHECK(!dev->worker);
	while ((event = sup.store->ops->next_watch(sup.store)))
		free(event);
	CHECK(!fake_foreign_writes(fake));
	return 0;
}
