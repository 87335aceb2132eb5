// SPDX-License-Identifier: GPL-2.0-only
// One list of all that is wrong, whoever has seen it: the sanitiser, the kernel's own checks, the machine, what is left
// of allocations.

import type { Machine } from '#hw/core/machine.js';
import { panic_state } from '#kernel/panic.js';
import { slab_leaks, slab_live } from '#linux/slab.js';
import { nr_free_pages } from '#mm/page_alloc.js';

export type Channel = 'sanitiser' | 'warning' | 'machine' | 'leak';

export interface Trouble {
	readonly channel: Channel;
	readonly text: string;
}

/** What the channels are asked for. */
interface Source {
	readonly machine: Machine;
	readonly running: boolean;
	readonly reports: readonly { readonly text: string }[];
}

/** The machine's remarks about what no correct program does; others are about what it does not model. */
const REMARKABLE =
	/ is lost\b|nothing is there|reads as zero: |\bhangs\b|is refused|where no memory is|there is no command|has set no vectors|this IOMMU has 0 to/;

export class Channels {
	#live: Record<string, number> | null = null;
	#pages = 0;
	#warnings = 0;
	#notes = 0;

	constructor(readonly source: Source) {}

	/** From now on: what is allocated has to be freed, and what was said is forgotten. */
	mark(): void {
		this.#live = slab_live();
		this.#pages = nr_free_pages();
		this.#warnings = panic_state.warnings.length;
		this.#notes = this.source.machine.notes.length;
	}

	/** In the order of channels; leaks since mark(), if anybody has called it. */
	all(): Trouble[] {
		const { machine, running, reports } = this.source;
		const of = (channel: Channel, texts: readonly string[]): Trouble[] =>
			texts.map((text) => ({ channel, text }));
		const notes = machine.notes.slice(this.#notes).filter(({ text }) => REMARKABLE.test(text));
		return [
			...of(
				'sanitiser',
				reports.map(({ text }) => text),
			),
			...of('warning', running ? panic_state.warnings.slice(this.#warnings) : []),
			...of(
				'machine',
				notes.map(({ who, text }) => `${who}: ${text}`),
			),
			...of('leak', running ? this.#leaks() : []),
		];
	}

	#leaks(): string[] {
		if (this.#live === null) return [];
		const lost = this.#pages - nr_free_pages();
		return [...slab_leaks(this.#live), ...(lost > 0 ? [`${lost} pages more in use than before`] : [])];
	}
}
