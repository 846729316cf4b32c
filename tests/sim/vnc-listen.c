// SPDX-License-Identifier: GPL-2.0-or-later
/* Where the vnc output listens: sockets in a directory. */
#include "unit.h"

#include <fcntl.h>
#include <unistd.h>

#include "front.h"
#include "rfb.h"

#define DOMID	5u
#define BE1	"/local/domain/0/backend/vdispl/5/1"
#define FE1	"/local/domain/5/device/vdispl/1"

static struct sim_front front, other;
static const char *const one[] = { "640x480" };

static void begin(struct sim *sim)
{
	sim->output = "vnc";
	sim->options[XD_OPTION_VNC_LISTEN] = sim->dir;
	sim_daemon_start(sim);
	sim_guest_create(&front, sim->fake, DOMID, 1, one);
}

static void end(struct sim *sim)
{
	sim_disconnect(&front);
	sim_wait_back_state(&front, SIM_CLOSED);
	sim_guest_destroy(&front);
	sim_finish(sim);
}

/* Another vdispl of the guest. */
static void device_create(struct sim *sim, struct sim_front *f)
{
	memset(f, 0, sizeof(*f));
	f->fake = sim->fake;
	f->domid = DOMID;
	f->devid = 1;
	f->nr_conns = 1;
	sim_front_write(f, "backend", BE1);
	sim_front_write(f, "backend-id", "0");
	sim_front_write(f, "0/resolution", "640x480");
	sim_front_write(f, "0/unique-id", "id9");
	sim_set_state(f, SIM_INITIALISING);
	fake_write(sim->fake, BE1 "/frontend", FE1);
	fake_write(sim->fake, BE1 "/frontend-id", "5");
	sim_set_online(f, true);
	fake_write(sim->fake, BE1 "/state", "1");
}

static void device_destroy(struct sim *sim, struct sim_front *f)
{
	sim_set_online(f, false);
	fake_remove(sim->fake, BE1);
	fake_remove(sim->fake, FE1);
}

/* Each has a socket of its own, which stays when the other one ends. */
static void two_devices(void **state)
{
	struct sim *sim = *state;
	char path[128], version[12];
	int fd;

	begin(sim);
	sim_connect(&front, 2);
	device_create(sim, &other);
	sim_connect(&other, 2);
	snprintf(path, sizeof(path), "%s/guest5:1-0", sim->dir);
	assert_int_equal(access(path, F_OK), 0);
	sim_disconnect(&other);
	sim_wait_back_state(&other, SIM_CLOSED);
	assert_int_equal(access(path, F_OK), -1);
	fd = rfb_raw_open(sim, DOMID);
	assert_int_equal(rfb_raw_read(fd, version, sizeof(version)),
			 sizeof(version));
	close(fd);
	device_destroy(sim, &other);
	end(sim);
}

static void make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static bool nobody_can_see(void *ctx)
{
	return sim_log_has(ctx, "nobody can see vnc");
}

/* What is no socket is not ours, whatever its name. */
static void file_in_the_way(void **state)
{
	struct sim *sim = *state;
	char path[128];

	snprintf(path, sizeof(path), "%s/guest5-0", sim->dir);
	make_file(path);
	begin(sim);
	sim_wait_back_state(&front, SIM_INIT_WAIT);
	sim_channels_create(&front);
	sim_set_state(&front, SIM_INITIALISED);
	assert_true(fake_wait(sim->fake, nobody_can_see, sim,
			      SIM_TIMEOUT_MS));
	assert_int_equal(unlink(path), 0);
	sim_wait_back_state(&front, SIM_CONNECTED);
	sim_set_state(&front, SIM_CONNECTED);
	/* nor is what took the place of a socket */
	assert_int_equal(unlink(path), 0);
	make_file(path);
	end(sim);
	assert_int_equal(unlink(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SIM_TEST_NO_DAEMON(two_devices, "two-devices"),
		SIM_TEST_NO_DAEMON(file_in_the_way, "file-in-the-way"),
	};

	return cmocka_run_group_tests_name("vnc-listen", tests, NULL, NULL);
}
