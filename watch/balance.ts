// SPDX-License-Identifier: GPL-2.0-only
// What a driver's function leaves changed when it returns, and may not.
//
//   INV-RACE   a lock that it holds, preemption or interrupts that it leaves off
//   INV-SLEEP  it sleeps, or allocates so that it may, where its caller cannot
//   INV-LEAK   clocks, resets and runtime-PM references of the IOMMU that it took and kept; a domain's memory
//   INV-ERR    the same after an error: a call that fails has no effect
//   INV-FAULT  translation goes on, and the line will not tell of a fault
//   INV-TLB-UNMAP  an operation of the hardware's that it does not wait for (INV-ERR: an attach, one that never ends)
//
// What an attach may leave on is a matter of state: whatever led there, a block that translates, and one that does not,
// each have the clocks, resets and references that they had the first time.

import { cpu_context } from '#asm/current.js';
import { pfn_to_page_if_made } from '#asm/memory.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import { type clk_core, of_clk_get_hw_at } from '#drivers/clk/clk.js';
import { type Iommu, NO_PASID } from '#hw/iommu/iommu.js';
import { atomic_read } from '#linux/atomic.js';
import type { device } from '#linux/device.js';
import { IS_ERR } from '#linux/err.js';
import { __GFP_DIRECT_RECLAIM } from '#linux/gfp_types.js';
import type { iommu_domain } from '#linux/iommu.js';
import { irqs_disabled } from '#linux/irqflags.js';
import type { irqaction } from '#linux/irqhandler.js';
import { kref_read } from '#linux/kref.js';
import { list_for_each_entry } from '#linux/list.js';
import type { task_struct } from '#linux/sched/task.js';
import { slab } from '#mm/slab.js';
import { slab_state } from '#mm/slub.js';
import { handlerName } from './interrupts.js';
import type { OpGuard } from './iommu-ops.js';
import { attachProbes } from './kernel.js';
import type { Allocation, Memory } from './memory.js';
import { asReturns, called, type Invariant } from './report.js';
import type { Watched, Watcher } from './watcher.js';

/** May change what is on, as the state asks for it. */
const CHANGES_STATE = new Set(['attach_dev', 'free']);
/** Nothing that it takes may it keep; it may be called where nobody may sleep. */
const KEEPS_NOTHING = new Set([
	'map_pages',
	'unmap_pages',
	'iotlb_sync_map',
	'iotlb_sync',
	'flush_iotlb_all',
	'iova_to_phys',
]);
/** It may not keep a reference of the IOMMU's device either: who found it gives it back. */
const XLATE = 'of_xlate';
/** What they allocate belongs to the domain, which is their first argument or their result. */
const MAKES = new Set(['domain_alloc', 'domain_alloc_paging']);

/** An IOMMU with all that its driver switches. */
interface Block {
	readonly iommu: Iommu;
	readonly dev: device;
	/** Its clocks, each with whether nobody else has it. */
	readonly clocks: readonly { readonly core: clk_core; readonly own: boolean }[];
	/** What was on the first time, by state. */
	readonly settled: Map<string, Settled>;
}

interface Settled {
	readonly fn: string;
	readonly counts: readonly number[];
}

/** A function of a driver's that has been called. */
class Frame {
	fn = '';
	op = '';
	/** It is one of KEEPS_NOTHING. */
	keepsNothing = false;
	domain: iommu_domain | null = null;
	task: task_struct | null = null;
	depth = 0;
	preempt = 0;
	masked = false;
	ticks = 0;
	/** It was made sure of that it cannot sleep. */
	atomic = false;
	/** How many blocks there were, and for each: references, enables, prepares. */
	blocks = 0;
	readonly counts: number[] = [];
	/** References of each block's device. */
	readonly devices: number[] = [];
	readonly made: Allocation[] = [];
	objects = 0;
}

export class Balance implements Watcher, OpGuard {
	readonly #blocks: Block[] = [];
	readonly #frames: Frame[] = [];
	#depth = 0;
	/** What the driver has allocated for each domain. */
	#owned = new WeakMap<iommu_domain, Allocation[]>();

	constructor(
		readonly watched: Watched,
		readonly memory: Memory,
	) {
		memory.onAlloc.push((allocation) => this.#allocated(allocation));
	}

	watchKernel(): () => void {
		this.#blocks.length = 0;
		this.#depth = 0;
		return attachProbes({
			add_device_to_group: (_data: unknown, _group: number, dev: device) => this.#found(dev),
			irq_handler_entry: (_data: unknown, _irq: number, action: irqaction) =>
				this.entering(handlerName(action), 'handler', null, 0),
			irq_handler_exit: () => this.leaving(0),
		});
	}

	entering(fn: string, op: string, first: unknown, gfp: unknown): void {
		if (this.#frames.length === this.#depth) this.#frames.push(new Frame());
		const frame = this.#frames[this.#depth++];
		const { current } = cpu_context;
		frame.fn = fn;
		frame.op = op;
		frame.task = current;
		frame.depth = current.lockdep_depth;
		frame.preempt = current.preempt_count;
		frame.masked = irqs_disabled();
		frame.ticks = this.watched.machine.timerTicks;
		frame.domain = op === 'handler' ? null : ((first ?? null) as iommu_domain | null);
		if (frame.made.length !== 0) frame.made.length = 0;
		this.#count(frame);
		if (op === XLATE) this.#devices(frame.devices);
		if (op === 'free') frame.objects = this.#structsLike(frame.domain);
		frame.keepsNothing = KEEPS_NOTHING.has(op);
		frame.atomic =
			frame.keepsNothing && (op !== 'map_pages' || ((gfp as number) & __GFP_DIRECT_RECLAIM) === 0);
		// A kernel that checks where it sleeps says it then (CONFIG_DEBUG_ATOMIC_SLEEP).
		if (frame.atomic) current.preempt_count++;
	}

	abandon(): void {
		const frame = this.#frames[--this.#depth];
		if (frame.atomic && frame.task !== null) frame.task.preempt_count--;
	}

	leaving(ret: unknown): void {
		if (this.#depth === 0) return;
		const frame = this.#frames[this.#depth - 1];
		this.abandon();
		this.#context(frame);
		if (frame.op === 'handler') {
			this.#same(frame, false);
			return;
		}
		if (frame.op === XLATE) this.#sameDevices(frame);
		if (frame.keepsNothing) {
			this.#same(frame, typeof ret === 'number' && ret < 0);
			this.#waited(frame, false);
			if (frame.made.length > 0 && frame.domain !== null) this.#own(frame.domain, frame.made);
		} else if (MAKES.has(frame.op)) {
			if (ret !== null && !IS_ERR(ret)) this.#own(ret as iommu_domain, frame.made);
			else this.#leftover(frame, frame.made, 'an allocation that fails');
		} else if (CHANGES_STATE.has(frame.op)) {
			const domain = frame.domain!;
			if (frame.op === 'attach_dev') {
				this.#own(domain, frame.made);
				this.#waited(frame, ret === 0);
				if (ret === 0) this.#heard(frame);
			} else {
				this.#leftover(frame, this.#owned.get(domain) ?? [], 'its domain');
				this.#struct(frame, domain);
			}
			this.#settle(frame, ret as number);
			// Another CPU's, in the middle of a call that may keep nothing.
			for (let i = 0; i < this.#depth; i++) this.#count(this.#frames[i]);
		}
	}

	/** Whether a domain is being attached, or ended. */
	get changing(): boolean {
		for (let i = 0; i < this.#depth; i++) if (CHANGES_STATE.has(this.#frames[i].op)) return true;
		return false;
	}

	// --- context

	#context(frame: Frame): void {
		const { fn, task } = frame;
		const { current } = cpu_context;
		if (current !== task) return;
		const locks = current.lockdep_depth - frame.depth;
		const what =
			locks !== 0
				? `it ${locks > 0 ? 'holds' : 'has let go'} ${Math.abs(locks)} lock(s) ${locks > 0 ? 'that it has taken' : 'of its caller'}`
				: current.preempt_count !== frame.preempt
					? `preempt_count is ${current.preempt_count}, and was ${frame.preempt}`
					: irqs_disabled() !== frame.masked
						? `interrupts are ${frame.masked ? 'on, and were off' : 'off, and were on'}`
						: null;
		if (what === null) return;
		this.watched.find({
			invariant: 'INV-RACE',
			kind: 'lock-leak',
			device: fn,
			...asReturns(fn),
			details: [`${called(fn)} has returned, and ${what}`],
			advice: `a way out of ${called(fn)} (an error, most likely) goes past its spin_unlock_irqrestore(), or gives back other flags than it was given`,
		});
	}

	// --- counts

	#found(dev: device): void {
		const owner = dev.iommu?.iommu_dev?.dev?.parent ?? null;
		if (owner === null || this.#blocks.some((block) => block.dev === owner)) return;
		const iommu = this.watched.machine.iommus.find(({ name }) => name === owner.kobj.name);
		if (iommu === undefined) return;
		const clocks: Block['clocks'][number][] = [];
		for (let i = 0; owner.of_node !== null; i++) {
			const hw = of_clk_get_hw_at(owner.of_node, i, null);
			if (IS_ERR(hw) || hw.core === null) break;
			clocks.push({ core: hw.core, own: this.#usersOf(iommu.name, i) === 1 });
		}
		const block: Block = { iommu, dev: owner, clocks, settled: new Map() };
		this.#blocks.push(block);
		block.settled.set(this.#stateOf(block), { fn: 'the probe', counts: this.#switched(block) });
	}

	/** How many nodes of the tree have clock @index of the device called @name. */
	#usersOf(name: string, index: number): number {
		return this.watched.machine.sharersOfClock(name, index);
	}

	#count(frame: Frame): void {
		const { counts } = frame;
		frame.blocks = this.#blocks.length;
		for (let i = 0; i < frame.blocks; i++) {
			const block = this.#blocks[i];
			for (let what = 0; what < WHAT.length; what++) counts[WHAT.length * i + what] = countOf(block, what);
		}
	}

	/** @frame's function may keep nothing. */
	#same(frame: Frame, failed: boolean): void {
		// Others have run: they may have switched what they like.
		if (this.watched.machine.hook !== null || this.watched.machine.timerTicks !== frame.ticks) return;
		for (let i = 0; i < frame.blocks; i++) {
			const block = this.#blocks[i];
			for (let what = 0; what < WHAT.length; what++) {
				const now = countOf(block, what);
				const before = frame.counts[WHAT.length * i + what];
				if (now !== before) this.#unbalanced(frame.fn, block.iommu.name, WHAT[what], before, now, failed, '');
			}
		}
	}

	#devices(counts: number[]): void {
		counts.length = 0;
		for (const { dev } of this.#blocks) counts.push(kref_read(dev.kobj.kref));
	}

	#sameDevices({ fn, devices }: Frame): void {
		const now: number[] = [];
		this.#devices(now);
		for (const [i, before] of devices.entries())
			if (now[i] !== before)
				this.watched.find({
					invariant: 'INV-REFS',
					kind: 'reference-leak',
					device: this.#blocks[i].iommu.name,
					...asReturns(fn),
					details: [
						`${called(fn)} has returned, and the IOMMU's device has ${now[i]} references; it had ${before}`,
					],
					advice: `${called(fn)} does not give back the device that of_find_device_by_node() has found: put_device()`,
				});
	}

	#settle(frame: Frame, ret: number): void {
		const { machine } = this.watched;
		if (machine.hook !== null || machine.timerTicks !== frame.ticks) return;
		for (const block of this.#blocks) {
			const state = this.#stateOf(block);
			const counts = this.#switched(block);
			const first = block.settled.get(state);
			if (first === undefined) {
				block.settled.set(state, { fn: frame.fn, counts });
				continue;
			}
			const i = counts.findIndex((count, at) => count !== first.counts[at]);
			if (i < 0) continue;
			const how = `while its hardware is "${state}", as after ${called(first.fn)}`;
			this.#unbalanced(
				frame.fn,
				block.iommu.name,
				this.#names(block)[i],
				first.counts[i],
				counts[i],
				ret < 0,
				how,
			);
			// Once is enough.
			block.settled.set(state, { fn: frame.fn, counts });
		}
	}

	/** What decides about what is to be on. */
	#stateOf({ iommu, dev }: Block): string {
		const { machine } = this.watched;
		const on = machine.ports.some(
			(port) => machine.iommuOf(port) === iommu && iommu.state(port.stream, NO_PASID) !== 'off',
		);
		const pm = dev.power.disable_depth > 0 ? '' : `, ${dev.power.runtime_status}`;
		return `${on ? 'on' : 'off'}${pm}`;
	}

	/** Clocks that are its own, and what the machine has on its wires. */
	#switched({ clocks, iommu }: Block): number[] {
		return [
			...clocks.filter(({ own }) => own).flatMap(({ core }) => [core.enable_count, core.prepare_count]),
			...this.watched.machine.powerInputs(iommu.name).map(({ on }) => Number(on)),
		];
	}

	#names({ clocks, iommu }: Block): string[] {
		return [
			...clocks
				.filter(({ own }) => own)
				.flatMap(({ core: { name } }) => [
					`the enable count of clock ${name}`,
					`the prepare count of clock ${name}`,
				]),
			...this.watched.machine.powerInputs(iommu.name).map(({ name }) => name),
		];
	}

	#unbalanced(
		fn: string,
		device: string,
		what: string,
		before: number,
		now: number,
		failed: boolean,
		how: string,
	): void {
		const more = now > before;
		const invariant: Invariant = failed ? 'INV-ERR' : 'INV-LEAK';
		this.watched.find({
			invariant,
			kind: failed ? 'error-leaves-changes' : 'unbalanced',
			device,
			...asReturns(fn, `${fn} ${what}`),
			details: [
				`${called(fn)} has returned${failed ? ' an error' : ''}, and ${what} is ${now}; it should be ${before}${how === '' ? ', as before the call' : `, ${how}`}`,
			],
			advice: more
				? `${called(fn)} takes ${what} once more than it gives it back: a path without ${undoOf(what)}, or one that takes what was taken already`
				: `${called(fn)} gives ${what} back that it has not taken: ${undoOf(what)} is called once too often, or too early`,
		});
	}

	// --- the hardware

	/** What @fn has commanded is done. @attached: it says that streams translate now, by no entry of old tables. */
	#waited({ fn }: Frame, attached: boolean): void {
		for (const { iommu } of this.#blocks) {
			const work = iommu.underWay?.() ?? null;
			if (work === null) continue;
			const stuck = iommu.stuck.size !== 0;
			// What does not end can be given up: but only an attach can say so, and has to.
			if ((stuck || !work.ends) && !(attached && this.#translated(iommu))) continue;
			const { what } = work;
			this.watched.find({
				invariant: stuck ? 'INV-ERR' : 'INV-TLB-UNMAP',
				kind: 'not-waited-for',
				device: iommu.name,
				...asReturns(fn, `${fn} ${what}`),
				details: [
					`${called(fn)} has returned${attached ? ' 0' : ''}, and ${what} has been commanded and not been done`,
				],
				advice: stuck
					? `${called(fn)} does not wait for ${what}, or ignores that the wait has timed out (-ETIMEDOUT): it must fail, and leave the stream where nothing stale can answer it`
					: `${called(fn)} does not wait for ${what}: it has to poll until the hardware says that it is done, and until then the old entries are used`,
			});
		}
	}

	#translated(iommu: Iommu): boolean {
		const { machine } = this.watched;
		return machine.ports.some(
			(port) => machine.iommuOf(port) === iommu && iommu.state(port.stream, NO_PASID) === 'translate',
		);
	}

	/** What translates now has to interrupt when it refuses. */
	#heard({ fn }: Frame): void {
		for (const { iommu } of this.#blocks) {
			const silent = this.#translated(iommu) ? (iommu.silentFaults?.() ?? '') : '';
			if (silent === '') continue;
			this.watched.find({
				invariant: 'INV-FAULT',
				kind: 'faults-not-enabled',
				device: iommu.name,
				...asReturns(fn),
				details: [
					`${called(fn)} has returned, streams are translated, and the interrupt line will not tell of ${silent}`,
				],
				advice: `${called(fn)} turns translation on without the interrupt for ${silent}: a bit of the interrupt enable (or mask) register is missing, or it is written too early`,
			});
		}
	}

	// --- memory

	#allocated(allocation: Allocation): void {
		if (this.#depth === 0 || this.watched.machine.hook !== null) return;
		const frame = this.#frames[this.#depth - 1];
		if (frame.op !== 'handler' && frame.task === cpu_context.current) frame.made.push(allocation);
	}

	#own(domain: iommu_domain, made: readonly Allocation[]): void {
		const owned = this.#owned.get(domain);
		if (owned === undefined) this.#owned.set(domain, [...made]);
		else owned.push(...made);
	}

	/** What is left of @made, which should be gone. */
	#leftover(frame: Frame, made: readonly Allocation[], of: string): void {
		const left = made.filter(
			({ freed, phys, what }) =>
				// A slab that was filled up is the allocator's.
				freed === null &&
				!(/pages?$/.test(what) && pfn_to_page_if_made(Math.floor(phys / PAGE_SIZE))?.owner instanceof slab),
		);
		if (left.length === 0) return;
		const bytes = left.reduce((sum, { size }) => sum + size, 0);
		this.watched.find({
			invariant: of === 'its domain' ? 'INV-LEAK' : 'INV-ERR',
			kind: 'domain-leak',
			device: frame.fn,
			...asReturns(frame.fn),
			details: [
				`${called(frame.fn)} has returned, and ${left.length} pieces of memory, ${bytes} bytes, that were allocated for ${of} are not freed`,
				...this.memory.lines(left[0]),
			],
			advice: `${called(frame.fn)} does not free (all of) ${left[0].what} that ${makerOf(left[0])} allocates: page tables, the root, or a bitmap are forgotten, or freed with another size`,
		});
	}

	/** How many objects there are of @domain's struct. */
	#structsLike(domain: iommu_domain | null): number {
		const type = domain?.constructor.name;
		let live = 0;
		for (const cache of list_for_each_entry(slab_state.slab_caches))
			if (cache.name === type) live += cache.live;
		return live;
	}

	#struct(frame: Frame, domain: iommu_domain): void {
		if (frame.objects === 0 || this.#structsLike(domain) < frame.objects) return;
		this.watched.find({
			invariant: 'INV-LEAK',
			kind: 'domain-leak',
			device: frame.fn,
			...asReturns(frame.fn, `${frame.fn} struct`),
			details: [
				`${called(frame.fn)} has returned, and the struct ${domain.constructor.name} itself is not freed`,
			],
			advice: `${called(frame.fn)} ends without kfree() of the domain`,
		});
	}
}

const WHAT = [
	'the runtime-PM usage count',
	'the enable count of its clocks',
	'the prepare count of its clocks',
];

/** How many @block has of what stands at @what of these. */
function countOf({ dev, clocks }: Block, what: number): number {
	if (what === 0) return atomic_read(dev.power.usage_count);
	let sum = 0;
	for (let i = 0; i < clocks.length; i++) {
		const { core } = clocks[i];
		sum += what === 1 ? core.enable_count : core.prepare_count;
	}
	return sum;
}

/** What gives @what back. */
function undoOf(what: string): string {
	if (what.includes('usage')) return 'pm_runtime_put()';
	if (what.includes('enable count')) return 'clk_disable()';
	if (what.includes('prepare count')) return 'clk_unprepare()';
	return /reset|RST/i.test(what) ? 'reset_control_assert()' : 'clk_disable_unprepare()';
}

/** The function of the driver's that allocated it. */
function makerOf({ made }: Allocation): string {
	const frame = made.trace().find((line) => /\(drivers\/iommu\/(?!iommu)/.test(line)) ?? made.trace()[0];
	return `${frame?.split(' ')[0] ?? 'somebody'}()`;
}
