// SPDX-License-Identifier: GPL-2.0-only
// What a case works with: a booted board with the IOMMU, its masters, and ways to say what has to hold.

import { inspect, isDeepStrictEqual } from 'node:util';
import {
	iommu_attach_group,
	iommu_detach_group,
	iommu_domain_free,
	iommu_get_domain_for_dev,
	iommu_group_replace_domain,
	iommu_iova_to_phys,
	iommu_map,
	iommu_unmap,
} from '#drivers/iommu/iommu.js';
import type { Machine, MachineOptions } from '#hw/core/machine.js';
import { accessText, NO_PASID, READ, WRITE } from '#hw/iommu/iommu.js';
import { panic_state } from '#kernel/panic.js';
import { pm_wq } from '#kernel/power/power.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import type { iommu_domain, iommu_group } from '#linux/iommu.js';
import { flush_workqueue } from '#linux/workqueue.js';
import { boardBlob } from '#tests/boot.js';
import { IommuRig, RW } from '#tests/drivers/iommu/iommu-rig.js';
import { Masters } from '#tests/drivers/iommu/masters.js';
import { testMachine } from '#tests/machine.js';
import { random } from '#tests/random.js';
import { sanitiserOf } from '#tests/sanitiser.js';
import type { Description, SaidFault } from './description.js';

export { RW };

/** After this the log of a driver is not limited by what it has said before. */
const RATELIMIT_NS = 6e9;
/** Time for an interrupt and all that its handler does. */
const HANDLING_NS = 100_000;

/** A property that does not hold; the message says what was done, what came, and what was expected. */
export class CheckFailure extends Error {
	override readonly name = 'CheckFailure';
}

/** What a rig and those made from it have heard: the runner asks at the end. */
export class Heard {
	/** The first lines of kernel warnings. */
	readonly warnings: string[] = [];
	/** What a case expects of the sanitiser, and of the kernel. */
	readonly findingsExpected: RegExp[] = [];
	readonly warningsExpected: RegExp[] = [];
	/** What the machine's IOMMUs remarked: of what no good driver does. */
	readonly remarks: string[] = [];
	readonly remarksAllowed: RegExp[] = [];
	/** Findings that may come, or not. */
	readonly findingsAllowed: RegExp[] = [];
	/** What was booted last. */
	last: { end(): void } | null = null;
}

/** @value as a failure's message shows it: addresses in hex. */
export function shown(value: unknown): string {
	if (typeof value === 'number') return Math.abs(value) >= 0x1000 ? `0x${value.toString(16)}` : String(value);
	if (Array.isArray(value)) return `[${value.map(shown).join(', ')}]`;
	return inspect(value, { breakLength: Infinity });
}

export class Rig extends IommuRig {
	readonly seed: number;
	/** Below 1, the same for the same seed. */
	random: () => number;
	#bootLog: readonly string[] = [];
	/** The domains that the case has made, and the groups that each is attached to, by a master of theirs. */
	readonly #domains = new Map<iommu_domain, Set<number>>();

	constructor(
		readonly description: Description,
		readonly options: MachineOptions,
		public heard = new Heard(),
		lazily = false,
	) {
		super(description.board, (n) => description.masters[n], options, true);
		heard.last = this;
		this.seed = options.seed ?? 1;
		this.random = random(this.seed);
		if (!lazily) this.boot();
	}

	protected override prepare(): void {
		this.description.prepare?.(this);
		this.#bootLog = this.log.splice(0);
	}

	/** What the kernel said as it booted. */
	get bootLog(): readonly string[] {
		return this.#bootLog;
	}

	/** For the next case, whose @heard that is, on the same machine: nothing is left of the one before. */
	goOn(heard: Heard): this {
		this.heard = heard;
		heard.last = this;
		this.random = random(this.seed);
		this.machine.advance(RATELIMIT_NS);
		this.log.length = 0;
		return this;
	}

	/** Another machine of the same board, booted anew; this one is over. */
	again(options: MachineOptions = {}): Rig {
		this.end();
		return new Rig(this.description, { ...this.options, ...options }, this.heard);
	}

	/** Something else that boots a machine, which @machine tells; this rig's is over. */
	elsewhere<T>(boot: (options: MachineOptions) => T, machine: (booted: T) => Machine): T {
		this.end();
		this.heard.last = null;
		const booted = boot(this.options);
		const there = machine(booted);
		this.heard.last = {
			end: () => {
				there.advance(HANDLING_NS);
				sanitiserOf(there).quiet('the case');
			},
		};
		return booted;
	}

	/** Another board, a golden one by its name or a tree, with masters bound. */
	board(board: string | Uint8Array, commandLine = ''): Masters {
		const dtb = typeof board === 'string' ? boardBlob(board) : board;
		return this.elsewhere(
			(options) => new Masters(testMachine(dtb, { ...options, commandLine })),
			({ machine }) => machine,
		);
	}

	/** How many masters there are. */
	get count(): number {
		return this.description.masters.length;
	}

	/** The smallest page. */
	get page(): number {
		return this.description.pageSizes[0];
	}

	/** Physical memory that nobody else uses. */
	get memory(): number {
		return this.description.memory;
	}

	/** A number of [0, below). */
	pick(below: number): number {
		return Math.floor(this.random() * below);
	}

	/** One of @items. */
	oneOf<T>(items: readonly T[]): T {
		return items[this.pick(items.length)];
	}

	// --- what has to hold

	/** @got, of @what, has to be @wanted. */
	equal<T>(what: string, got: T, wanted: T): void {
		if (isDeepStrictEqual(got, wanted)) return;
		throw new CheckFailure(`${what}: got ${shown(got)}; expected ${shown(wanted)}`);
	}

	/** @what has to be so. */
	holds(what: string, is: boolean): void {
		if (!is) throw new CheckFailure(what);
	}

	/** A finding of the sanitiser like this is right here: the case does what it is for. */
	expectFinding(pattern: RegExp): void {
		this.heard.findingsExpected.push(pattern);
	}

	/** Such a finding may come, or not: the case has a device do what no good one does. */
	allowFinding(pattern: RegExp): void {
		this.heard.findingsAllowed.push(pattern);
	}

	/** Such a remark of the hardware may come. */
	allowRemark(pattern: RegExp): void {
		this.heard.remarksAllowed.push(pattern);
	}

	/** A warning of the kernel like this is right here. */
	expectWarning(pattern: RegExp): void {
		this.heard.warningsExpected.push(pattern);
	}

	/** Call @run; if it fails, the message begins with @where. */
	within(where: string, run: () => void): void {
		try {
			run();
		} catch (e) {
			if (e instanceof CheckFailure) e.message = `${where}: ${e.message}`;
			throw e;
		}
	}

	// --- domains

	group(n: number): iommu_group {
		return this.device(n).iommu_group!;
	}

	override domain(n = 0): iommu_domain {
		const domain = super.domain(n);
		this.#domains.set(domain, new Set());
		return domain;
	}

	override attached(n = 0): iommu_domain {
		const domain = this.domain(n);
		this.equal('iommu_attach_group()', this.attach(domain, n), 0);
		return domain;
	}

	/** iommu_attach_group() of master @n's. */
	attach(domain: iommu_domain, n = 0): number {
		const ret = iommu_attach_group(domain, this.group(n));
		if (ret === 0) this.#domains.get(domain)?.add(n);
		return ret;
	}

	/** iommu_detach_group() of master @n's. */
	detach(domain: iommu_domain, n = 0): void {
		iommu_detach_group(domain, this.group(n));
		this.#domains.get(domain)?.delete(n);
	}

	/** iommu_group_replace_domain() of master @n's: at once from what is attached to @domain. */
	replace(domain: iommu_domain, n = 0): number {
		const ret = iommu_group_replace_domain(this.group(n), domain);
		if (ret !== 0) return ret;
		for (const attached of this.#domains.values()) attached.delete(n);
		this.#domains.get(domain)?.add(n);
		return ret;
	}

	free(domain: iommu_domain): void {
		this.#domains.delete(domain);
		iommu_domain_free(domain);
	}

	override detachAndFree(domain: iommu_domain, n = 0): void {
		this.detach(domain, n);
		this.free(domain);
	}

	/** The masters that use the domain that is attached for master 0: all of its group. */
	get sharers(): number[] {
		return Array.from({ length: this.description.oneGroup ? this.count : 1 }, (_x, n) => n);
	}

	/** A new domain, attached for every group that can have it, and the masters that use it then. */
	shared(): { domain: iommu_domain; masters: number[] } {
		const domain = this.attached();
		if (this.description.oneGroup) return { domain, masters: this.sharers };
		const masters = [0];
		for (let n = 1; n < this.count; n++) if (this.attach(domain, n) === 0) masters.push(n);
		return { domain, masters };
	}

	/** The domain that master @n is attached to. */
	current(n = 0): iommu_domain | null {
		return iommu_get_domain_for_dev(this.device(n));
	}

	// --- mappings

	/** iommu_map(), which has to succeed. */
	map(domain: iommu_domain, iova: number, phys: number, size = this.page, prot = RW): void {
		const ret = iommu_map(domain, iova, phys, size, prot, GFP_KERNEL);
		this.equal(`iommu_map(${shown(iova)}, ${shown(phys)}, ${shown(size)}, prot ${prot})`, ret, 0);
	}

	/** iommu_map() over something that is mapped, which has to say so. */
	refuses(domain: iommu_domain, iova: number, phys: number, size = this.page): void {
		const ret = iommu_map(domain, iova, phys, size, RW, GFP_KERNEL);
		this.equal(
			`iommu_map(${shown(iova)}, ${shown(size)}) over a mapped page`,
			ret,
			this.description.mappedAlready,
		);
	}

	/** iommu_unmap(), which has to unmap all of it, or @wanted bytes. */
	unmap(domain: iommu_domain, iova: number, size = this.page, wanted = size): void {
		const ret = iommu_unmap(domain, iova, size) as number;
		this.equal(`iommu_unmap(${shown(iova)}, ${shown(size)})`, ret, wanted);
	}

	/** The stream of master @n at its IOMMU. */
	stream(n: number): number {
		return this.masters.model(this.master(n)).port.stream;
	}

	/** Where a walk over the tables in memory leads master @n, by the model's description of the format; -1: nowhere. */
	walk(n: number, iova: number): number {
		return this.iommuOf(n).leaf(this.stream(n), NO_PASID, iova).phys;
	}

	/** Where iommu_iova_to_phys() says that it leads; -1: nowhere. */
	asked(domain: iommu_domain, iova: number): number {
		const phys = iommu_iova_to_phys(domain, iova) as number;
		return phys === 0 ? -1 : phys;
	}

	/** @iova has to lead to @phys (-1: nowhere) in @domain, where master @n is: for the driver and for the walker. */
	leads(domain: iommu_domain, iova: number, phys: number, n = 0): void {
		this.equal(`iommu_iova_to_phys(${shown(iova)})`, this.asked(domain, iova), phys);
		this.equal(`the walk over the tables in memory for ${shown(iova)}`, this.walk(n, iova), phys);
	}

	// --- accesses

	override tries(n: number, iova: number, write = false): boolean {
		let through = true;
		for (let port = 0; port < (this.description.portsPerMaster ?? 1); port++) {
			if (!(write ? this.writes(n, iova) : this.reads(n, iova))) through = false;
			this.machine.advance(HANDLING_NS);
		}
		return through;
	}

	/** Master @n's access at @iova has to be let through, or refused. */
	access(n: number, iova: number, write: boolean, allowed: boolean): void {
		const what = `${accessText(write ? WRITE : READ)} of ${shown(iova)} by ${this.master(n)}`;
		this.equal(`${what} is let through`, this.tries(n, iova, write), allowed);
	}

	/** Whether memory at @phys is where an access of master @n to @iova ends. */
	reaches(n: number, iova: number, phys: number): boolean {
		const { memory } = this.machine;
		memory.load(phys, new Uint8Array(4));
		return this.tries(n, iova, true) && memory.readWord(phys) === 0x04030201;
	}

	/** No cache may hold anything that the tables deny, @what having returned. */
	clean(what: string): void {
		const stale = this.stale();
		this.holds(
			`${what} has returned, and ${stale.length} cached entries are wrong: ${stale[0]}`,
			stale.length === 0,
		);
	}

	/** What the log says of faults since the last call. */
	faults(): SaidFault[] {
		return this.log
			.splice(0)
			.map((line) => this.description.fault(line))
			.filter((said) => said !== null);
	}

	/** Time for what is put off: queues that are flushed, devices that are suspended when nobody uses them. */
	settle(): void {
		this.machine.advance(20_000_000);
		flush_workqueue(pm_wq);
	}

	// --- the end

	/** Take back what the case has left, and look at everything once more. */
	end(): void {
		if (!this.isBooted) return;
		for (const name of this.description.masters) this.masters.model(name).halt();
		for (const [domain, attached] of this.#domains) {
			for (const n of [...attached]) this.detach(domain, n);
			this.free(domain);
		}
		this.machine.advance(HANDLING_NS);
		this.dmasan.quiet('the case');
		this.leave();
	}

	/** Keep what the kernel has said; the next boot forgets it. */
	leave(): void {
		if (!this.isBooted) return;
		this.heard.warnings.push(...panic_state.warnings.splice(0));
		const iommus = new Set(this.machine.iommus.map(({ name }) => name));
		for (const { who, text } of this.machine.notes.splice(0))
			if (iommus.has(who) && !this.heard.remarksAllowed.some((pattern) => pattern.test(text)))
				this.heard.remarks.push(`${who}: ${text}`);
	}
}
