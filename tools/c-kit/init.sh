#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
# The guest's init: run every script, print everything, power off.
/bin/busybox mkdir -p /proc /sys /dev /tmp
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox --install -s /bin
export PATH=/bin
stty raw -echo -F /dev/ttyAMA1 2>/dev/null
exec 3>/dev/ttyAMA1
send() { echo "@@FILE $1" >&3; cat "$2" >&3; echo "@@END $1" >&3; }

insmod /exerciser.ko $(cat /exerciser.args) || echo "@@STOP the exerciser cannot be loaded" >&3
cd /scripts
for f in *; do
	dd if=$f of=/proc/exerciser bs=8M 2>/dev/null
	cat /proc/exerciser > /tmp/o
	send $f /tmp/o
done
dmesg > /tmp/dmesg
send dmesg /tmp/dmesg
exec 3>&-
sleep 1
poweroff -f
