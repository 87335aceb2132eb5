#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Build a driver as a module, boot an unmodified kernel with it and with its own, on the same scripts. README.md says more.
#
# Usage: kit.sh need              what is missing, a line each; exit 1 if anything is
#        kit.sh fetch             the kernel's packages into $CKIT
#        kit.sh build FILE        the driver (W=1; a warning is a failure) and the exerciser as modules
#        kit.sh style FILE        checkpatch.pl --strict
#        kit.sh symbols DRIVER    what the module takes from the kernel, and whether it is exported
#        kit.sh run BOARD builtin|module
#        kit.sh dtb BOARD OUT     the board as the TypeScript kernel boots it
#
# CKIT: the folder for all that is fetched and made.
set -e -o pipefail
: "${CKIT:?the folder for all that is fetched and made}"
HERE=$(cd "$(dirname "$0")" && pwd)
CROSS=${CROSS_COMPILE:-aarch64-linux-gnu-}
VERSION=${CKIT_VERSION:-6.12.117+deb12}
# The guest's clock counts its instructions and idle time takes none: a timer fires at the same step on a slow host.
ICOUNT=${ICOUNT--icount shift=1,sleep=off}
mkdir -p "$CKIT"
CKIT=$(cd "$CKIT" && pwd)
ROOT=$CKIT/root			# extracted packages
BUSYBOX=$ROOT/bin/busybox

die() { echo "c-check: $*" >&2; exit 1; }

need() {
	missing=
	for tool in "qemu-system-aarch64 qemu-system-arm" "${CROSS}gcc gcc-aarch64-linux-gnu" "dtc device-tree-compiler" \
		"cpio cpio" "make make" "bc bc" "flex flex" "bison bison" "perl perl" "cpp cpp" "dpkg dpkg" "xz xz-utils"; do
		set -- $tool
		command -v "$1" > /dev/null || missing="$missing $2"
	done
	for lib in "/usr/include/openssl/ssl.h libssl-dev" "/usr/include/libelf.h libelf-dev"; do
		set -- $lib
		[ -e "$1" ] || missing="$missing $2"
	done
	[ -z "$missing" ] || die "missing packages:$missing (apt-get install$missing)"
	[ -e "$ROOT/.fetched" ] || die "no kernel in $CKIT: make c-fetch downloads it (or CKIT= names a folder that has it)"
}

# Debian's own packages of one version, by its ordinary client; the ones that are there already stay.
fetch() {
	command -v apt-get > /dev/null || die "apt-get is missing: Debian's packages are fetched with it (README.md lists them)"
	mkdir -p "$CKIT/deb" "$ROOT"
	dpkg --print-foreign-architectures | grep -qx arm64 || [ "$(dpkg --print-architecture)" = arm64 ] ||
		die "dpkg does not know the architecture arm64: dpkg --add-architecture arm64 && apt-get update"
	cd "$CKIT/deb"
	for p in linux-image-$VERSION-arm64:arm64 linux-headers-$VERSION-arm64:arm64 linux-headers-$VERSION-common \
		linux-kbuild-$VERSION busybox-static:arm64 linux-source-6.12; do
		ls "${p%:*}"_*.deb > /dev/null 2>&1 || apt-get -q download "$p" ||
			die "$p cannot be downloaded (apt-get update; CKIT_VERSION= names another 6.12)"
	done
	for d in linux-image linux-headers linux-kbuild busybox; do
		for f in "$d"*.deb; do dpkg -x "$f" "$ROOT"; done
	done
	# checkpatch.pl is among the sources only
	dpkg --fsys-tarfile linux-source-6.12_*.deb | tar -xO --wildcards './usr/src/*.tar.xz' |
		tar -xJ -C "$ROOT" --strip-components=1 --wildcards '*/scripts/checkpatch.pl' '*/scripts/spelling.txt' \
		'*/scripts/const_structs.checkpatch'
	touch "$ROOT/.fetched"
	echo "c-check: Linux $VERSION is in $CKIT"
}

# DRIVER, INITCALL, COMPATIBLE, DTS, MASTERS, FRESH, ARGS, SCRIPTS
board() {
	[ -e "$HERE/boards/$1" ] || die "there is no board $1, there are $(cd "$HERE/boards" && echo *)"
	. "$HERE/boards/$1"
	W=$CKIT/$1
	mkdir -p "$W"
}

# The headers package names its sibling by an absolute path; build from a copy that points into ROOT.
tree() {
	[ -e "$CKIT/arch/.done" ] && return
	rm -rf "$CKIT/arch"
	cp -r "$(ls -d "$ROOT"/usr/src/linux-headers-*-arm64)" "$CKIT/arch"
	kb=$(ls -d "$ROOT"/usr/lib/linux-kbuild-*)
	rm -rf "$CKIT/arch/scripts" "$CKIT/arch/tools" "$CKIT/arch/vmlinux"	# no vmlinux: no BTF for the module
	ln -s "$kb/scripts" "$CKIT/arch/scripts"
	ln -s "$kb/tools" "$CKIT/arch/tools"
	echo "include $(ls -d "$ROOT"/usr/src/linux-headers-*-common)/Makefile" > "$CKIT/arch/Makefile"
	touch "$CKIT/arch/.done"
}

make_modules() {
	make -C "$CKIT/arch" M="$1" ARCH=arm64 CROSS_COMPILE="$CROSS" "${@:2}" modules > "$1.log" 2>&1 ||
		{ cat "$1.log" >&2; die "$(basename "$1") does not build"; }
	if grep -E "(warning|error):|modpost: .*undefined" "$1.log"; then die "$(basename "$1") does not build without a warning"; fi
}

exerciser() {
	tree
	if [ -e "$CKIT/exerciser/exerciser.ko" ] && [ -z "$(find "$HERE/exerciser" -newer "$CKIT/exerciser/exerciser.ko")" ]; then return; fi
	rm -rf "$CKIT/exerciser"
	cp -r "$HERE/exerciser" "$CKIT/exerciser"
	make_modules "$CKIT/exerciser"
}

build() {
	driver=$(basename "$1" .c)
	d=$CKIT/$driver
	[ -e "$1" ] || die "$1 is not there"
	exerciser
	rm -rf "$d"
	mkdir -p "$d"
	cp "$HERE"/compat/*.h "$d/"
	for h in "$(dirname "$1")"/*.h; do [ ! -e "$h" ] || cp "$h" "$d/"; done	# a header of one's own wins
	cp "$1" "$d/$driver.c"
	# What a module needs and a driver that Linux only builds in does not say: iommu_device_register() refuses a
	# module's ops without an owner, and modpost a module without a licence.
	grep -q "\.owner\b" "$1" ||
		sed -i 's/^\(\(static \|const \)*struct iommu_ops [a-z0-9_]* = {\)$/\1 .owner = THIS_MODULE,/' "$d/$driver.c"
	grep -q MODULE_LICENSE "$1" || printf '\nMODULE_LICENSE("GPL");\n' >> "$d/$driver.c"
	# the name of its initcall is on the guest's command line as one not to be called
	initcall=$(cat $(grep -lx "DRIVER=$driver" "$HERE"/boards/*) | sed -n 's/^INITCALL=\(..*\)/-D\1=module_\1/p' | head -n 1)
	printf 'obj-m := %s.o\nccflags-y := -I$(src) %s\n' "$driver" "$initcall" > "$d/Kbuild"
	make_modules "$d" W=1
	echo "c-check: $driver: built, $(wc -l < "$1") lines, no warning at W=1"
}

style() {
	[ -e "$ROOT/scripts/checkpatch.pl" ] || die "no checkpatch.pl in $CKIT: make c-fetch takes it from linux-source-6.12"
	found=$(perl "$ROOT/scripts/checkpatch.pl" --no-tree --strict --terse --show-types --file "$1" || :)
	echo "$found" | grep -v "^total:" | grep -v -F -f <(sed 's/[[:space:]]*#.*//' "$HERE/checkpatch.allow" | grep .) | grep . && die "$1: checkpatch.pl --strict"
	echo "c-check: $(basename "$1" .c): checkpatch.pl --strict: $(echo "${found:-nothing found}" | tail -n 1)"
}

symbols() {
	"${CROSS}nm" -u "$CKIT/$1/$1.ko" | awk '{print $2}' | while read -r s; do
		awk -v s="$s" '$2 == s { print s, $4; f = 1 } END { if (!f) print s, "NOT EXPORTED" }' "$CKIT/arch/Module.symvers"
	done
}

tree_of() { # masters' status, file
	cpp -nostdinc -undef -P -x assembler-with-cpp $DTS "-DCOMPATIBLE=\"$COMPATIBLE\"" "-DMASTERS_STATUS=\"$1\"" "$HERE/board.dts.in" |
		dtc -q -I dts -O dtb -o "$2" -
}

dtb() { board "$1"; tree_of okay "$2"; }

run() {
	board "$1"
	exerciser
	r=$W/$2
	rm -rf "$r"
	mkdir -p "$r/root"/{bin,proc,sys,dev,tmp,scripts}
	case $2 in
	builtin) without= ;;
	# the kernel's own driver is not started, so that the name and the devices are free
	module) without=${INITCALL:+initcall_blacklist=$INITCALL}; cp "$CKIT/$DRIVER/$DRIVER.ko" "$r/root/driver.ko" ;;
	*) die "run $1 $2: builtin or module was expected" ;;
	esac
	tree_of disabled "$r/board.dtb"
	cp "$BUSYBOX" "$r/root/bin/busybox"
	ln -s busybox "$r/root/bin/sh"
	cp "$CKIT/exerciser/exerciser.ko" "$r/root/"
	install -m 755 "$HERE/init.sh" "$r/root/init"
	install -m 755 "$HERE/sh.sh" "$r/root/sh.sh"
	echo "masters=$MASTERS fresh=$FRESH $ARGS" > "$r/root/exerciser.args"
	for s in $SCRIPTS; do cp "$HERE/scripts/$s"/* "$r/root/scripts/"; done
	(cd "$r/root" && find . | cpio -o -H newc --quiet | gzip -1) > "$r/initrd.gz"
	timeout "${LIMIT:-300}" qemu-system-aarch64 -M xlnx-versal-virt -m 2G -smp 4 -accel tcg,thread=single $ICOUNT \
		-display none -no-reboot -net none -serial "file:$r/console.txt" -serial "file:$r/data.txt" \
		-kernel "$(ls "$ROOT"/boot/vmlinuz-*-arm64)" -initrd "$r/initrd.gz" -dtb "$r/board.dtb" \
		-append "console=ttyAMA0 nr_cpus=1 panic=-1 oops=panic log_buf_len=16M printk.devkmsg=on loglevel=4 suspend.pm_test_delay=0 $without" 2> "$r/qemu.log" || :
	if ! grep -aq "@@END dmesg" "$r/data.txt" || grep -aq "^@@STOP" "$r/data.txt"; then
		grep -a "^@@STOP" "$r/data.txt" >&2 || tail -n 40 "$r/console.txt" >&2
		die "$1 $2: the scripts were not run to their end ($r/console.txt)"
	fi
	if grep -a "exerciser: .* has no driver" "$r/data.txt" >&2; then
		die "$1 $2: the masters were not bound behind the IOMMU; the kernel's log is in $r/data.txt"
	fi
}
"$@"
