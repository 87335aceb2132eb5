#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Compile a driver of several files against the kernel's headers, file by file at W=1. Nothing is linked: files of the
# driver may be missing. A warning is a failure.
#
# Usage: CKIT=out/c-kit tools/c-kit/syntax.sh FOLDER …	(CKIT as kit.sh has made it)
: "${CKIT:?the folder that kit.sh fetched into}"
HERE=$(cd "$(dirname "$0")" && pwd)
CROSS=${CROSS_COMPILE:-aarch64-linux-gnu-}
die() { echo "c-check: $*" >&2; exit 1; }
[ -e "$CKIT/arch/.done" ] || die "no headers in $CKIT: kit.sh build makes them ready"
CKIT=$(cd "$CKIT" && pwd)
[ $# -gt 0 ] || die "syntax.sh takes folders with C files"

for folder in "$@"; do
	ls "$folder"/*.c > /dev/null 2>&1 || die "$folder has no C files: make c writes them"
	d=$CKIT/syntax/$(basename "$folder")
	rm -rf "$d"
	mkdir -p "$d"
	cp "$HERE"/compat/*.h "$d/"
	cp "$folder"/*.c "$d/"
	for h in "$folder"/*.h; do [ ! -e "$h" ] || cp "$h" "$d/"; done	# a header of one's own wins
	objects=$(cd "$d" && ls -- *.c | sed 's/c$/o/')
	echo "obj-m := "$objects > "$d/Kbuild"
	make -k -C "$CKIT/arch" M="$d" ARCH=arm64 CROSS_COMPILE="$CROSS" W=1 $objects > "$d.log" 2>&1
	status=$?
	if grep -E "(warning|error):" "$d.log" || [ $status -ne 0 ]; then
		die "$folder: not compiled without a warning; $d.log has it all"
	fi
	echo "c-check: $folder: $(echo $objects | wc -w) files, $(cat "$folder"/*.[ch] | wc -l) lines, no warning at W=1"
done
