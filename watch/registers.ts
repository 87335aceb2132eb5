// SPDX-License-Identifier: GPL-2.0-only
// INV-PWR at the registers: one was accessed while its block had no clock or was in reset.

import type { Window } from '#hw/core/bus.js';
import { hex } from '#hw/core/register-file.js';
import type { Watched, Watcher } from './watcher.js';

export class Registers implements Watcher {
	constructor(readonly watched: Watched) {}

	lost(window: Window, addr: number, write: boolean, why: string): void {
		this.watched.find({
			invariant: 'INV-PWR',
			kind: 'unpowered-access',
			device: window.name,
			moment: 'return',
			place: `${addr} ${write}`,
			details: [`${write ? 'Write to' : 'Read of'} register ${hex(addr)} is lost: ${why}`],
			advice: `the driver accesses its registers at ${hex(addr)} before it has made sure of that: ${why}`,
		});
	}
}
