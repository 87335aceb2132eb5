// SPDX-License-Identifier: GPL-2.0-only
// DMASAN: reports what devices, IOMMU and caches do in no correct program.
//
// Checks, by the names of Documentation/INVARIANTS.md:
//   INV-TLB-UNMAP  a cached entry was used (or stays, see check()) although the tables in memory say otherwise
//   INV-TLB-MAP    the same for a cached invalid entry of a page that is mapped
//   INV-PTW        a word in a walk cache, or a stream's record in its cache, is not the one in memory
//   INV-TABLE-LIVE a word is dropped from a cache, or still there at check(), whose table, or the one below, is freed
//   INV-CLEAN      the walker read a table word for which the CPU's cache has a newer value
//   INV-OWN        a device that does not snoop read bytes, or wrote lines, that are dirty in the CPU's cache; a page
//                  is mapped past the cache and through it (mismatched-alias)
//   INV-PWR        a register was accessed while its block had no clock or was in reset
//   INV-RANGE      an address that no IOMMU here has lines for was mapped (iommu-range.ts)
//
// The linear map shows every page through the cache, and is no finding: nobody touches a page there that is mapped past
// the cache elsewhere. A user program does, so what it is shown has to agree with the kernel's mapping.
//
// What the kernel means, operation by operation, is domains.ts' part, with rules of its own. Not checked yet: bytes of a
// page beside a buffer, the owner of a streaming buffer, faults that nobody reports, what is left behind.

import { machine } from '#arch/arm64/kernel/setup.js';
import { pfn_to_page_if_made } from '#asm/memory.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import type { DmaPort } from '#hw/core/dma-port.js';
import type { Machine } from '#hw/core/machine.js';
import { GRANULE, type Ram } from '#hw/core/ram.js';
import { hex } from '#hw/core/register-file.js';
import type { CacheEntry, TranslationCache } from '#hw/iommu/cache.js';
import { hexWord, readCpu } from '#hw/iommu/format.js';
import {
	type FaultRecord,
	type Iommu,
	type IommuObserver,
	NO_PASID,
	type StreamState,
	type WalkRead,
	WRITE,
} from '#hw/iommu/iommu.js';
import { early_initcall } from '#linux/init.js';
import { is_free_buddy_page } from '#mm/page_alloc.js';
import { Domains } from './domains.js';
import { watchIommuRange } from './iommu-range.js';
import { Journal } from './journal.js';
import { watchDomains } from './kernel.js';
import type { Invariant, Report } from './report.js';

/** A part of what a user program is shown: @size bytes from @phys on, at its address @addr. */
interface UserPages {
	readonly addr: number;
	readonly phys: number;
	readonly size: number;
	readonly cached: boolean;
	/** The file that it was made from. */
	readonly what: string;
}

export interface DmasanReport {
	readonly invariant: Invariant;
	/** A word for what happened: `stale-tlb`. */
	readonly kind: string;
	/** The device, or the IOMMU when nobody else is to be named. */
	readonly device: string;
	readonly time: number;
	/** The address that the device used (an IOVA behind an IOMMU); -1: no DMA. */
	readonly addr: number;
	/** Where that led; -1: nowhere, or no DMA. */
	readonly phys: number;
	readonly size: number;
	readonly write: boolean;
	/** How often the same was seen. */
	count: number;
	readonly text: string;
}

/** Reports that are not about a device's access: their details say where. */
const NO_ACCESS = ['stale-entry', 'freed-table', 'dirty-table'];

const RULE = '='.repeat(66);

/** Who watches which machine. */
const watchers = new WeakMap<object, Dmasan>();

// A kernel that boots has no probes yet.
early_initcall(() => {
	watchers.get(machine)?.watchKernel();
	return 0;
});

export class Dmasan implements Report {
	readonly reports: DmasanReport[] = [];
	/** Called at the first of each. */
	onReport: ((report: DmasanReport) => void) | null = null;

	readonly journal: Journal;
	/** What the kernel means to have mapped. */
	readonly domains: Domains;

	readonly #seen = new Map<string, DmasanReport>();
	/** Table words that were read ahead while their lines were dirty, by IOMMU and page. */
	readonly #ahead = new Map<string, WalkRead>();
	/** What the user program is shown, by area. */
	readonly #shown = new Map<number, UserPages[]>();

	/** Who let an access through that has not been done yet. */
	#told: Iommu | null = null;

	#unwatchKernel: (() => void) | null = null;
	readonly #iommu: IommuObserver = {
		walked: (iommu, read) => this.#walked(iommu, read),
		answered: (iommu, stream, pasid, iova, access, phys, entry) => {
			this.#told = iommu;
			if (entry !== null) this.#answered(iommu, stream, pasid, iova, access, phys, entry);
			else this.#passed(iommu, stream, pasid, iova, access, phys);
		},
		faulted: (iommu, fault) => this.#faulted(iommu, fault),
		dropped: (iommu, cache, entry, why) => {
			if (why !== 'reset') this.#freed(iommu, cache, entry, `Dropped too late (${why}): ${cache.name} had`);
		},
		commanded: (iommu, text) => this.domains.commanded(iommu, text),
	};

	/** One watches a machine at a time: the one that was made last. */
	constructor(readonly machine: Machine) {
		watchers.get(machine)?.detach();
		watchers.set(machine, this);
		this.journal = new Journal(machine.clock);
		this.domains = new Domains(machine, this.journal, this);
		if (isRunningOn(machine)) this.watchKernel();
		for (const port of machine.ports) {
			const iommu = machine.iommuOf(port);
			port.observer = {
				access: (_port, addr, phys, size, write) => {
					if (iommu !== null && phys >= 0) this.#wasTold(iommu, port);
					this.#access(port, addr, phys, size, write);
				},
			};
		}
		for (const iommu of machine.iommus) iommu.observers.push(this.#iommu);
		machine.ram.observer = {
			onUserMap: (area, addr, phys, size, cached, what) =>
				this.#userMapped(area, { addr, phys, size, cached, what }),
			onUserUnmap: (area) => this.#shown.delete(area),
			onVmap: (pages, count, cached) => this.#vmapped(pages, count, cached),
		};
		machine.bus.lost = (window, addr, write, why) => {
			const text = `${write ? 'Write to' : 'Read of'} register ${hex(addr)} is lost: ${why}`;
			this.report('INV-PWR', 'unpowered-access', window.name, -1, addr, 4, write, [text]);
		};
	}

	/** Look at the kernel, too, which has just booted or runs. */
	watchKernel(): void {
		const ends = [
			watchIommuRange(this.machine, this),
			watchDomains(this.domains, () => watchers.get(machine)?.domains ?? null),
		];
		this.#unwatchKernel = () => {
			for (const end of ends) end();
		};
	}

	/** Stop watching. */
	detach(): void {
		if (watchers.get(this.machine) !== this) return;
		watchers.delete(this.machine);
		this.#unwatchKernel?.();
		for (const port of this.machine.ports) port.observer = null;
		for (const iommu of this.machine.iommus) iommu.observers.splice(iommu.observers.indexOf(this.#iommu), 1);
		this.machine.ram.observer = null;
		this.machine.bus.lost = null;
	}

	/**
	 * To be called when an operation on [@first, @last] has returned: what the caches hold for that
	 * range has to agree with the tables. @operation is for the report. The number of new findings.
	 */
	check(operation: string, first = 0, last = Number.MAX_SAFE_INTEGER): number {
		const before = this.reports.length;
		for (const iommu of this.machine.iommus)
			for (const { invariant, cache, entry, text } of iommu.contradictions(first, last)) {
				// A stream's record has no address: the walk is that of the access that brought it in.
				const iova = cache.kind === 'streams' ? entry.at : entry.iova;
				this.report(invariant, 'stale-entry', iommu.name, iova, -1, entry.size, false, [
					`After ${operation}: ${text}`,
					iommu.explain(entry.stream, iova).text,
				]);
			}
		for (const iommu of this.machine.iommus) this.#checkFreed(operation, iommu, first, last);
		return this.reports.length - before;
	}

	/** What is cached of tables that are gone. */
	#checkFreed(operation: string, iommu: Iommu, first: number, last: number): void {
		for (const cache of iommu.caches())
			for (const entry of cache.entries())
				if (entry.iova <= last && entry.iova + entry.size > first)
					this.#freed(iommu, cache, entry, `After ${operation}: ${cache.name} has`);
	}

	/** An @entry whose table may be somebody else's by now: the walker, or the next domain with its number, uses it. */
	#freed(iommu: Iommu, cache: TranslationCache, entry: CacheEntry, what: string): void {
		if (!isRunningOn(this.machine)) return;
		const leads = cache.kind === 'tables' && entry.valid && isFreePage(entry.phys);
		if (!leads && !isFreePage(entry.wordAddr)) return;
		// What is cached by an IOMMU that is off is emptied before it is turned on.
		if (iommu.state(entry.stream, NO_PASID) === 'off') return;
		const [range, at] = [`${hex(entry.iova, 8)}+${hex(entry.size)}`, hex(entry.at, 8)];
		const table = leads
			? `It leads to a table at ${hex(entry.phys, 8)}`
			: `It was read at ${hex(entry.wordAddr, 8)}`;
		this.report('INV-TABLE-LIVE', 'freed-table', iommu.name, entry.iova, entry.wordAddr, entry.size, false, [
			`${what} ${hexWord(entry.bits, 4)} for ${range} (${entry.reason}, ${iommu.streamName(entry.stream)} at ${at})`,
			`${table}, in a page that is free: what is cached of a table is dropped before the table is freed`,
		]);
	}

	/** All reports as the kernel log would show them. */
	text(): string {
		return this.reports.map((report) => report.text).join('\n');
	}

	/** A model that is silent about what it lets through cannot be watched. */
	#wasTold(iommu: Iommu, port: DmaPort): void {
		if (this.#told !== iommu)
			throw new Error(`${iommu.name} let ${port.name} through in silence; expected a call of tellAnswered()`);
		this.#told = null;
	}

	#walked(iommu: Iommu, read: WalkRead): void {
		if (!this.#unclean(read)) return;
		// Ahead of an access the walker may meet a word that is just being stored: it matters when it is used.
		if (read.reason === 'prefetch') this.#ahead.set(placeOf(iommu, read.iova), read);
		else this.#dirtyTable(iommu, read);
	}

	/** Whether the CPU has stored another value there and not cleaned it. */
	#unclean({ addr, bytes, word }: WalkRead): boolean {
		const { ram } = this.machine;
		return ram.isDirty(addr, bytes) && readCpu(ram, addr, bytes) !== word;
	}

	/** An access to @iova was decided: maybe by a word that was read ahead, too early. */
	#usedAhead(iommu: Iommu, iova: number): void {
		const read = this.#ahead.get(placeOf(iommu, iova));
		if (read === undefined) return;
		this.#ahead.delete(placeOf(iommu, iova));
		if (this.#unclean(read)) this.#dirtyTable(iommu, read);
	}

	#dirtyTable(iommu: Iommu, { stream, iova, table, addr, bytes, word }: WalkRead): void {
		const who = iommu.streamName(stream);
		const cpu = hexWord(readCpu(this.machine.ram, addr, bytes), bytes);
		this.report('INV-CLEAN', 'dirty-table', iommu.name, iova, addr, bytes, false, [
			`The walk for ${who} at ${hex(iova, 8)} read the ${table} word at ${hex(addr, 8)} as ${hexWord(word, bytes)}; the CPU stored ${cpu} there and has not cleaned the line`,
			iommu.explain(stream, iova).text,
		]);
	}

	#answered(
		iommu: Iommu,
		stream: number,
		pasid: number,
		iova: number,
		access: number,
		phys: number,
		entry: CacheEntry,
	): void {
		if (this.#ahead.size !== 0) this.#usedAhead(iommu, iova);
		const leaf = iommu.leaf(stream, pasid, iova);
		if (leaf.phys === phys && leaf.word === entry.bits) return;
		const to = leaf.phys < 0 ? 'that nothing is mapped there' : hex(leaf.phys, 8);
		this.report('INV-TLB-UNMAP', 'stale-tlb', iommu.name, iova, phys, 1, (access & WRITE) !== 0, [
			`${iommu.streamName(stream)} was answered from a cached entry ${hexWord(entry.bits, 4)}; the tables in memory say ${to}`,
			iommu.explain(stream, iova, pasid).text,
		]);
	}

	/** No cached page answered. Where the stream has tables, or none of its accesses is to pass, nothing else may. */
	#passed(iommu: Iommu, stream: number, pasid: number, iova: number, access: number, phys: number): void {
		const state = iommu.state(stream, pasid);
		if (state === 'off' || state === 'bypass' || iommu.leaf(stream, pasid, iova).phys === phys) return;
		this.#staleStream(iommu, stream, pasid, iova, access, phys, 'passed untranslated', state);
	}

	#staleStream(
		iommu: Iommu,
		stream: number,
		pasid: number,
		iova: number,
		access: number,
		phys: number,
		what: string,
		state: StreamState,
	): void {
		this.report('INV-PTW', 'stale-stream', iommu.name, iova, phys, 1, (access & WRITE) !== 0, [
			`${iommu.streamName(stream)} was ${what} by what is cached of the stream; what is set up for it is: ${state}`,
			iommu.explain(stream, iova, pasid).text,
		]);
	}

	#faulted(iommu: Iommu, fault: FaultRecord): void {
		const { stream, pasid, iova, access } = fault;
		if (this.#ahead.size !== 0) this.#usedAhead(iommu, iova);
		const state = iommu.state(stream, pasid);
		if (state === 'bypass') this.#staleStream(iommu, stream, pasid, iova, access, -1, 'refused', state);
		const leaf = iommu.leaf(stream, pasid, iova);
		if (leaf.phys < 0 || (access & ~leaf.rights) !== 0) return;
		this.report('INV-TLB-MAP', 'stale-negative', iommu.name, iova, -1, 1, (access & WRITE) !== 0, [
			`${iommu.streamName(stream)} was refused by a cached word (${fault.what}) ${hexWord(fault.word, 4)}; the tables in memory lead to ${hex(leaf.phys, 8)}`,
			iommu.explain(stream, iova, pasid).text,
		]);
	}

	/** The program is shown @now: against the kernel's mappings, and against what it is shown elsewhere. */
	#userMapped(area: number, now: UserPages): void {
		const { ram } = this.machine;
		for (let at = now.phys; now.cached && at < now.phys + now.size; at += PAGE_SIZE)
			if (ram.isUncached(at)) this.#mismatch(area, now, at, 'the kernel has it mapped non-cacheable');
		for (const pages of this.#shown.values())
			for (const old of pages)
				if (old.cached !== now.cached && overlap(old, now.phys, now.size)) {
					const how = `it is ${cacheability(old)} at ${hex(old.addr + Math.max(0, now.phys - old.phys))}`;
					this.#mismatch(area, now, Math.max(old.phys, now.phys), how);
				}
		const shown = this.#shown.get(area);
		if (shown === undefined) this.#shown.set(area, [now]);
		else shown.push(now);
	}

	/** The kernel maps pages that the program is shown already. */
	#vmapped(pages: ArrayLike<number>, count: number, cached: boolean): void {
		if (cached || this.#shown.size === 0) return;
		for (const [area, shown] of this.#shown)
			for (const user of shown)
				for (let i = 0; user.cached && i < count; i += PAGE_SIZE / GRANULE)
					if (overlap(user, pages[i], PAGE_SIZE))
						this.#mismatch(area, user, pages[i], 'the kernel maps it non-cacheable from here on');
	}

	#mismatch(area: number, user: UserPages, phys: number, how: string): void {
		const at = `${hex(user.addr + (phys - user.phys))} of the page at ${hex(phys, 8)}`;
		const details = [
			`The user program's mapping at ${at} is ${cacheability(user)}; ${how}`,
			'What is stored through one is not seen through the other. For a buffer of the DMA API, dma_mmap_attrs() and dma_pgprot() know the right vm_page_prot',
		];
		const who = user.what === '' ? 'a user program' : user.what;
		this.report('INV-OWN', 'mismatched-alias', who, -1, phys, PAGE_SIZE, false, details, `area ${area}`);
	}

	/** A device that snoops reads from the cache what the program has stored past it. */
	#snooped(port: DmaPort, addr: number, phys: number, size: number): void {
		for (const [area, shown] of this.#shown)
			for (const user of shown) {
				if (user.cached || !overlap(user, phys, size) || !differs(this.machine.ram, phys, size)) continue;
				const how = `${port.name} snoops, and read ${hex(addr, 8)} from the cache`;
				this.#mismatch(area, user, phys - (phys % PAGE_SIZE), how);
			}
	}

	#access(port: DmaPort, addr: number, phys: number, size: number, write: boolean): void {
		const { ram } = this.machine;
		if (phys < 0) return;
		this.domains.access(port, addr, phys, size, write);
		if (!ram.is_ram(phys, size)) return;
		if (port.snoop) {
			if (this.#shown.size !== 0 && !write) this.#snooped(port, addr, phys, size);
			return;
		}
		if (!ram.isDirty(phys, size)) return;
		if (write) {
			this.report('INV-OWN', 'write-under-dirty-line', port.name, addr, phys, size, true, [
				`The CPU's cache has a dirty line at ${hex(ram.firstDirty(phys, size))}: its write-back, or its loss, destroys one of the two`,
			]);
			return;
		}
		// A dirty line is only wrong for a reader where the bytes that it reads differ.
		for (let at = phys - (phys % 4); at < phys + size; at += 4) {
			const memory = ram.readWord(at);
			const cpu = ram.readCpuWord(at);
			if (memory === cpu || !differsInside(memory, cpu, at, phys, size) || !ram.isDirty(at, 4)) continue;
			this.report('INV-OWN', 'stale-read', port.name, addr + (at - phys), at, size, false, [
				`The device got ${hex(memory, 8)}; the CPU stored ${hex(cpu, 8)} and has not cleaned the line`,
			]);
			return;
		}
	}

	add(invariant: Invariant, kind: string, device: string, place: string, details: readonly string[]): void {
		this.report(invariant, kind, device, -1, -1, 0, false, details, place);
	}

	/** Take a finding, of this or of a watcher above: once for each @place. */
	report(
		invariant: Invariant,
		kind: string,
		device: string,
		addr: number,
		phys: number,
		size: number,
		write: boolean,
		details: readonly string[],
		place = `${Math.floor(addr / GRANULE)} ${Math.floor(phys / GRANULE)} ${write}`,
	): void {
		const key = `${invariant} ${kind} ${device} ${place}`;
		const old = this.#seen.get(key);
		if (old !== undefined) {
			old.count++;
			return;
		}
		const time = this.machine.now();
		const where = phys < 0 ? '' : ` (physical ${hex(phys, 8)})`;
		const lines = [RULE, `BUG: DMASAN: ${kind} in ${device} at ${(time / 1e9).toFixed(6)}, ${invariant}`];
		if (addr >= 0 && !NO_ACCESS.includes(kind))
			lines.push(`${write ? 'Write' : 'Read'} of size ${size} at address ${hex(addr, 8)}${where}`);
		lines.push(...details, RULE);
		const text = lines.join('\n');
		const report: DmasanReport = { invariant, kind, device, time, addr, phys, size, write, count: 1, text };
		this.#seen.set(key, report);
		this.reports.push(report);
		this.onReport?.(report);
	}
}

/** Whether the kernel runs on @m. */
function isRunningOn(m: Machine): boolean {
	return machine === (m as unknown);
}

/** Whether the page at @phys has been somebody's, and is free. */
function isFreePage(phys: number): boolean {
	const page = phys < 0 ? null : pfn_to_page_if_made(Math.floor(phys / PAGE_SIZE));
	return page !== null && is_free_buddy_page(page);
}

/** The page of @iova behind @iommu. */
function placeOf(iommu: Iommu, iova: number): string {
	return `${iommu.name} ${Math.floor(iova / GRANULE)}`;
}

function overlap(user: UserPages, phys: number, size: number): boolean {
	return phys < user.phys + user.size && user.phys < phys + size;
}

function cacheability(user: UserPages): string {
	return user.cached ? 'cached' : 'non-cacheable';
}

/** Whether cache and memory hold different bytes in a range. */
function differs(ram: Ram, phys: number, size: number): boolean {
	const cpu = ram.peekCpu(phys, size);
	return ram.peekMemory(phys, size).some((byte, i) => byte !== cpu[i]);
}

/** Whether two values of the word at @at differ in a byte of [@phys, @phys + @size). */
function differsInside(a: number, b: number, at: number, phys: number, size: number): boolean {
	const different = a ^ b;
	for (let i = 0; i < 4; i++)
		if (at + i >= phys && at + i < phys + size && (different >>> (8 * i)) & 0xff) return true;
	return false;
}
