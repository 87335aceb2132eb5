// SPDX-License-Identifier: GPL-2.0-only
// The machine that the kernel runs on; every primitive reaches it from here.
// Linux 6.12: arch/arm64/kernel/setup.c
// Left out: setup_arch() is one part of init/main.ts' start_kernel().
import type { machine as machine_door } from '#asm/machine.js';

/** The machine of the current boot. */
export let machine: machine_door;

/** Put the kernel on @m; start_kernel() does this first. */
export function set_machine(m: machine_door): void {
	machine = m;
}
