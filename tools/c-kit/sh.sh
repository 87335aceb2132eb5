#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
# The guest's side of what scripts do in a shell: run $1, leave status and text (lines end in |) in /tmp/sh.json.
P=/sys/bus/platform

unbind() { echo $1 > $P/devices/$1/driver/unbind; }
bind() { echo $1 > $P/drivers/oracle/bind; }
manage() { echo $1 > $P/drivers/oracle-managed/bind; }
override() { echo $1 > $P/devices/$2/driver_override; }
type() { cat $P/devices/$1/iommu_group/type; }
settype() { echo $2 > $P/devices/$1/iommu_group/type; }
# no driver is bound: give each group a new domain, by way of type $1
retype() { for g in /sys/kernel/iommu_groups/*; do echo $1 > $g/type; echo DMA > $g/type; done; }
load() { [ ! -e /driver.ko ] || insmod /driver.ko; }

eval "$1" > /tmp/sh.out 2>&1
status=$?
# of an error only the reason
out=$(sed 's/^.*: //' /tmp/sh.out | tr '\n' '|')
printf '{"status":%d,"out":"%s"}' $status "$out" > /tmp/sh.json
