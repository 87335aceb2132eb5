// SPDX-License-Identifier: GPL-2.0-only
// Who called whom, in the log.
// Linux 6.12: lib/dump_stack.c
import { cpu_context } from '#asm/current.js';
import { vprintk_emit } from '#kernel/printk/printk.js';

/** The running task, and the frames of the JavaScript stack (lib/dump_stack.c: dump_stack()). */
export function dump_stack(): void {
	const task = cpu_context.current;
	vprintk_emit(4, 'CPU: %d PID: %d Comm: %s', [cpu_context.cpu, task.pid, task.comm]);
	vprintk_emit(4, 'Call trace:', []);
	for (const frame of (new Error().stack ?? '').split('\n').slice(2, 18)) {
		const name = /at (?:async )?(?:new )?([\w.<>$]+)/.exec(frame)?.[1];
		if (name !== undefined) vprintk_emit(4, ' %s', [name]);
	}
}
