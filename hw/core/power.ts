// SPDX-License-Identifier: GPL-2.0-only
// Whether a block has its clocks and its power, and is out of reset, as the tree wires it.

/** One clock or reset of a block: asked only when some gate or reset bit has changed. */
export type PowerInput = () => { readonly on: boolean; readonly name: string };

/** Counts changes of gates and resets, for the whole machine. */
export class PowerEpoch {
	value = 0;
}

/** The inputs of one block. The answer is kept until the epoch moves, so that a register access costs one check. */
export class PowerSwitch {
	#seen = -1;
	#why: string | null = null;
	#asking = false;
	readonly inputs: PowerInput[] = [];

	constructor(readonly epoch: PowerEpoch) {}

	/** null when the block answers; else what is missing. */
	why(): string | null {
		if (this.#seen !== this.epoch.value) this.#ask();
		return this.#why;
	}

	#ask(): void {
		// Two controllers may be each other's clock source: what is being asked counts as on.
		if (this.#asking) return;
		this.#asking = true;
		const missing = [];
		for (const input of this.inputs) {
			const { on, name } = input();
			if (!on) missing.push(`${name} is off`);
		}
		this.#why = missing.length === 0 ? null : missing.join(', ');
		this.#seen = this.epoch.value;
		this.#asking = false;
	}
}
