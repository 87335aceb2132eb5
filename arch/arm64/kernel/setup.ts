// SPDX-License-Identifier: GPL-2.0-only
// The machine that the kernel runs on; every primitive reaches it from here.
// Linux 6.12: arch/arm64/kernel/setup.c
// Left out: setup_arch() is one part of init/main.ts' start_kernel().
import type { machine as machine_door, schedule_kind } from '#asm/machine.js';
import type { u64 } from '#linux/types.js';

/** The machine of the current boot. */
export let machine: machine_door;

/** Put the kernel on @m; start_kernel() does this first. */
export function set_machine(m: machine_door): void {
	machine = m;
}

/**
 * Anything may happen here: a master streams, an interrupt comes, another CPU goes on. There are many of these, so
 * without somebody who explores them one costs a look.
 */
export function schedule_point(kind: schedule_kind, where: u64): void {
	if (machine.hook !== null) machine.schedule_point(kind, where);
}
