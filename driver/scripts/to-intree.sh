#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
# Write a patch that puts this driver in place of drivers/gpu/drm/xen of a kernel
# tree of Linux 6.12:
#
#   driver/scripts/to-intree.sh KERNEL-TREE >xen-front.patch
#
# The tree is only read. compat/ is left behind: its names become the kernel's.
set -euo pipefail
from=$(cd "$(dirname "$0")/.." && pwd)
[ $# -eq 1 ] || {
	echo "usage: to-intree.sh KERNEL-TREE" >&2
	exit 2
}
tree=$1
dir=drivers/gpu/drm/xen
page=Documentation/gpu/xen-front.rst
[ -d "$tree/$dir" ] || {
	echo "to-intree.sh: no $dir in \"$tree\"" >&2
	exit 2
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# the shrinker's helper, as compat.h has it for kernels of today
helper() {
	{
		sed -n '/^typedef.*compat_shrinker_fn/,/;$/p' "$from/compat/compat.h"
		echo
		sed -n '/VERSION_CODE >= KERNEL_VERSION(6, 7, 0)/,/^#else/p' "$from/compat/compat.h" |
			sed -n '/^static inline struct shrinker \*/,/^}/p'
	} | longer_names | sed 's/static inline/static/'
}

# compat_ becomes xen_drm_, which is one column more, also in what is aligned to it
longer_names() {
	perl -0pe 's{(compat_shrinker_(?:register|fn\))\()([^)]*\))}
		{ my ($name, $args) = ($1, $2); $name . $args =~ s/\n(\t* *)/\n$1 /gr }ge;
		s/compat_/xen_drm_/g'
}

# plain_names FILE...: without compat/
plain_names() {
	sed -i -e '/^\tCOMPAT_DRM_PRIME_OPS$/d' -e '/^MODULE_VERSION(/d' \
		-e 's/^\tCOMPAT_DRM_FBDEV_OPS$/\tDRM_FBDEV_TTM_DRIVER_OPS,/' \
		-e 's/compat_fbdev_setup(\(.*\));/drm_client_setup_with_fourcc(\1, DRM_FORMAT_XRGB8888);/' \
		-e 's/^\tCOMPAT_DRM_PANIC_FUNCS$/\t.get_scanout_buffer = xen_drm_panic_buffer,\n\t.panic_flush = xen_drm_panic_flush,/' \
		-e 's/compat_shrinker_unregister(/shrinker_free(/' \
		-e 's/compat_shrinker_data(\([a-z]*\))/\1->private_data/' \
		-e '/^#include "compat\/compat_fbdev.h"$/d' "$@"
}

driver() { # DEST
	local to=$1
	mkdir -p "$to/tests"
	cp "$from"/*.[ch] "$from/Kconfig" "$to/"
	cp "$from"/tests/*.[ch] "$to/tests/"
	plain_names "$to"/*.[ch]
	sed -i -e 's/^#include <drm\/drm_drv.h>$/#include <drm\/drm_client_setup.h>\n&\n#include <drm\/drm_fbdev_ttm.h>\n#include <drm\/drm_fourcc.h>/' \
		"$to/xen_drm_drv.c"
	helper >"$work/helper"
	echo >>"$work/helper"
	longer_names <"$to/xen_drm_buf.c" >"$work/buf"
	sed -e 's/^#include "xen_drm.h"$/#include <linux\/shrinker.h>\n\n&/' "$work/buf" >"$to/xen_drm_buf.c"
	perl -0pi -e 'BEGIN { local $/; open my $f, "<", "'"$work/helper"'"; $h = <$f> }
		s/(\n(\/\*\*\n( \*[^\n]*\n)+)?int xen_drm_bufs_init\()/\n$h$1/ or die; s/\n\n\n/\n\n/g' "$to/xen_drm_buf.c"
	# shellcheck disable=SC2016  # make's
	sed -e '/fail on demand/,+2d' -e '/XEN_DRM_FAULTS/d' \
		-e '/^obj-m/s/.*/obj-$(CONFIG_DRM_XEN_FRONTEND) += drm_xen_front.o/' \
		-e 's/CONFIG_KUNIT/CONFIG_DRM_XEN_FRONTEND_KUNIT_TEST/' \
		-e 's/-$(CONFIG_DRM_PANIC)/-y/' \
		-e '/compat/,+1{/compat/d;/^$/d}' "$from/Kbuild" >"$to/Makefile"
	sed -e 's/CONFIG_KUNIT/CONFIG_DRM_XEN_FRONTEND_KUNIT_TEST/' \
		-e 's/-include .*compat.h //' "$from/tests/Kbuild" >"$to/tests/Makefile"
}

manual() {
	cat <<-'END'
		====================================================
		 drm/xen-front Xen para-virtualized frontend driver
		====================================================

		.. kernel-doc:: drivers/gpu/drm/xen/xen_drm_drv.c
		   :doc: Xen para-virtual display frontend

		The protocol is described in include/xen/interface/io/displif.h.

		Structures
		==========

		.. kernel-doc:: drivers/gpu/drm/xen/xen_drm.h
		   :internal:

		.. kernel-doc:: drivers/gpu/drm/xen/xen_drm_buf.h
		   :internal:

		.. kernel-doc:: drivers/gpu/drm/xen/xen_drm_kms.h
		   :internal:

		.. kernel-doc:: drivers/gpu/drm/xen/xen_drm_mem.h
		   :internal:

		.. kernel-doc:: drivers/gpu/drm/xen/xen_drm_vblank.h
		   :internal:

		.. kernel-doc:: drivers/gpu/drm/xen/xen_drm_wire.h
		   :internal:
	END
}

mkdir -p "$work"/{a,b}/{"$dir",Documentation/gpu}
cp -r "$tree/$dir/." "$work/a/$dir"
cp "$tree/$page" "$work/a/$page"
cp "$tree/MAINTAINERS" "$work/a/"
driver "$work/b/$dir"
manual >"$work/b/$page"
# the driver's entry, with its protocol
sed '/^F:\tdrivers\/gpu\/drm\/xen\/$/a F:\tinclude/xen/interface/io/displif.h' \
	"$work/a/MAINTAINERS" >"$work/b/MAINTAINERS"
if grep -rniE 'compat_|LINUX_VERSION' "$work/b/$dir" >&2; then
	echo "to-intree.sh: something of compat/ is left" >&2
	exit 1
fi
cd "$work"
git diff --no-index --no-prefix --no-renames --no-color --no-ext-diff a b || [ $? -eq 1 ]
