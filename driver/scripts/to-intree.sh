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

		The protocol, displif, is described in include/xen/interface/io/displif.h.

		Configuration
		=============

		The toolstack writes it to XenStore; in xl's file it is for example::

		  vdispl = [ "backend=Domain-0,be-alloc=0,connectors=id0:1920x1080;id1:800x600" ]

		Each connector has a name and a resolution, which is its preferred mode. With
		version 2 of the protocol the modes come from the EDID that the backend gives;
		without one they are the resolution and the standard modes that fit in it, at
		60 Hz.

		Modes of operation in terms of display buffers used
		===================================================

		What the drivers and devices need that share a buffer, in the guest and in the
		domain of the backend, decides who allocates it and how. Buffers are accounted to
		who allocates them, and are lent to the other side by grant references, which are
		listed in a page directory.

		Buffers allocated by the frontend driver
		----------------------------------------

		This is the default. Pages are any pages of the guest, and are granted to the
		backend. Imported PRIME buffers are granted in the same way. A GPU in the guest
		that imports a buffer, or one in the backend's domain that is to show it, may
		need an IOMMU to reach pages that are scattered.

		With the module parameter ``contiguous`` each buffer is physically contiguous, as
		the guest sees it. More than the page allocator gives in one piece (4 MiB on
		x86) needs CMA.

		Each page takes a grant reference, and so does each page of the directory: 2027 for
		1920x1080 at 32 bits and pages of 4 KiB. When the guest runs out, buffers are
		refused with -ENOMEM, and the log tells what was needed, what is in use, and how
		to raise the limit. Some references are left for other drivers.

		Destroyed buffers stay granted for a while and are cleared and used again for
		new ones of their size; they are freed when the guest is short of memory.

		Buffers allocated by the backend
		--------------------------------

		This is configured for the guest, through ``be-alloc`` in XenStore, and not together
		with ``contiguous``. The backend fills the page directory with references to pages
		of its own, which the driver maps. This allows for buffers that devices of the
		backend's domain can use without a copy where there is no IOMMU, for example if
		that domain is mapped 1:1 and its display needs contiguous memory.

		In a PV guest, neither user space nor other drivers can map pages of another domain
		as ordinary memory. There they see pages of the guest, and a commit copies
		what has changed to those of the backend.

		Note, while using this scenario the following should be considered:

		#. Pages that a guest has mapped cannot be used again in the backend's domain
		   before the guest has unmapped them, or its domain has ended.

		#. A misbehaving guest may make the backend run out of memory and grant references,
		   unless the backend limits what one guest may have.

		When the backend goes
		=====================

		The DRM device stays while the backend is restarted, killed, or left behind by a
		migration of the guest. Commits go on: their events come from a timer. When the
		next backend is there, it is told of all buffers and framebuffers in use, and shows
		the last frame. After ``grace`` seconds without one link-status turns Bad, and Good
		again with the next backend.

		Module parameters
		=================

		``contiguous``
		   Allocate buffers physically contiguous, for importers that need it. Default: no.

		``grace``
		   Seconds without a backend until link-status turns Bad. Default: 30.

		``grant_reserve``
		   Grant references to leave for other drivers, at most an eighth of all.
		   Default: 1024.

		``pool``
		   MiB of destroyed buffers to keep for reuse, 0 for none. Default: 64.

		Driver limitations
		==================

		#. At most 16 connectors, each with a CRTC and a primary plane of its own, and a
		   cursor plane if the backend has cursors. There are no overlay planes, no
		   scaling, rotation or blending, and no colour management.

		#. The primary plane shows a framebuffer from its upper left corner, at most 8192
		   pixels each way.

		#. Formats are linear: RGB565, RGB888, and XRGB and ARGB of 8888, 4444 and 1555; or
		   what the backend lists instead. Rows are packed and begin at offset 0, unless the
		   backend negotiates strides.

		#. Without an EDID all modes are at 60 Hz. No mode is interlaced or double-scanned, or
		   below 20 or above 240 Hz.

		#. vblank is a timer at the mode's rate, which follows the frames that the backend
		   reports. The protocol has no vblank of the display itself.

		#. Granted pages cannot be swapped out or moved.

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
