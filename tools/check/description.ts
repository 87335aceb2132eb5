// SPDX-License-Identifier: GPL-2.0-only
// What `make check` has to know of an IOMMU and its driver: a few lines that an author writes.

import type { Machine, MachineOptions } from '#hw/core/machine.js';
import type { Rig } from './rig.js';

/** What a line of the log says of a fault; what the hardware does not know is left out. */
export interface SaidFault {
	/** The IOVA; undefined: it is lost, because another fault has overwritten it. */
	readonly iova?: number;
	/** The stream at the IOMMU. */
	readonly stream?: number;
	readonly write?: boolean;
}

/** A command of the hardware that can hang. */
export interface Command {
	/** Its name in the model's `stuck`. */
	readonly stuck: string;
	/** What the driver says of it. */
	readonly says: RegExp;
}

export interface Description {
	/** The driver's file without its ending: `sun50i-iommu`. */
	readonly name: string;
	/** A board with the IOMMU, test masters behind it, nothing else that does DMA by itself. */
	board(options: MachineOptions): Machine;
	/** The test masters behind its first IOMMU, by their devices' names: two or more. */
	readonly masters: readonly string[];
	/** A physical address from which on 64 MiB of memory are nobody's, aligned to the largest page. */
	readonly memory: number;
	/** They cannot be told apart by the kernel: one group, one domain at a time. */
	readonly oneGroup: boolean;
	/** In bytes, the smallest first: what `pgsize_bitmap` claims. */
	readonly pageSizes: readonly number[];
	/** How many addresses the last table has words for, in bytes: where a new table begins. */
	readonly tableCovers: number;
	/** Addresses that a domain translates: [0, 2^addressBits). */
	readonly addressBits: number;
	/** Physical addresses that a word can hold: [0, 2^outputBits). */
	readonly outputBits: number;
	/** How many domains can be attached at the same time; 1 where all masters share one. */
	readonly domains: number;
	/** The combinations of IOMMU_READ and IOMMU_WRITE that are enforced as they are asked for. */
	readonly rights: readonly number[];
	/** What iommu_map() answers where something is mapped already. */
	readonly mappedAlready: number;
	/** What it answers to a physical address beyond outputBits. */
	readonly beyondOutput: number;
	/** IOMMU_CAP_DEFERRED_FLUSH: `iommu.strict=0` gives a queue. */
	readonly deferredFlush: boolean;
	/** `iommu.passthrough=1` is possible: the hardware lets accesses pass untranslated. */
	readonly passthrough: boolean;
	/** There is a domain that lets nothing through. */
	readonly blocked: boolean;
	/** A fault holds its master until the driver has dealt with it. */
	readonly stalls: boolean;
	/** One access can be tried twice, by two ports of a master: both are refused, both reported. */
	readonly portsPerMaster?: number;
	/** Whom report_iommu_fault() is told: the master's device, or the IOMMU's. */
	readonly faultDevice: 'master' | 'iommu';
	/** Which of iova, stream and direction the log's line of a @kind of fault knows. */
	fault(line: string): SaidFault | null;
	/** Of which faults the hardware tells the direction; of others the driver says that it was a read. */
	readonly direction: 'always' | 'permission';
	readonly commands: readonly Command[];
	/** It has a clock, a reset or a power domain that the driver has to switch. */
	readonly power: boolean;
	/** Whether clock, reset and power of the first IOMMU are on. */
	powered?(rig: Rig): boolean;
	/** Masters have to be switched on by runtime PM before the IOMMU works. */
	readonly runtimePm: boolean;
	/** Functions of the driver that can do nothing about what fails below them but warn, as Linux's do. */
	readonly helpless?: RegExp;
	/** What the log says of an error at boot although nothing is wrong. */
	readonly saidAtBoot?: RegExp;
	/** The registers, by the model's names, that have one value while a domain is attached, whatever is done with it. */
	readonly settings?: Readonly<Record<string, number>>;
	/** The value of one of those, in the first IOMMU. */
	setting?(rig: Rig, name: string): number;
	/** Other chips or boards that the driver is for, for the cases where that matters. */
	readonly variants?: readonly Description[];
	/** Of a variant: the groups of cases that meet what is different about it; all, unless it says. */
	readonly groups?: readonly string[];
	/** Leave the hardware as a boot loader may: in use, with entries cached. */
	firmware?(machine: Machine): void;
	/** Called when the board has booted: what its masters need to be used. */
	prepare?(rig: Rig): void;
	/** The clients on a whole board; without them those cases do not apply. */
	readonly clients?: boolean;
}
