// SPDX-License-Identifier: GPL-2.0-only
// A booted H6 with a test driver, and what tests of the core ask of the two.
import { iommu_paging_domain_alloc } from '#drivers/iommu/iommu.js';
import { sysfs_read, sysfs_write } from '#fs/sysfs/user.js';
import { start_kernel } from '#init/main.js';
import type { device } from '#linux/device.js';
import { IS_ERR, PTR_ERR } from '#linux/err.js';
import { IOMMU_READ, IOMMU_WRITE, type iommu_ops } from '#linux/iommu.js';
import { h6 } from '#tests/hw/h6.js';
import { type TestDomain, TestDriver } from './test_driver.js';

export const RW = IOMMU_READ | IOMMU_WRITE;

export interface Rig {
	readonly driver: TestDriver;
	readonly log: string[];
	/** Whether a line of the log contains @text. */
	said(text: string): boolean;
}

export function bootRig(commandLine = '', over: Partial<iommu_ops> = {}): Rig {
	const log: string[] = [];
	start_kernel(h6({ commandLine, onConsole: (_level, line) => log.push(line) }));
	const driver = new TestDriver('testmmu', over);
	const ret = driver.register();
	if (ret !== 0) throw new Error(`cannot register the test driver: ${ret}`);
	return { driver, log, said: (text) => log.some((l) => l.includes(text)) };
}

/** @x, which is neither null nor an error pointer. */
export function ok<T>(x: T): Exclude<NonNullable<T>, { errno: number }> {
	if (x === null || x === undefined || IS_ERR(x)) throw new Error(`an error pointer: ${PTR_ERR(x)}`);
	return x as Exclude<NonNullable<T>, { errno: number }>;
}

/** An unmanaged domain for @dev. */
export function domainFor(dev: device): TestDomain {
	return ok(iommu_paging_domain_alloc(dev)) as TestDomain;
}

const groupFile = (dev: device, name: string): string =>
	`/sys/kernel/iommu_groups/${dev.iommu_group!.id}/${name}`;

/** What the file "type" of @dev's group says, without the line's end. */
export function typeOf(dev: device): string {
	return String(sysfs_read(groupFile(dev, 'type'))).trimEnd();
}

/** Write @word to the file "type": 0 for success, else the errno. */
export function setType(dev: device, word: string): number {
	const ret = sysfs_write(groupFile(dev, 'type'), `${word}\n`);
	return ret === word.length + 1 ? 0 : ret;
}

export function reservedRegions(dev: device): string {
	return String(sysfs_read(groupFile(dev, 'reserved_regions')));
}
