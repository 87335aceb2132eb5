// SPDX-License-Identifier: GPL-2.0-only
// A CPU stands still between any two steps of an operation, and something else happens: another CPU's call, a master's
// access, an interrupt. Loads and stores of table words are steps, too (tools/instrument).

import { cpu_context } from '#asm/current.js';
import { iommu_group_replace_domain } from '#drivers/iommu/iommu.js';
import type { iommu_domain } from '#linux/iommu.js';
import { run_on_cpu } from '#linux/smp.js';
import type { Case } from '../case.js';
import type { Rig } from '../rig.js';

const group = 'interleavings';

/** Addresses in one table; the operation's own go on into the next one. */
interface Places {
	readonly mine: number;
	readonly theirs: number;
	/** Mapped all the time. */
	readonly kept: number;
	/** Never mapped. */
	readonly hole: number;
}

const PAGES = 3;

function placesOf(rig: Rig): Places {
	const end = 3 * rig.description.tableCovers;
	const at = (pages: number): number => end - pages * rig.page;
	return { mine: at(2), theirs: at(24), kept: at(32), hole: at(48) };
}

/** Pages of the rig's memory, for one of those who map. */
const memoryOf = (rig: Rig, who: number): number => rig.memory + who * 16 * rig.page;

function leadsAll(rig: Rig, domain: iommu_domain, iova: number, phys: number): void {
	for (let n = 0; n < PAGES; n++) rig.leads(domain, iova + n * rig.page, phys < 0 ? -1 : phys + n * rig.page);
}

/** Of lines that are limited, ten in less than ten times this are let through. */
const RATELIMIT_NS = 0.6e9;

/** The operation that is stopped. */
interface Operation {
	readonly says: string;
	/** What there has to be; the domain that the others work in: @domain, the last time's, or another. */
	before(rig: Rig, places: Places, domain: iommu_domain | null): iommu_domain;
	run(rig: Rig, places: Places, domain: iommu_domain): void;
	/** It has had its effect. */
	holds(rig: Rig, places: Places, domain: iommu_domain): void;
	/** As it was before before(); what is left is for the next time. */
	after(rig: Rig, places: Places, domain: iommu_domain): iommu_domain | null;
}

/** What happens meanwhile. */
interface Interloper {
	readonly says: string;
	/** Not while the CPU that stands still has a lock: it would wait for it. */
	readonly needsLocks: boolean;
	before?(rig: Rig, places: Places, domain: iommu_domain): void;
	run(rig: Rig, places: Places, domain: iommu_domain): void;
	holds?(rig: Rig, places: Places, domain: iommu_domain, happened: boolean): void;
	/** As it was before before(). */
	after?(rig: Rig, places: Places, domain: iommu_domain, happened: boolean): void;
}

/** A new domain with one page, attached. */
function attached(rig: Rig, { kept }: Places): iommu_domain {
	const domain = rig.attached();
	rig.map(domain, kept, memoryOf(rig, 2));
	return domain;
}

function gone(rig: Rig, _places: Places, domain: iommu_domain): null {
	rig.detachAndFree(domain);
	return null;
}

const mapNew: Operation = {
	says: 'a map that needs new tables',
	before: (rig) => rig.attached(),
	run: (rig, { mine }, domain) => rig.map(domain, mine, memoryOf(rig, 0), PAGES * rig.page),
	holds: (rig, { mine }, domain) => leadsAll(rig, domain, mine, memoryOf(rig, 0)),
	after: gone,
};

const map: Operation = {
	...mapNew,
	says: 'a map',
	before: (rig, places, domain) => domain ?? attached(rig, places),
	after(rig, { mine }, domain) {
		rig.unmap(domain, mine, PAGES * rig.page);
		return domain;
	},
};

const unmap: Operation = {
	says: 'an unmap',
	before(rig, places, before) {
		const domain = before ?? attached(rig, places);
		rig.map(domain, places.mine, memoryOf(rig, 0), PAGES * rig.page);
		for (let n = 0; n < PAGES; n++) rig.reads(0, places.mine + n * rig.page);
		return domain;
	},
	run: (rig, { mine }, domain) => rig.unmap(domain, mine, PAGES * rig.page),
	holds: (rig, { mine }, domain) => leadsAll(rig, domain, mine, -1),
	after: (_rig, _places, domain) => domain,
};

const replace: Operation = {
	says: 'an attach in the place of another domain',
	before(rig, { kept }) {
		rig.attached();
		const domain = rig.domain();
		rig.map(domain, kept, memoryOf(rig, 2));
		return domain;
	},
	run(rig, _places, domain) {
		const old = rig.current()!;
		rig.equal('iommu_group_replace_domain()', iommu_group_replace_domain(rig.group(0), domain), 0);
		rig.free(old);
	},
	holds: (rig, { kept }, domain) => rig.leads(domain, kept, memoryOf(rig, 2)),
	after: gone,
};

const cpuMaps: Interloper = {
	says: 'another CPU maps in the same table',
	needsLocks: true,
	run: (rig, { theirs }, domain) =>
		run_on_cpu(1, () => rig.map(domain, theirs, memoryOf(rig, 1), PAGES * rig.page)),
	holds: (rig, { theirs }, domain, happened) =>
		leadsAll(rig, domain, theirs, happened ? memoryOf(rig, 1) : -1),
	after(rig, { theirs }, domain, happened) {
		if (happened) rig.unmap(domain, theirs, PAGES * rig.page);
	},
};

const cpuUnmaps: Interloper = {
	says: 'another CPU unmaps in the same table',
	needsLocks: true,
	before(rig, { theirs }, domain) {
		rig.map(domain, theirs, memoryOf(rig, 1), PAGES * rig.page);
		// What is not attached nobody can have used.
		if (rig.current() !== domain) return;
		for (let n = 0; n < PAGES; n++) rig.reads(0, theirs + n * rig.page);
	},
	run: (rig, { theirs }, domain) => run_on_cpu(1, () => rig.unmap(domain, theirs, PAGES * rig.page)),
	holds: (rig, { theirs }, domain, happened) =>
		leadsAll(rig, domain, theirs, happened ? -1 : memoryOf(rig, 1)),
	after(rig, { theirs }, domain, happened) {
		if (!happened) rig.unmap(domain, theirs, PAGES * rig.page);
	},
};

const masterReads: Interloper = {
	says: 'a master reads a page in the same table',
	needsLocks: false,
	run: (rig, { kept }) => rig.equal('a page that is mapped all the time is read', rig.reads(0, kept), true),
};

const fault: Interloper = {
	says: 'a fault interrupts',
	needsLocks: false,
	run: (rig, { hole }) => rig.equal('what nobody has mapped is read', rig.reads(0, hole), false),
	holds(rig, { hole, kept }, _domain, happened) {
		if (!happened) return;
		const [said, ...more] = rig.faults();
		rig.equal('faults that were reported', 1 + more.length, said === undefined ? 0 : 1);
		if (said.iova !== undefined) rig.equal('the address', said.iova, hole);
		rig.equal('the master goes on', rig.reads(0, kept), true);
	},
	// A driver may say no more than so many in a while.
	after: (rig) => rig.machine.advance(RATELIMIT_NS),
};

/** What is made for the first time, and kept, is made by then. */
const WARM = 2;

/** @operation once with each of its steps followed by @interloper; how many steps there were. */
function interleave(rig: Rig, operation: Operation, interloper: Interloper): void {
	const places = placesOf(rig);
	const { machine } = rig;
	let left: iommu_domain | null = null;
	for (let nth = 0; ; nth++) {
		const check = left === null && nth >= WARM ? rig.leakCheck() : null;
		const domain = operation.before(rig, places, left);
		interloper.before?.(rig, places, domain);
		rig.log.length = 0;
		let points = 0;
		let where = '';
		machine.hook = (kind) => {
			if (interloper.needsLocks && cpu_context.current.lockdep_depth > 0) return;
			if (points++ !== nth) return;
			where = kind;
			interloper.run(rig, places, domain);
		};
		rig.within(`step ${nth}`, () => {
			operation.run(rig, places, domain);
			machine.hook = null;
			machine.advance(HANDLING_NS);
			rig.within(where, () => {
				operation.holds(rig, places, domain);
				interloper.holds?.(rig, places, domain, where !== '');
			});
		});
		interloper.after?.(rig, places, domain, where !== '');
		left = operation.after(rig, places, domain);
		if (check !== null && left === null)
			rig.within(`step ${nth}, ${where}`, () => rig.equal('what is left', check(), []));
		if (where === '') return;
	}
}

/** Time for an interrupt and its handler. */
const HANDLING_NS = 20_000;

const PAIRS: readonly (readonly [Operation, readonly Interloper[]])[] = [
	[mapNew, [cpuMaps]],
	[map, [cpuMaps, cpuUnmaps, masterReads, fault]],
	[unmap, [cpuMaps, cpuUnmaps, masterReads, fault]],
	[replace, [cpuMaps, cpuUnmaps]],
];

export const interleavings: readonly Case[] = PAIRS.flatMap(([operation, interlopers]) =>
	interlopers.map(
		(interloper): Case => ({
			group,
			says: `${operation.says} has its effect whenever ${interloper.says}, and that has its own`,
			blames: 'driver',
			machine: { nrCpus: 2 },
			shares: true,
			run: (rig) => interleave(rig, operation, interloper),
		}),
	),
);
