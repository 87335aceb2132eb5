// SPDX-License-Identifier: GPL-2.0-only
// A case of `make check`: one property of an IOMMU driver, what it needs, whom it blames.

import type { Policy } from '#hw/core/model.js';
import type { TestMachineOptions } from '#tests/machine.js';
import type { Description } from './description.js';
import type { Rig } from './rig.js';

/** Whose code is wrong when the property does not hold. */
export type Blame = 'driver' | 'core' | 'client' | 'model';

/** What a case needs of a driver and its board. */
export interface Need {
	/** Said where it is not met: `no second stage`. */
	readonly lack: string;
	met(description: Description): boolean;
}

export interface Case {
	/** `invalidation`, `faults` …: cases of a group stand together in the output. */
	readonly group: string;
	/** The property, as a sentence: `an unmapped page is cached by nobody when iommu_unmap() returns`. */
	readonly says: string;
	readonly blames: Blame;
	/** All of them. */
	readonly needs?: readonly Need[];
	/** How the machine is made, besides its seed and policy. */
	readonly machine?: TestMachineOptions;
	/** It is run once with each, on variants with the first; pessimistic only, unless it says otherwise. */
	readonly policies?: readonly Policy[];
	/** It is run on the description's variants, too. */
	readonly everyBoard?: boolean;
	/** It has domains of its own, and leaves the machine as it was: the next such case may go on there. */
	readonly shares?: boolean;
	/** It boots other machines: its rig's does not boot before somebody asks for what is on it. */
	readonly elsewhere?: boolean;
	/** Throw, or have the sanitiser or the kernel complain, to fail. */
	run(rig: Rig): void;
}

/** Both of the machine's policies, where what is thrown out, or comes sooner, could matter. */
export const BOTH: readonly Policy[] = ['pessimistic', 'optimistic'];

// What cases need, one place per reason.
export const LARGE_PAGES: Need = { lack: 'one page size', met: (d) => d.pageSizes.length > 1 };
export const GROUPS: Need = { lack: 'all masters are in one group', met: (d) => !d.oneGroup };
export const ONE_GROUP: Need = { lack: 'no two masters share a group', met: (d) => d.oneGroup };
export const SEVERAL_DOMAINS: Need = { lack: 'one domain at a time', met: (d) => d.domains > 1 };
export const DEFERRED_FLUSH: Need = { lack: 'no deferred flush', met: (d) => d.deferredFlush };
export const PASSTHROUGH: Need = { lack: 'no bypass', met: (d) => d.passthrough };
export const BLOCKED: Need = { lack: 'no blocked domain', met: (d) => d.blocked };
export const COMMANDS: Need = { lack: 'no command that could hang', met: (d) => d.commands.length > 0 };
export const POWER: Need = { lack: 'no clock, reset or power domain', met: (d) => d.power };
export const RUNTIME_PM: Need = { lack: 'no runtime PM', met: (d) => d.runtimePm };
export const CLIENTS: Need = { lack: 'no clients on the board', met: (d) => d.clients === true };

/** `group: sentence`: what ONLY= selects by. */
export function nameOf({ group, says }: Case): string {
	return `${group}: ${says}`;
}

/** Why @c does not apply to what @description describes; null: it does. */
export function lackOf(c: Case, description: Description): string | null {
	return c.needs?.find((need) => !need.met(description))?.lack ?? null;
}
