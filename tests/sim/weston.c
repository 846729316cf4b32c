// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The output wayland on weston, with nothing but a screen in memory, which has
 * the size of the window, and with weston's own tool for pictures.
 */
#include "unit.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <png.h>

#include "front.h"
#include "sim.h"

static struct sim_front front;
static struct sim_buf buf;
static pid_t weston;
static char run_dir[80];

static const char *const one[] = { "640x480" };

static void ok(int32_t status)
{
	assert_int_equal(status, 0);
}

static pid_t run(const char *const argv[])
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setenv("XDG_RUNTIME_DIR", run_dir, 1);
	setenv("XDG_PICTURES_DIR", run_dir, 1);
	setenv("WAYLAND_DISPLAY", "weston", 1);
	/* they leak, and are not ours */
	setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
	if (!freopen("/dev/null", "w", stdout) ||
	    !freopen("/dev/null", "w", stderr))
		_exit(126);
	execvp(argv[0], (char *const *)argv);
	_exit(127);
}

static bool listens(void *ctx)
{
	char path[128];

	(void)ctx;
	snprintf(path, sizeof(path), "%s/weston", run_dir);
	return !access(path, F_OK);
}

/* No panel, no animation: a window is where it is, at once. */
static void write_config(const char *path)
{
	FILE *file = fopen(path, "we");

	fputs("[core]\nidle-time=0\n[shell]\npanel-position=none\n"
	      "locking=false\nanimation=none\nstartup-animation=none\n",
	      file);
	fclose(file);
}

static void start_weston(struct sim *sim)
{
	char config[128];
	const char *const argv[] = {
		"weston", "--backend=headless-backend.so", "--use-pixman",
		"--shell=desktop-shell.so", "--config", config, "--debug",
		"--socket=weston", "--width=640", "--height=480", NULL
	};

	snprintf(config, sizeof(config), "%s/weston.ini", run_dir);
	write_config(config);
	weston = run(argv);
	if (!fake_wait(sim->fake, listens, NULL, SIM_TIMEOUT_MS))
		sim_fail("weston does not start");
}

static void kill_weston(void)
{
	char path[128];

	kill(weston, SIGKILL);
	waitpid(weston, NULL, 0);
	snprintf(path, sizeof(path), "%s/weston", run_dir);
	unlink(path);
}

/* The pixels of the only picture in the directory, which is removed. */
static uint8_t *take_picture(png_image *image)
{
	const char *const argv[] = { "weston-screenshooter", NULL };
	uint8_t *rgb = NULL;
	struct dirent *entry;
	char path[360];
	DIR *dir;

	waitpid(run(argv), NULL, 0);
	dir = opendir(run_dir);
	while ((entry = readdir(dir))) {
		if (!strstr(entry->d_name, ".png"))
			continue;
		snprintf(path, sizeof(path), "%s/%s", run_dir, entry->d_name);
		*image = (png_image){ .version = PNG_IMAGE_VERSION };
		if (!rgb && png_image_begin_read_from_file(image, path)) {
			image->format = PNG_FORMAT_RGB;
			rgb = malloc(PNG_IMAGE_SIZE(*image));
			png_image_finish_read(image, NULL, rgb, 0, NULL);
		}
		unlink(path);
	}
	closedir(dir);
	return rgb;
}

/* The tool takes the unused bits for an alpha channel. */
static void draw(uint32_t seed)
{
	uint32_t *pixels = (uint32_t *)buf.pages;

	sim_buf_draw(&buf, seed);
	for (unsigned int i = 0; i < 640 * 480; i++)
		pixels[i] |= 0xff000000;
}

static bool shows(void *ctx)
{
	const uint32_t seed = *(uint32_t *)ctx;
	uint32_t wrong = 0;
	png_image image;
	uint8_t *rgb = take_picture(&image), *at = rgb;

	if (!rgb || image.width != 640 || image.height != 480)
		wrong = 1;
	for (uint32_t y = 0; y < 480 && !wrong; y++)
		for (uint32_t x = 0; x < 640; x++, at += 3)
			wrong |= ((uint32_t)at[0] << 16 |
				  (uint32_t)at[1] << 8 | at[2]) ^
				(sim_pixel(seed, x, y) & 0xffffff);
	free(rgb);
	return !wrong;
}

static void expect_screen(struct sim *sim, uint32_t seed)
{
	if (!fake_wait(sim->fake, shows, &seed, SIM_TIMEOUT_MS))
		sim_fail("weston does not show picture %u", seed);
}

static void flips(void)
{
	static unsigned int events;

	for (unsigned int n = 2; n <= 11; n++) {
		draw(n);
		ok(sim_flip(&front.conn[0], 20));
		sim_wait_events(&front.conn[0], ++events);
	}
}

static void begin(struct sim *sim)
{
	static char display[128];

	snprintf(run_dir, sizeof(run_dir), "%s/run", sim->dir);
	snprintf(display, sizeof(display), "%s/weston", run_dir);
	mkdir(run_dir, 0700);
	start_weston(sim);
	sim->output = "wayland";
	sim->options[XD_OPTION_WAYLAND_DISPLAY] = display;
	sim_daemon_start(sim);
	sim_guest_create(&front, sim->fake, 5, 1, one);
	sim_connect(&front, 0);
	sim_buf_init(&buf, &front, 10, 640, 480, 32);
	draw(1);
	ok(sim_dbuf_create(&front, &buf));
	ok(sim_fb_attach(&front, 10, 20, 640, 480, XD_FMT_XRGB8888));
	ok(sim_set_config(&front.conn[0], 20, 640, 480, 32));
}

static void on_weston(void **state)
{
	struct sim *sim = *state;

	if (access("/usr/bin/weston", X_OK))
		fail_msg("weston is not installed");
	begin(sim);
	expect_screen(sim, 1);
	flips();
	expect_screen(sim, 11);
	kill_weston();
	flips();
	draw(12);
	ok(sim_flip(&front.conn[0], 20));
	start_weston(sim);
	expect_screen(sim, 12);

	ok(sim_dbuf_destroy(&front, 10));
	sim_buf_finish(&buf, &front);
	sim_disconnect(&front);
	sim_guest_destroy(&front);
	sim_finish(sim);
}

static void remove_file(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", run_dir, name);
	unlink(path);
}

static int tear_down(void **state)
{
	if (weston) {
		kill_weston();
		remove_file("weston.lock");
		remove_file("weston.ini");
		rmdir(run_dir);
	}
	return sim_teardown(state);
}

int main(void)
{
	const struct CMUnitTest weston_tests[] = {
		{ "on-weston", on_weston, sim_setup_no_daemon, tear_down,
		  NULL },
	};

	return cmocka_run_group_tests(weston_tests, NULL, NULL);
}
