// SPDX-License-Identifier: GPL-2.0-only
// Operations of translation hardware that take time: flushes, invalidations.

import type { Habits } from './habits.js';

/**
 * One kind of operation, with the register bits that stay set until it is done. Its effect comes when it begins, or,
 * as the habits have it, only when it ends; never while it is stuck.
 */
export class Operation {
	bits = 0;
	/** When it ends; infinity: it does not go on. */
	due = Number.POSITIVE_INFINITY;
	/** Called when it is begun anew before it has ended. */
	onOverrun: (() => void) | null = null;
	/** Those whose effect is still to come. */
	#owed = 0;

	constructor(
		/** Its name in the model's `stuck`. */
		readonly name: string,
		readonly clock: { readonly now: number },
		readonly habits: Habits,
		readonly stuck: ReadonlySet<string>,
		readonly effect: (bits: number) => void,
	) {}

	begin(bits: number): void {
		if (bits === 0) return;
		if (this.bits !== 0) this.onOverrun?.();
		this.bits |= bits;
		this.due = this.clock.now + this.habits.busyNs;
		if (this.habits.lateInvalidation || this.#isStuck()) this.#owed |= bits;
		else this.effect(bits);
	}

	/** It ends now: something waits for it. */
	finish(): boolean {
		this.due = this.clock.now;
		return this.settle();
	}

	/** To be called before anything that could tell; true when it has just ended. */
	settle(): boolean {
		if (this.bits === 0 || this.clock.now < this.due || this.#isStuck()) return false;
		// Who hears of the effect may look at the model: it has ended by then.
		const owed = this.#owed;
		this.cancel();
		if (owed !== 0) this.effect(owed);
		return true;
	}

	#isStuck(): boolean {
		return this.stuck.size !== 0 && this.stuck.has(this.name);
	}

	/** Reset: it ends without effect. */
	cancel(): void {
		this.bits = 0;
		this.due = Number.POSITIVE_INFINITY;
		this.#owed = 0;
	}
}
