// SPDX-License-Identifier: GPL-2.0-only
// A board with four Rockchip IOMMUs (the golden boards rk-*), and a driver for their masters.
import { iommu_get_domain_for_dev, iommu_iova_to_phys } from '#drivers/iommu/iommu.js';
import { to_rk_domain } from '#drivers/iommu/rockchip-iommu.js';
import type { Machine, MachineOptions } from '#hw/core/machine.js';
import type { RockchipIommu } from '#hw/iommu/rockchip-iommu.js';
import { pm_wq } from '#kernel/power/power.js';
import type { iommu_domain } from '#linux/iommu.js';
import { pm_runtime_enable, pm_runtime_get_sync, pm_runtime_put_sync } from '#linux/pm_runtime.js';
import { flush_workqueue } from '#linux/workqueue.js';
import { boardBlob } from '#tests/boot.js';
import { testMachine } from '#tests/machine.js';
import { IommuRig } from './iommu-rig.js';

export { RW } from './iommu-rig.js';
export const K4 = 0x1000;
export const MIB4 = 0x40_0000;
/** Memory that nobody else uses here. */
export const BUFFER = 0x1000_0000;

/** IOMMU A has one MMU and master 0; B two, and master 1; C two, and masters 2 and 5; D shares A's interrupt, master 6. */
export const UNITS = { A: 'e8000000.iommu', B: 'e8010480.iommu', C: 'e8020000.iommu', D: 'e8040000.iommu' };

export class Rockchip extends IommuRig {
	constructor(board = 'rk-v1', options: MachineOptions = {}) {
		super(
			(o) => testMachine(boardBlob(board), o),
			(n) => `m${n}`,
			options,
		);
		for (const dev of this.masters.devices.values()) pm_runtime_enable(dev);
		this.log.length = 0;
	}

	unit(name: keyof typeof UNITS): RockchipIommu {
		return this.machine.model(UNITS[name]) as RockchipIommu;
	}

	/** The domain that master @n is attached to. */
	domainOf(n: number): iommu_domain {
		return iommu_get_domain_for_dev(this.device(n))!;
	}

	/** Switch master @n on. */
	use(n: number): number {
		return pm_runtime_get_sync(this.device(n));
	}

	/** And off, with what it needed. */
	release(n: number): void {
		pm_runtime_put_sync(this.device(n));
		flush_workqueue(pm_wq);
	}

	/** An access by each MMU of the master's IOMMU, and time for the interrupt. */
	override tries(n: number, iova: number, write = false): boolean {
		return [super.tries(n, iova, write), super.tries(n, iova, write)].every((x) => x);
	}

	/** The lines of the log since the last call that have @what. */
	said(what: RegExp): string[] {
		return this.log.splice(0).filter((line) => what.test(line));
	}
}

/**
 * Where the tables of @domain lead @iova by the picture in the driver's comments: a walk by nobody's code but its own,
 * in memory; -1: nowhere. It throws where the CPU's cache has another word.
 */
export function walk(machine: Machine, domain: iommu_domain, iova: number, second = false): number {
	const word = (addr: number): number => {
		const memory = machine.ram.readWord(addr);
		if (machine.ram.readCpuWord(addr) !== memory)
			throw new Error(`the word at 0x${addr.toString(16)} is not clean`);
		return memory;
	};
	const addressOf = (w: number): number => {
		const low = w - (w % K4);
		return second ? low + (Math.floor(w / 256) % 16) * 2 ** 32 + (Math.floor(w / 16) % 16) * 2 ** 36 : low;
	};
	const root = machine.ram.phys_of(to_rk_domain(domain).dt);
	const directory = word(root + 4 * Math.floor(iova / MIB4));
	if (directory % 2 === 0) return -1;
	const entry = word(addressOf(directory) + 4 * (Math.floor(iova / K4) % 1024));
	return entry % 2 === 0 ? -1 : addressOf(entry) + (iova % K4);
}

/** The same by the driver; -1: nowhere. */
export function asked(domain: iommu_domain, iova: number): number {
	const phys = iommu_iova_to_phys(domain, iova) as number;
	return phys === 0 ? -1 : phys;
}
