// SPDX-License-Identifier: GPL-2.0-or-later
/* Where the device is in sysfs, to bind and unbind it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "kt.h"

void kt_place_find(struct kt_place *place, const struct kt_dev *dev)
{
	char link[64], path[PATH_MAX];
	struct stat st;

	kt_assert_ok(fstat(dev->fd, &st));
	snprintf(link, sizeof(link), "/sys/dev/char/%u:%u/device",
		 major(st.st_rdev), minor(st.st_rdev));
	if (!realpath(link, path))
		kt_fail("%s: %s", link, kt_errno_name(-errno));
	snprintf(place->device, sizeof(place->device), "%s",
		 strrchr(path, '/') + 1);
	strncat(path, "/driver", sizeof(path) - strlen(path) - 1);
	if (!realpath(path, place->driver))
		kt_skip("%s is not bound to a driver", place->device);
}

int kt_place_write(const struct kt_place *place, const char *file)
{
	char path[PATH_MAX + 16];
	int fd, err = 0;

	snprintf(path, sizeof(path), "%s/%s", place->driver, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, place->device, strlen(place->device)) < 0)
		err = -errno;
	close(fd);

	return err;
}
