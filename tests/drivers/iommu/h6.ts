// SPDX-License-Identifier: GPL-2.0-only
// The H6, a driver for its masters, three ways to ask where an address leads.
import {
	iommu_attach_group,
	iommu_detach_group,
	iommu_domain_free,
	iommu_iova_to_phys,
	iommu_paging_domain_alloc,
} from '#drivers/iommu/iommu.js';
import { to_sun50i_domain } from '#drivers/iommu/sun50i-iommu.js';
import type { Machine, MachineOptions } from '#hw/core/machine.js';
import type { Sun50iH6Iommu } from '#hw/iommu/sun50i-h6-iommu.js';
import type { device } from '#linux/device.js';
import { IS_ERR } from '#linux/err.js';
import { IOMMU_READ, IOMMU_WRITE, type iommu_domain } from '#linux/iommu.js';
import { h6, RAM } from '#tests/hw/board.js';
import { leakCheck } from '#tests/leaks.js';
import { sanitiserOf } from '#tests/sanitiser.js';
import type { Dmasan } from '#watch/dmasan.js';
import { Masters } from './masters.js';

export const RW = IOMMU_READ | IOMMU_WRITE;
export const MIB = 0x10_0000;
/** Memory that nobody else uses here. */
export const BUFFER = RAM + 0x0800_0000;
export const NR_MASTERS = 6;

/** What the log says of a fault; iova -1: the address is lost. */
export interface Report {
	readonly iova: number;
	readonly master: number;
	readonly dir: string;
}

export class H6 {
	readonly masters: Masters;
	readonly machine: Machine;
	readonly dmasan: Dmasan;
	readonly log: string[] = [];

	constructor(options: MachineOptions = {}) {
		this.machine = h6({ onConsole: (_level, line) => this.log.push(line), ...options });
		this.masters = new Masters(this.machine);
		this.dmasan = sanitiserOf(this.machine);
	}

	get iommu(): Sun50iH6Iommu {
		return this.machine.iommu as Sun50iH6Iommu;
	}

	get group() {
		return this.device(0).iommu_group!;
	}

	device(master: number): device {
		return this.masters.device(`m${master}`);
	}

	/** A new domain, not attached. */
	domain(): iommu_domain {
		const domain = iommu_paging_domain_alloc(this.device(0));
		if (IS_ERR(domain)) throw new Error(`no domain: ${domain.errno}`);
		return domain;
	}

	/** A new domain, attached. */
	attached(): iommu_domain {
		const domain = this.domain();
		const ret = iommu_attach_group(domain, this.group);
		if (ret !== 0) throw new Error(`cannot attach: ${ret}`);
		return domain;
	}

	/** Back to the default domain, and the end of @domain. */
	detachAndFree(domain: iommu_domain): void {
		iommu_detach_group(domain, this.group);
		iommu_domain_free(domain);
	}

	/** Whether @master gets through to @iova. */
	reads(master: number, iova: number): boolean {
		return this.masters.model(`m${master}`).fetch(iova, 4) !== null;
	}

	writes(master: number, iova: number): boolean {
		return this.masters.model(`m${master}`).store(iova, Uint8Array.of(1, 2, 3, 4));
	}

	/** An access, and time for its interrupt. */
	tries(master: number, iova: number, write = false): boolean {
		const ok = write ? this.writes(master, iova) : this.reads(master, iova);
		this.machine.advance(1000);
		return ok;
	}

	/** The faults that were reported since the last call. */
	reports(): Report[] {
		const out: Report[] = [];
		for (const line of this.log.splice(0)) {
			const known = /Page fault for 0x([0-9a-f]{16}) \(master (-?\d+), dir (rd|wr)\)/.exec(line);
			if (known !== null)
				out.push({ iova: Number(`0x${known[1]}`), master: Number(known[2]), dir: known[3]! });
			const lost = /Page fault for an unknown address \(master (\d+)\)/.exec(line);
			if (lost !== null) out.push({ iova: -1, master: Number(lost[1]), dir: '' });
		}
		return out;
	}

	/** What the caches say against the tables; must be empty after each operation. */
	stale(): string[] {
		return this.iommu.contradictions().map((c) => c.text);
	}

	/** What is left of allocations made since; the result of the second call must be empty. */
	readonly leakCheck = leakCheck;
}

/**
 * Where the tables of @domain lead @iova (the picture in sun50i-h6-iommu.json, "tables"): a walk by nobody's code but
 * its own, in memory, which is what a walker sees; -1: nowhere. It throws where the CPU's cache has another word, but
 * for a domain that is not @attached: the next attach cleans its directory.
 */
export function walk(machine: Machine, domain: iommu_domain, iova: number, attached = true): number {
	const word = (addr: number): number => {
		const memory = machine.ram.readWord(addr);
		const cpu = machine.ram.readCpuWord(addr);
		if (!attached) return cpu;
		if (cpu !== memory) throw new Error(`the word at 0x${addr.toString(16)} is not clean`);
		return memory;
	};
	const root = machine.ram.phys_of(to_sun50i_domain(domain).dt!);
	const directory = word(root + 4 * Math.floor(iova / MIB));
	if (directory % 4 !== 1) return -1;
	const entry = word(directory - (directory % 1024) + 4 * (Math.floor(iova / 4096) % 256));
	if (Math.floor(entry / 2) % 2 === 0) return -1;
	return entry - (entry % 4096) + (iova % 4096);
}

/** The same by the driver; -1: nowhere. */
export function asked(domain: iommu_domain, iova: number): number {
	const phys = iommu_iova_to_phys(domain, iova) as number;
	return phys === 0 ? -1 : phys;
}
