// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Calls of xen-displayctl that fail: it ends with status 1 and one line that says
 * what it could not do.
 */
#include "unit.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "turns.h"

static struct sim_buf buf;
static char told[8192];

/* The tool's exit status; @told is what it said on stderr. */
static int run_tool(const char *args)
{
	char own[256], command[512];
	FILE *pipe;
	size_t len;
	int status;

	len = (size_t)readlink("/proc/self/exe", own, sizeof(own) - 1);
	own[len] = '\0';
	*strrchr(own, '/') = '\0';
	snprintf(command, sizeof(command),
		 "cd %.63s; exec %.255s/faulty-displayctl --socket %.95s %s 2>&1 >/dev/null",
		 turns_sim->dir, own, turns_sim->socket, args);
	pipe = popen(command, "re");
	assert_non_null(pipe);
	len = fread(told, 1, sizeof(told) - 1, pipe);
	told[len] = '\0';
	status = pclose(pipe);
	if (!WIFEXITED(status))
		sim_fail("%s: status %x after %s failed", args, status,
			 faults_hit());
	return WEXITSTATUS(status);
}

static bool is_one_line(void)
{
	char *end = strchr(told, '\n');

	return !strncmp(told, "xen-displayctl: ", 16) && end && !end[1];
}

static void remove_files(void)
{
	char command[128];

	snprintf(command, sizeof(command),
		 "cd %s && rm -rf shot.png film.y4m film", turns_sim->dir);
	if (system(command))
		sim_fail("%s", command);
}

static void fail_each(const char *args)
{
	unsigned int n = 0;
	int status;
	bool hit;

	do {
		faults_arm(FAULT_TOOL, ++n);
		status = run_tool(args);
		hit = faults_disarm();
		if (getenv("FAULTS_SHOW"))
			fprintf(stderr, "# %s: %u: %s: %s", args, n,
				faults_hit(), *told ? told : "\n");
		if (hit && (status != 1 || !is_one_line()))
			sim_fail("%s: status %d after %s failed:\n%s", args,
				 status, faults_hit(), told);
		if (!hit && (status || *told))
			sim_fail("%s: status %d: %s", args, status, told);
		remove_files();
	} while (hit);
}

static void tool(void **state)
{
	static const char *const commands[] = {
		"info 5", "stats", "resize 5:0 640x480",
		"screenshot 5 shot.png", "record 5 film.y4m --frames 2",
		"record 5 film --frames 2",
	};

	turns_begin(state);
	sim_guest_create(&turns_front, turns_sim->fake, TURNS_DOMID, 1,
			 (const char *const []){ "320x200" });
	sim_front_write(&turns_front, "request-connector-event", "1");
	sim_connect(&turns_front, 2);
	turns_show(&turns_front, &buf, 1);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fail_each(commands[i]);
	turns_ok(sim_dbuf_destroy(&turns_front, 10));
	sim_buf_finish(&buf, &turns_front);
	turns_go();
	turns_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SIM_TEST_NO_DAEMON(tool, "tool"),
	};

	return cmocka_run_group_tests_name("faults-ctl", tests, NULL, NULL);
}
