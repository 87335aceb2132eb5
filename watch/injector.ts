// SPDX-License-Identifier: GPL-2.0-only
// Lets things happen at scheduling points: by a seed, or as they did before.

import type { schedule_kind } from '#asm/machine.js';
import type { Machine } from '#hw/core/machine.js';

/** One thing that happened: @action at the @point-th scheduling point since the injector was made. */
export interface Injection {
	readonly point: number;
	readonly action: string;
}

export interface InjectorOptions {
	/** How likely something is to happen at a point; 0 with a script. */
	readonly chance?: number;
	/** Only points of these kinds count. */
	readonly kinds?: readonly schedule_kind[];
	/** What to do where, in order of points: another injector's history. */
	readonly script?: readonly Injection[];
	/** For the stream of chance; the machine's own seed is always in it. */
	readonly name?: string;
}

/**
 * What may happen is a table of named actions: a master's access, an interrupt, another CPU's call. What did
 * happen is in `history`, which another injector takes as its script: the same program then runs the same way.
 */
export class Injector {
	readonly history: Injection[] = [];
	#points = 0;
	#next = 0;

	constructor(
		readonly machine: Machine,
		readonly actions: Readonly<Record<string, () => void>>,
		readonly options: InjectorOptions = {},
	) {
		const random = machine.random(options.name ?? 'injector');
		const names = Object.keys(actions);
		const { script, kinds, chance = 0 } = options;
		for (const { action } of script ?? [])
			if (!Object.hasOwn(actions, action))
				throw new Error(`the script has an action ${action}, which is not given`);
		machine.hook = (kind) => {
			if (kinds !== undefined && !kinds.includes(kind)) return;
			const point = this.#points++;
			while (script !== undefined && script[this.#next]?.point === point)
				this.#run(point, script[this.#next++].action);
			if (chance > 0 && random() < chance) this.#run(point, names[Math.floor(random() * names.length)]);
		};
	}

	/** Points that were passed. */
	get points(): number {
		return this.#points;
	}

	stop(): void {
		this.machine.hook = null;
	}

	#run(point: number, action: string): void {
		this.history.push({ point, action });
		this.actions[action]();
	}
}
