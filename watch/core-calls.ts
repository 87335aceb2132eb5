// SPDX-License-Identifier: GPL-2.0-only
// The core's functions (returning.ts), seen as they begin and as they return. The rules are those of:
//
//   core-maps.ts     iommu_map() and its like
//   core-groups.ts   who is attached to what, by whom
//   core-domains.ts  domains that come and go, faults that are passed on
//   core-iovas.ts    addresses that are given out
//   core-dma.ts      the DMA API's memory

import { CoreDma } from './core-dma.js';
import { CoreDomains } from './core-domains.js';
import { CoreGroups } from './core-groups.js';
import { CoreIovas } from './core-iovas.js';
import { CoreMaps } from './core-maps.js';
import type { Domains } from './domains.js';
import type { Memory } from './memory.js';
import { probes } from './probes.js';
import type { Watched, Watcher } from './watcher.js';

/** What is to be done as a call returns, with its result. */
export type After<R> = (ret: R) => void;
/** Called with a call's arguments as it begins. */
type Rule<A extends unknown[], R> = (...args: A) => After<R> | null;
/** Rules by the names of functions. */
export type CoreRules = ReadonlyMap<string, Rule<unknown[], unknown>>;

/** Rules, each by the function that it is for: its arguments and result are the rule's. */
export class RuleSet {
	readonly rules = new Map<string, Rule<unknown[], unknown>>();

	/** At the call, and with what it returns. */
	on<A extends unknown[], R>(name: string, rule: Rule<A, R>): this {
		this.rules.set(name, rule as unknown as Rule<unknown[], unknown>);
		return this;
	}
}

export class CoreCalls implements Watcher {
	readonly #rules: CoreRules;

	constructor(watched: Watched, domains: Domains, memory: Memory) {
		const set = new RuleSet();
		new CoreMaps(watched, domains).addTo(set);
		const made = new CoreDomains(watched, domains);
		made.addTo(set);
		new CoreGroups(watched, domains, made).addTo(set);
		new CoreIovas(watched).addTo(set);
		new CoreDma(watched, domains, memory).addTo(set);
		this.#rules = set.rules;
	}

	watchKernel(): () => void {
		const rules = this.#rules;
		/** It is called from here: it does not ask again. */
		let passing: unknown = null;
		const probe: typeof probes.kretprobe = (name, fn, args) => {
			if (passing === fn) {
				passing = null;
				return undefined;
			}
			const rule = rules.get(name);
			const after = rule === undefined ? null : rule(...Array.from(args));
			if (after === null) return undefined;
			passing = fn;
			let ret: unknown;
			try {
				ret = fn(...Array.from(args));
			} finally {
				passing = null;
			}
			after(ret);
			return { ret };
		};
		probes.kretprobe = probe;
		return () => {
			if (probes.kretprobe === probe) probes.kretprobe = undefined;
		};
	}
}
