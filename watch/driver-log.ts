// SPDX-License-Identifier: GPL-2.0-only
// What an IOMMU's driver does inside its functions: lines that it cleans, commands that take effect. Reports say so, with
// the driver's own functions: the one that is wrong is rarely the one that the core called.

import { hex } from '#hw/core/register-file.js';
import type { CommandText, Iommu } from '#hw/iommu/iommu.js';
import { functionsOf, NO_STACK, Sampler, type Stack } from './journal.js';
import type { Watcher } from './watcher.js';

/** From a command's effect through the machine, and an interrupt in between, to the driver. */
const DEPTH = 40;
const ONE_IN = 4096;
/** How many of what a function does n-th have a stack of their own, and then one in how many. */
const EACH = 64;
/** How much of one operation is remembered. */
const ACTS = 32;

const noText = (): string => '';

class Act {
	/** Who was commanded; null: lines were cleaned. */
	iommu: Iommu | null = null;
	/** The command. */
	text: CommandText = noText;
	phys = 0;
	size = 0;
	stack: Stack = NO_STACK;
}

/** A function of the driver's that has not returned; one inside another runs on another CPU. */
class Call {
	fn = '';
	acts = 0;
}

/** The core's and the DMA API's files beside the drivers': what is called from there is not the driver's own. */
const CORE = /^drivers\/iommu\/(?:iommu|dma-iommu|iova|of_iommu|iommu-\w+)\.[jt]s$/;

export class DriverLog implements Watcher {
	// Both are used again, up to #depth and #count: this happens at every mapping.
	readonly #calls: Call[] = [];
	#depth = 0;
	readonly #slots: readonly Act[] = Array.from({ length: ACTS }, () => new Act());
	#count = 0;
	readonly #samplers = new Map<string, Sampler[]>();
	/** What came before the tables last changed. */
	#before = 0;
	#number = 0;

	/** The function of the driver's that runs; null: none. */
	get running(): string | null {
		return this.#depth === 0 ? null : this.#calls[this.#depth - 1].fn;
	}

	/** The core is about to call @fn. */
	enter(fn: string): void {
		if (this.#calls.length === this.#depth) this.#calls.push(new Call());
		const call = this.#calls[this.#depth++];
		call.fn = fn;
		call.acts = 0;
	}

	leave(): void {
		if (this.#depth !== 0) this.#depth--;
	}

	/** Another operation of the core's begins: what was done before is not its. */
	begin(): void {
		this.#count = 0;
		this.#before = 0;
	}

	/** The tables have changed: an invalidation before the last word was clean is of no use. */
	changed(): void {
		this.#before = this.#count;
		while (this.#before !== 0 && this.#slots[this.#before - 1].iommu !== null) this.#before--;
	}

	onClean(phys: number, size: number): void {
		if (this.#depth !== 0) this.#add(null, noText, phys, size);
	}

	commanded(iommu: Iommu, text: CommandText): void {
		this.#add(iommu, text, 0, 0);
	}

	#add(iommu: Iommu | null, text: CommandText, phys: number, size: number): void {
		if (this.#count === ACTS) return;
		const call = this.#depth === 0 ? null : this.#calls[this.#depth - 1];
		const sampler = call === null ? this.#samplerOf('', 0) : this.#samplerOf(call.fn, call.acts++);
		const act = this.#slots[this.#count++];
		act.iommu = iommu;
		act.text = text;
		act.phys = phys;
		act.size = size;
		act.stack = sampler.take(++this.#number);
	}

	/** What was done in this operation, oldest first. */
	get #acts(): readonly Act[] {
		return this.#slots.slice(0, this.#count);
	}

	/** Of what a function does it mostly does the same as its n-th. */
	#samplerOf(fn: string, nth: number): Sampler {
		let samplers = this.#samplers.get(fn);
		if (samplers === undefined) {
			samplers = [];
			this.#samplers.set(fn, samplers);
		}
		while (samplers.length <= nth) samplers.push(new Sampler(DEPTH, EACH, ONE_IN));
		return samplers[nth];
	}

	/** What @iommu was told since the tables changed, by which functions: `zap_iova(): TLB_IVLD 0x1000, …`; '': nothing. */
	commands(iommu: Iommu): string {
		return this.#told(this.#acts.slice(this.#before).filter((act) => act.iommu === iommu));
	}

	/** What it was told before that. */
	early(iommu: Iommu): string {
		return this.#told(this.#acts.slice(0, this.#before).filter((act) => act.iommu === iommu));
	}

	/** Which lines were cleaned, by which functions; '': none. */
	cleans(): string {
		const seen = this.#acts.filter((act) => act.iommu === null);
		return seen.map(({ phys, size, stack }) => `${callersOf(stack, 2)} ${hex(phys, 8)}+${size}`).join(', ');
	}

	/** All of it, one below the other; nothing: no lines. */
	lines(): string[] {
		const acts = this.#acts.map(({ iommu, text, phys, size, stack }) => {
			const what = iommu === null ? `cleaned ${hex(phys, 8)}+${size}` : `told ${iommu.name} ${text()}`;
			return `  ${callersOf(stack, 8)} ${what}`;
		});
		return acts.length === 0 ? [] : ['What the driver has done in it:', ...acts];
	}

	#told(acts: readonly Act[]): string {
		const by = new Map<string, string[]>();
		for (const { stack, text } of acts) {
			const who = callersOf(stack, 2);
			const texts = by.get(who);
			if (texts === undefined) by.set(who, [text()]);
			else texts.push(text());
		}
		return [...by].map(([who, texts]) => `${who}: ${texts.join(', ')}`).join('; ');
	}
}

/** The driver's functions of @stack, the innermost @depth of them: `a() in b() in c()`. */
function callersOf(stack: Stack, depth: number): string {
	const own = functionsOf(stack).filter(
		({ file, name }) => name !== '' && !CORE.test(file) && !/^(?:arch|include|kernel|lib|mm)\//.test(file),
	);
	const names = own.slice(0, depth).map(({ name }) => `${name}()`);
	return names.length === 0 ? 'the kernel' : names.join(' in ');
}
