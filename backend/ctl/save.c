/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "image/png.h"

/* Half a picture is none. What is no file (a pipe, a device) stays, of course. */
static void remove_file(const char *path, int fd)
{
	struct stat st;

	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		unlink(path);
}

void ctl_save_picture(const struct xd_canvas *canvas, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int ret;

	if (fd < 0)
		ctl_die(1, "cannot open %s: %s", path, strerror(errno));
	ret = xd_png_write(canvas, fd);
	if (ret)
		remove_file(path, fd);
	if (close(fd) && !ret)
		ret = -errno;
	if (ret)
		ctl_die(1, "cannot write %s: %s", path, strerror(-ret));
}
