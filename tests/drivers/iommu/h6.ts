// SPDX-License-Identifier: GPL-2.0-only
// The H6, a driver for its masters, three ways to ask where an address leads.
import { iommu_iova_to_phys } from '#drivers/iommu/iommu.js';
import { to_sun50i_domain } from '#drivers/iommu/sun50i-iommu.js';
import type { Machine, MachineOptions } from '#hw/core/machine.js';
import type { Sun50iH6Iommu } from '#hw/iommu/sun50i-h6-iommu.js';
import type { iommu_domain } from '#linux/iommu.js';
import { RAM } from '#tests/hw/board.js';
import { h6 } from '#tests/hw/h6.js';
import { IommuRig } from './iommu-rig.js';

export { RW } from './iommu-rig.js';
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

export class H6 extends IommuRig {
	constructor(options: MachineOptions = {}) {
		super(h6, (n) => `m${n}`, options);
	}

	override get iommu(): Sun50iH6Iommu {
		return super.iommu as Sun50iH6Iommu;
	}

	/** All masters are in one group. */
	get group() {
		return this.device(0).iommu_group!;
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
