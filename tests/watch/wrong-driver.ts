// SPDX-License-Identifier: GPL-2.0-only
// A board whose IOMMU's driver does one thing wrong.
import { iommu_map } from '#drivers/iommu/iommu.js';
import type { MachineOptions } from '#hw/core/machine.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import type { iommu_domain, iommu_domain_ops } from '#linux/iommu.js';
import { SZ_4K, SZ_4M } from '#linux/sizes.js';
import { IommuRig, RW } from '#tests/drivers/iommu/iommu-rig.js';
import { RAM } from '#tests/hw/board.js';
import { edu } from '#tests/hw/edu.js';
import { h6 } from '#tests/hw/h6.js';
import { expectFinding } from '#tests/setup.js';
import { driverOf } from '#watch/iommu-ops.js';

export const IOVA = SZ_4M;
export const BUFFER = RAM + 0x800_0000;
export const K4 = SZ_4K;

/** The driver's own functions, and what stands in the place of some of them. */
export type Change = (driver: Required<iommu_domain_ops>) => Partial<iommu_domain_ops>;

export class WrongDriver extends IommuRig {
	constructor(board: 'edu' | 'h6' = 'edu', options: MachineOptions = {}) {
		super(board === 'edu' ? edu : h6, (n) => `m${n}`, options);
	}

	/** From here on @domain's ops are the driver's with @change, and all are watched. */
	change(domain: iommu_domain, change: Change): void {
		const driver = Object.fromEntries(
			Object.entries(domain.ops!).map(([name, fn]) => [name, driverOf(fn as object)]),
		) as Required<iommu_domain_ops>;
		domain.ops = { ...driver, ...change(driver) };
		this.dmasan.domains.listenTo(domain);
	}

	/** A domain that master 1 is in, with @change. */
	wrong(change: Change): iommu_domain {
		const domain = this.attached(1);
		this.change(domain, change);
		return domain;
	}

	map(domain: iommu_domain, pages = 1, iova = IOVA, phys = BUFFER): number {
		return iommu_map(domain, iova, phys, pages * K4, RW, GFP_KERNEL);
	}

	/** What was found, by kind. */
	kinds(): string[] {
		return this.dmasan.reports.map(({ invariant, kind }) => `${invariant} ${kind}`);
	}

	/** The first that was found: its kind, when, and its advice. */
	first(): string {
		const [report] = this.dmasan.reports;
		return report === undefined ? 'nothing' : `${report.kind}, ${report.moment}: ${report.advice}`;
	}
}

/** Whatever comes is looked at by the test. */
export function expectAny(): void {
	expectFinding(/BUG: DMASAN/);
}
