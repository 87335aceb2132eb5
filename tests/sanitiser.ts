// SPDX-License-Identifier: GPL-2.0-only
// DMASAN watches every machine that a test makes; tests/setup.ts fails the test that it speaks in.

import type { Machine } from '#hw/core/machine.js';
import { Dmasan } from '#watch/dmasan.js';

const attached = new WeakMap<Machine, Dmasan>();

/** The first lines of what the sanitisers found, since somebody last emptied it. */
export const findings: string[] = [];

/** The one that was attached last: of the machine that a test works on. */
let latest: Dmasan | null = null;

/** A test of the kernel has ended: what it left in the caches is found, too, unless it has found enough. */
export function checkAtEnd(): void {
	if (latest?.running && latest.reports.length === 0) latest.quiet('the test');
	latest = null;
}

/** Attach the sanitiser to @machine. The one place that knows which one. */
export function attachSanitiser(machine: Machine): void {
	const sanitiser = new Dmasan(machine);
	sanitiser.onReport = (report) => findings.push(report.text);
	attached.set(machine, sanitiser);
	latest = sanitiser;
}

/** The sanitiser of a machine that testMachine(), or watched() options, made. */
export function sanitiserOf(machine: Machine): Dmasan {
	const sanitiser = attached.get(machine);
	if (sanitiser === undefined) throw new Error('nobody watches this machine: use watched()');
	return sanitiser;
}
