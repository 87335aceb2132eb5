// SPDX-License-Identifier: GPL-2.0-only
// A booted board with any IOMMU, the sanitiser watching, a driver for the masters behind it, and what tests ask of them.
import {
	iommu_attach_group,
	iommu_detach_group,
	iommu_domain_free,
	iommu_paging_domain_alloc,
} from '#drivers/iommu/iommu.js';
import type { Machine, MachineOptions } from '#hw/core/machine.js';
import type { Iommu } from '#hw/iommu/iommu.js';
import type { device } from '#linux/device.js';
import { IOMMU_READ, IOMMU_WRITE, type iommu_domain } from '#linux/iommu.js';
import { leakCheck } from '#tests/leaks.js';
import { sanitiserOf } from '#tests/sanitiser.js';
import type { Dmasan } from '#watch/dmasan.js';
import { Masters } from './masters.js';
import { ok } from './rig.js';

export const RW = IOMMU_READ | IOMMU_WRITE;

export class IommuRig {
	readonly machine: Machine;
	readonly masters: Masters;
	readonly dmasan: Dmasan;
	readonly log: string[] = [];
	/** What is left of allocations made since; the result of the second call must be empty. */
	readonly leakCheck = leakCheck;

	/** @board makes the machine; its test masters are called @master(0), @master(1) … */
	constructor(
		board: (options: MachineOptions) => Machine,
		readonly master: (n: number) => string,
		options: MachineOptions = {},
	) {
		this.machine = board({ onConsole: (_level, line) => this.log.push(line), ...options });
		this.masters = new Masters(this.machine);
		this.dmasan = sanitiserOf(this.machine);
	}

	get iommu(): Iommu {
		return this.machine.iommu;
	}

	device(n: number): device {
		return this.masters.device(this.master(n));
	}

	/** A new domain for master @n, not attached. */
	domain(n = 0): iommu_domain {
		return ok(iommu_paging_domain_alloc(this.device(n)));
	}

	/** A new domain, attached to the group of master @n. */
	attached(n = 0): iommu_domain {
		const domain = this.domain(n);
		const ret = iommu_attach_group(domain, this.device(n).iommu_group!);
		if (ret !== 0) throw new Error(`cannot attach: ${ret}`);
		return domain;
	}

	/** Back to the default domain, and the end of @domain. */
	detachAndFree(domain: iommu_domain, n = 0): void {
		iommu_detach_group(domain, this.device(n).iommu_group!);
		iommu_domain_free(domain);
	}

	/** Whether master @n gets through to @iova. */
	reads(n: number, iova: number): boolean {
		return this.masters.model(this.master(n)).fetch(iova, 4) !== null;
	}

	writes(n: number, iova: number): boolean {
		return this.masters.model(this.master(n)).store(iova, Uint8Array.of(1, 2, 3, 4));
	}

	/** An access, and time for its interrupt. */
	tries(n: number, iova: number, write = false): boolean {
		const through = write ? this.writes(n, iova) : this.reads(n, iova);
		this.machine.advance(1000);
		return through;
	}

	/** What the caches say against the tables; must be empty after each operation. */
	stale(): string[] {
		return this.machine.iommus.flatMap((iommu) => iommu.contradictions().map((c) => c.text));
	}
}
