# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Building blocks of disk images and initramfs archives. Sourced.

PATH=$PATH:/sbin:/usr/sbin

# make_ext4 DIR IMAGE MIB: an ext4 file system with DIR's files in it
make_ext4() {
	rm -f "$2.new"
	mke2fs -q -F -t ext4 -O ^has_journal,^metadata_csum -m 0 \
		-E lazy_itable_init=1,root_owner=0:0 -d "$1" "$2.new" "$3M" >/dev/null
	mv "$2.new" "$2"
}

# make_cpio DIR ARCHIVE
make_cpio() {
	(cd "$1" && find . -mindepth 1 -print0 | LC_ALL=C sort -z |
		cpio --quiet -0 -o -H newc -R 0:0) >"$2.new"
	mv "$2.new" "$2"
}

# module_files MODULEDIR NAME...: paths of the modules and of all that they
# depend on, from modules.dep; a name with a leading ? need not exist
module_files() {
	local dir=$1
	shift
	printf '%s\n' "$@" | awk -v dep="$dir/modules.dep" -v builtin="$dir/modules.builtin" '
		function base(path) {
			sub(/.*\//, "", path); sub(/\.ko.*/, "", path); gsub(/-/, "_", path)
			return path
		}
		BEGIN {
			while ((getline line < dep) > 0) {
				split(line, half, ":"); files[base(half[1])] = half[1] half[2]
			}
			while ((getline line < builtin) > 0) inkernel[base(line)] = 1
		}
		{
			optional = sub(/^\?/, ""); gsub(/-/, "_")
			if ($0 in files) {
				n = split(files[$0], f, " ")
				for (i = 1; i <= n; i++) print f[i]
			} else if (!optional && !($0 in inkernel)) {
				print "no module " $0 " in " dep > "/dev/stderr"; bad = 1
			}
		}
		END { exit bad }' | sort -u
}

# copy_modules KERNELDIR RELEASE DEST NAME...: into DEST/lib/modules, with depmod
copy_modules() {
	local from=$1/lib/modules/$2 rel=$2 dest=$3 files f
	shift 3
	files=$(module_files "$from" "$@")
	for f in $files; do
		mkdir -p "$dest/lib/modules/$rel/${f%/*}"
		case $f in
		*.xz) xz -dc "$from/$f" >"$dest/lib/modules/$rel/${f%.xz}" ;;
		*) cp "$from/$f" "$dest/lib/modules/$rel/$f" ;;
		esac
	done
	cp "$from"/modules.builtin* "$from"/modules.order "$dest/lib/modules/$rel/"
	depmod -b "$dest" "$rel"
}

# of files that are ELF; others are passed over
needed_libs() {
	{ readelf -d "$@" 2>/dev/null || true; } |
		sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort -u
}

# copy_libs ROOT DEST FILE...: the shared libraries FILEs need, from ROOT (or,
# failing that, from this machine) into DEST's library directory
copy_libs() {
	local root=$1 dest=$2 todo lib from libdir=usr/lib/x86_64-linux-gnu
	shift 2
	mkdir -p "$dest/$libdir" "$dest/usr/lib64"
	todo=$(needed_libs "$@")
	while [ -n "$todo" ]; do
		set --
		for lib in $todo; do
			[ -e "$dest/$libdir/$lib" ] && continue
			from=$root/$libdir/$lib
			[ -e "$from" ] || from=/$libdir/$lib
			[ -e "$from" ] || from=$(ldconfig -p | sed -n "s/^\t$lib (.*x86-64.*) => //p" | head -n 1)
			if [ -z "$from" ]; then
				echo "no library $lib to be found" >&2
				return 1
			fi
			cp -L "$from" "$dest/$libdir/$lib"
			set -- "$@" "$dest/$libdir/$lib"
		done
		todo=
		[ $# -eq 0 ] || todo=$(needed_libs "$@")
	done
	if [ -e "$dest/$libdir/ld-linux-x86-64.so.2" ]; then
		ln -sf "../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2" "$dest/usr/lib64/"
	fi
}
