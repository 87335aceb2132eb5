// SPDX-License-Identifier: GPL-2.0-only
// Faults of the H6 in every state of its driver.
// Each is reported once and right, cleared, and its master goes on (INV-FAULT). What a single report looks like, and its
// directions, are iommu-fault.json's.

import { expect } from 'chai';
import {
	iommu_domain_free,
	iommu_group_replace_domain,
	iommu_map,
	iommu_set_fault_handler,
	iommu_unmap,
	report_iommu_fault,
} from '#drivers/iommu/iommu.js';
import { sysfs_write } from '#fs/sysfs/user.js';
import { figure } from '#hw/iommu/iommu.js';
import { dev_name } from '#linux/device.js';
import { EINVAL, ENOSYS } from '#linux/errno.js';
import { GFP_ATOMIC, GFP_KERNEL } from '#linux/gfp.js';
import {
	IOMMU_FAULT_READ,
	IOMMU_FAULT_WRITE,
	IOMMU_READ,
	IOMMU_WRITE,
	type iommu_domain,
} from '#linux/iommu.js';
import { local_irq_restore, local_irq_save } from '#linux/irqflags.js';
import { run_on_cpu } from '#linux/smp.js';
import { IOMMU, IOMMU_INTID } from '#tests/hw/h6.js';
import { expectFinding } from '#tests/setup.js';
import { Injector } from '#watch/injector.js';
import { BUFFER, H6, NR_MASTERS, type Report, RW } from './h6.js';

/** What is mapped: one page with each set of rights. */
const GOOD = 0x1000;
const READ_ONLY = 0x2000;
const WRITE_ONLY = 0x3000;
const NO_RIGHTS = 0x4000;
/** A table without a word for it; a MiB without a table. */
const NO_PAGE = 0x8000;
const NO_TABLE = 0x70_0000;

const byMaster = (a: Report, b: Report) => a.master - b.master || a.iova - b.iova;

function mapped(options = {}): { h6: H6; domain: iommu_domain } {
	const h6 = new H6(options);
	const domain = h6.attached();
	for (const [iova, prot] of [
		[GOOD, RW],
		[READ_ONLY, IOMMU_READ],
		[WRITE_ONLY, IOMMU_WRITE],
		[NO_RIGHTS, 0],
	] as const)
		expect(iommu_map(domain, iova, BUFFER + iova, 0x1000, prot, GFP_KERNEL)).to.equal(0);
	h6.reports();
	return { h6, domain };
}

/** Nothing of any fault is left, and everybody goes on. */
function expectQuiet(h6: H6): void {
	const { iommu } = h6;
	expect(iommu.irqLevel).to.equal(false);
	for (const name of ['INT_STA', 'L1PG_INT', 'L2PG_INT']) expect(iommu.registers.get(name)).to.equal(0);
	expect(iommu.stalled).to.equal(0);
	for (let m = 0; m < NR_MASTERS; m++) expect(h6.reads(m, GOOD), `master ${m}`).to.equal(true);
	expect(h6.stale()).to.deep.equal([]);
	expect(h6.dmasan.reports.map((r) => r.text)).to.deep.equal([]);
}

/** Accesses that are refused, and what is to be reported: the hardware has no direction but for permission. */
const REFUSED: readonly [what: string, iova: number, write: boolean, dir: string][] = [
	['a read of a MiB without a table', NO_TABLE, false, 'rd'],
	['a write to a MiB without a table', NO_TABLE + 4, true, 'rd'],
	['a read of a page without a word', NO_PAGE, false, 'rd'],
	['a write to a page without a word', NO_PAGE + 0x123, true, 'rd'],
	['a write to what may be read', READ_ONLY + 8, true, 'wr'],
	['a read of what may be written', WRITE_ONLY, false, 'rd'],
	['a read of what nobody may use', NO_RIGHTS, false, 'rd'],
	['a write to what nobody may use', NO_RIGHTS, true, 'rd'],
	['a read of the last page', 0xffff_f000, false, 'rd'],
];

/** Pairs of faults of masters 1 and 4 (as above), and the reports; for the same level the later address is known. */
const PAIRS: readonly [what: string, first: number, second: number, reports: Report[]][] = [
	[
		'without table and without page',
		NO_TABLE,
		NO_PAGE,
		[
			{ iova: NO_TABLE, master: 1, dir: 'rd' },
			{ iova: NO_PAGE, master: 4, dir: 'rd' },
		],
	],
	[
		'without page and without right',
		NO_PAGE,
		WRITE_ONLY,
		[
			{ iova: NO_PAGE, master: 1, dir: 'rd' },
			{ iova: WRITE_ONLY, master: 4, dir: 'rd' },
		],
	],
	[
		'without right, both',
		WRITE_ONLY,
		NO_RIGHTS,
		[
			{ iova: WRITE_ONLY, master: 1, dir: 'rd' },
			{ iova: NO_RIGHTS, master: 4, dir: 'rd' },
		],
	],
	[
		'without page, both',
		NO_PAGE,
		NO_PAGE + 0x3000,
		[
			{ iova: -1, master: 1, dir: '' },
			{ iova: NO_PAGE + 0x3000, master: 4, dir: 'rd' },
		],
	],
	[
		'without table, both',
		NO_TABLE,
		NO_TABLE + 0x50_0000,
		[
			{ iova: -1, master: 1, dir: '' },
			{ iova: NO_TABLE + 0x50_0000, master: 4, dir: 'rd' },
		],
	],
];

describe('sun50i_iommu_faults', () => {
	describe('one fault', () => {
		for (const policy of ['pessimistic', 'optimistic'] as const)
			it(`of any kind, by any master, is reported once and right, and disturbs nobody (${policy})`, () => {
				const { h6 } = mapped({ policy });
				for (const [what, iova, write, dir] of REFUSED)
					for (let master = 0; master < NR_MASTERS; master++) {
						const faults = figure(h6.iommu, 'faults');
						expect(h6.tries(master, iova, write), what).to.equal(false);
						expect(h6.reports(), what).to.deep.equal([{ iova, master, dir }]);
						expect(figure(h6.iommu, 'faults') - faults).to.equal(1);
						expectQuiet(h6);
					}
			});

		it('changes no byte, and resets no other master', () => {
			const { h6 } = mapped();
			const resets: number[] = [];
			h6.machine.hook = (kind, where) => {
				if (kind === 'mmio' && where === IOMMU + 0x10) resets.push(h6.iommu.registers.get('RESET') & 0x3f);
			};
			const before = h6.machine.memory.peekMemory(BUFFER, 0x5000);
			h6.tries(3, READ_ONLY, true);
			// Seen before the second write of the pulse: what the first wrote.
			expect(resets[1]).to.equal(0x3f & ~(1 << 3));
			expect(h6.iommu.registers.get('RESET') & 0x3f).to.equal(0x3f);
			expect(h6.machine.memory.peekMemory(BUFFER, 0x5000)).to.deep.equal(before);
		});

		it('is reported each time, however many there are', () => {
			// dev_err() of 6.12's handler has no rate limit.
			const { h6 } = mapped();
			for (let i = 0; i < 50; i++) h6.tries(i % NR_MASTERS, NO_PAGE + 0x1000 * (i % 7));
			expect(h6.reports()).to.deep.equal(
				Array.from({ length: 50 }, (_x, i) => ({
					iova: NO_PAGE + 0x1000 * (i % 7),
					master: i % NR_MASTERS,
					dir: 'rd',
				})),
			);
		});

		it('of a master that goes on and on is one report for each access, while others work', () => {
			const { h6 } = mapped();
			const bad = h6.masters.model('m2');
			const good = h6.masters.model('m5');
			bad.stream({ addr: NO_PAGE, size: 0x1000, write: true, periodNs: 50_000, burst: 64 });
			good.stream({ addr: GOOD, size: 0x1000, write: false, periodNs: 7_000, burst: 64 });
			h6.machine.advance(2_000_000);
			bad.halt();
			good.halt();
			expect(bad.streamed).to.equal(0);
			expect(bad.streamRefused).to.be.greaterThan(30);
			expect(h6.reports()).to.have.length(bad.streamRefused);
			expect([good.streamed > 200, good.streamRefused]).to.deep.equal([true, 0]);
			expectQuiet(h6);
		});
	});

	describe('handlers', () => {
		it('get the domain, the device of the IOMMU, the address, the direction and their token', () => {
			const { h6, domain } = mapped();
			const seen: unknown[][] = [];
			const token = {};
			iommu_set_fault_handler(
				domain,
				(d, dev, iova, flags, t) => {
					seen.push([d === domain, dev_name(dev), iova, flags, t === token]);
					return 0;
				},
				token,
			);
			h6.tries(1, NO_PAGE + 0x10);
			h6.tries(2, READ_ONLY, true);
			expect(seen).to.deep.equal([
				[true, '30f0000.iommu', NO_PAGE + 0x10, IOMMU_FAULT_READ, true],
				[true, '30f0000.iommu', READ_ONLY, IOMMU_FAULT_WRITE, true],
			]);
			iommu_set_fault_handler(domain, null, null);
			h6.tries(1, NO_PAGE);
			expect(seen).to.have.length(2);
		});

		it('have their answer returned by report_iommu_fault(); without one it is -ENOSYS', () => {
			const { h6, domain } = mapped();
			const dev = h6.device(0);
			expect(report_iommu_fault(domain, dev, NO_PAGE, IOMMU_FAULT_READ)).to.equal(-ENOSYS);
			for (const answer of [0, -ENOSYS, -EINVAL, 7]) {
				iommu_set_fault_handler(domain, () => answer, null);
				expect(report_iommu_fault(domain, dev, NO_PAGE, IOMMU_FAULT_READ)).to.equal(answer);
			}
		});

		for (const answer of [0, -ENOSYS, -EINVAL])
			it(`that answer ${answer} change nothing of what the driver does`, () => {
				const { h6, domain } = mapped();
				iommu_set_fault_handler(domain, () => answer, null);
				h6.tries(1, NO_PAGE);
				expect(h6.reports()).to.deep.equal([{ iova: NO_PAGE, master: 1, dir: 'rd' }]);
				expectQuiet(h6);
			});

		it('may map what was missing: the next access finds it', () => {
			const { h6, domain } = mapped();
			iommu_set_fault_handler(
				domain,
				(d, _dev, iova) => iommu_map(d, iova - (iova % 0x1000), BUFFER + 0x1_0000, 0x1000, RW, GFP_ATOMIC),
				null,
			);
			for (const iova of [NO_PAGE, NO_TABLE, 0xffff_f000]) {
				expect(h6.tries(3, iova)).to.equal(false);
				expect(h6.tries(3, iova)).to.equal(true);
			}
			expect(h6.reports()).to.have.length(3);
			expectQuiet(h6);
		});

		it('belong to their domain, and are asked only while it is attached', () => {
			const { h6, domain } = mapped();
			const other = h6.domain();
			const seen: string[] = [];
			iommu_set_fault_handler(domain, () => seen.push('first'), null);
			iommu_set_fault_handler(other, () => seen.push('second'), null);
			h6.tries(0, NO_PAGE);
			iommu_group_replace_domain(h6.group, other);
			h6.tries(0, NO_PAGE);
			iommu_group_replace_domain(h6.group, domain);
			h6.tries(0, NO_PAGE);
			expect(seen).to.deep.equal(['first', 'second', 'first']);
			iommu_domain_free(other);
		});
	});

	describe('two faults before the handler runs', () => {
		for (const [what, first, second, reports] of PAIRS)
			it(`(${what}) are two reports, and both masters go on`, () => {
				const { h6, domain } = mapped();
				const flags = local_irq_save();
				expect([h6.reads(1, first), h6.reads(4, second)]).to.deep.equal([false, false]);
				local_irq_restore(flags);
				h6.machine.advance(1000);
				expect(h6.reports().sort(byMaster)).to.deep.equal(reports);
				expectQuiet(h6);

				// Nor does anything of them outlive a mapping of the place, in the midst of a range.
				for (const iova of [first, second].filter((at) => at >= NO_PAGE)) {
					expect(iommu_map(domain, iova - 0x2000, BUFFER, 0x5000, RW, GFP_KERNEL)).to.equal(0);
					expect(h6.stale()).to.deep.equal([]);
					iommu_unmap(domain, iova - 0x2000, 0x5000);
				}
			});

		it('by all six masters at once, are six reports', () => {
			const { h6 } = mapped();
			const flags = local_irq_save();
			h6.reads(0, NO_TABLE);
			h6.reads(5, NO_PAGE);
			for (let m = 1; m < 5; m++) h6.writes(m, READ_ONLY + 16 * m);
			local_irq_restore(flags);
			h6.machine.advance(1000);
			expect(h6.reports().sort(byMaster)).to.deep.equal([
				{ iova: NO_TABLE, master: 0, dir: 'rd' },
				...[1, 2, 3, 4].map((master) => ({ iova: READ_ONLY + 16 * master, master, dir: 'wr' })),
				{ iova: NO_PAGE, master: 5, dir: 'rd' },
			]);
			expectQuiet(h6);
		});

		it('are one report, and a stale entry, with the handler that Linux has (deviation: every fault)', () => {
			expectFinding(/stale-after-map/);
			// Its order of accesses: drivers/iommu/sun50i-iommu.c, sun50i_iommu_irq(), with one fault an interrupt.
			const { h6, domain } = mapped();
			const { machine } = h6;
			const flags = local_irq_save();
			h6.reads(1, NO_PAGE + 0x2000);
			h6.writes(4, READ_ONLY);
			const seen: number[] = [];
			const read = (offset: number) => machine.mmio_read(IOMMU + offset, 4);
			const write = (offset: number, value: number) => machine.mmio_write(IOMMU + offset, 4, value);
			const status = read(0x108);
			const stuck = (status | read(0x180) | read(0x184)) & 0x3f;
			seen.push(status & 0x20000 ? read(0x134) : status & 0x10000 ? read(0x130) : read(0x110));
			write(0x104, status);
			write(0x010, ~stuck >>> 0);
			write(0x010, 0xffffffff);
			local_irq_restore(flags);
			machine.advance(1000);
			expect(seen).to.deep.equal([NO_PAGE + 0x2000]);
			expect(h6.iommu.faults).to.have.length(2);
			expect(h6.reports()).to.deep.equal([]);
			// It did not invalidate, either, as nobody told it to for the other.
			expect(iommu_map(domain, NO_PAGE, BUFFER, 0x5000, RW, GFP_KERNEL)).to.equal(0);
			expect(h6.stale()).to.not.deep.equal([]);
		});
	});

	describe('a fault while another is handled', () => {
		/** Both faults' reports, with the second's access made at the @nth register access of the handler. */
		function at(h6: H6, nth: number, first: number, second: number) {
			const injector = new Injector(
				h6.machine,
				{ fault: () => h6.reads(4, second) },
				{ kinds: ['mmio'], script: [{ point: nth, action: 'fault' }] },
			);
			h6.tries(1, first);
			injector.stop();
			h6.machine.advance(10_000);
			return { reports: h6.reports().sort(byMaster), stuck: h6.iommu.stalled, points: injector.points };
		}

		it('of another kind is reported, whenever it comes', () => {
			for (const [first, second] of [
				[NO_PAGE, NO_TABLE],
				[NO_TABLE, WRITE_ONLY],
				[WRITE_ONLY, NO_PAGE],
			] as const) {
				const { h6 } = mapped();
				const { points } = at(h6, -1, first, second);
				expect(points).to.be.greaterThan(20);
				for (let nth = 0; nth < points; nth++) {
					const { reports, stuck } = at(h6, nth, first, second);
					expect([nth, reports, stuck]).to.deep.equal([
						nth,
						[
							{ iova: first, master: 1, dir: 'rd' },
							{ iova: second, master: 4, dir: 'rd' },
						],
						0,
					]);
				}
			}
		});

		it('of the same level is lost only between the last look and the clearing, one register on', () => {
			const first = NO_PAGE;
			const second = NO_PAGE + 0x3000;
			let { h6 } = mapped();
			const { points } = at(h6, -1, first, second);
			const lost: number[] = [];
			for (let nth = 0; nth < points; nth++) {
				const { reports, stuck } = at(h6, nth, first, second);
				expect(reports.some((r) => r.master === 1)).to.equal(true);
				if (reports.length === 2 && stuck === 0) continue;
				lost.push(nth);
				// That master is never heard of again.
				({ h6 } = mapped());
			}
			expect(lost).to.have.length(1);
		});

		it('comes from a handler itself, and is reported after it', () => {
			const { h6, domain } = mapped();
			let once = true;
			iommu_set_fault_handler(
				domain,
				() => {
					if (once) h6.reads(4, NO_PAGE + 0x3000);
					once = false;
					return 0;
				},
				null,
			);
			h6.tries(1, NO_PAGE);
			expect(h6.reports()).to.deep.equal([
				{ iova: NO_PAGE, master: 1, dir: 'rd' },
				{ iova: NO_PAGE + 0x3000, master: 4, dir: 'rd' },
			]);
			expectQuiet(h6);
		});
	});

	describe('during a reset pulse', () => {
		it('its master gets no answer and makes no fault, the others are served', () => {
			const { h6 } = mapped();
			const seen: unknown[] = [];
			let writes = 0;
			h6.machine.hook = (kind, where) => {
				if (kind !== 'mmio' || where !== IOMMU + 0x10 || ++writes !== 2) return;
				seen.push(h6.reads(1, GOOD), h6.reads(2, GOOD), h6.reads(1, NO_TABLE));
			};
			h6.tries(1, NO_PAGE);
			expect(seen).to.deep.equal([false, true, false]);
			expect(h6.reports()).to.deep.equal([{ iova: NO_PAGE, master: 1, dir: 'rd' }]);
			expectQuiet(h6);
		});

		it('a fault of another master is reported by the next interrupt', () => {
			const { h6 } = mapped();
			let writes = 0;
			h6.machine.hook = (kind, where) => {
				if (kind === 'mmio' && where === IOMMU + 0x10 && ++writes === 2) h6.reads(2, NO_PAGE);
			};
			h6.tries(1, NO_PAGE);
			expect(h6.reports().map((r) => r.master)).to.deep.equal([1, 2]);
			expectQuiet(h6);
		});
	});

	describe('while translation is off', () => {
		/** Nobody is bound, the default domain is identity; @domain was attached before. */
		function identity(options = {}): { h6: H6; domain: iommu_domain } {
			const { h6, domain } = mapped(options);
			iommu_group_replace_domain(h6.group, h6.group.default_domain);
			for (const name of [...h6.masters.devices.keys()])
				sysfs_write('/sys/bus/platform/drivers/test-masters/unbind', name);
			expect(sysfs_write('/sys/kernel/iommu_groups/0/type', 'identity')).to.equal(8);
			h6.reports();
			return { h6, domain };
		}

		it('nothing faults', () => {
			const { h6 } = identity();
			for (let m = 0; m < NR_MASTERS; m++) expect(h6.tries(m, BUFFER, true)).to.equal(true);
			expect(h6.reports()).to.deep.equal([]);
			expect(figure(h6.iommu, 'faults')).to.equal(0);
		});

		it('an interrupt that is late, and mappings in a domain that was attached, touch no register', () => {
			const { h6, domain } = identity();
			h6.machine.pulse(IOMMU_INTID);
			h6.machine.advance(1000);
			expect(iommu_map(domain, NO_PAGE, BUFFER, 0x3000, RW, GFP_KERNEL)).to.equal(0);
			expect(iommu_unmap(domain, NO_PAGE, 0x3000)).to.equal(0x3000);
			iommu_domain_free(domain);
			expect(h6.dmasan.reports.map((r) => r.text)).to.deep.equal([]);
			expect(h6.reports()).to.deep.equal([]);
		});

		it('because another CPU turned it off under a handler, the rest of the handling is left', () => {
			const { h6, domain } = mapped({ nrCpus: 2 });
			for (const name of [...h6.masters.devices.keys()].filter((n) => n !== 'm0'))
				sysfs_write('/sys/bus/platform/drivers/test-masters/unbind', name);
			const { group } = h6;
			iommu_group_replace_domain(group, group.default_domain);
			sysfs_write('/sys/bus/platform/drivers/test-masters/unbind', 'm0');
			const own = group.default_domain!;
			let answer: unknown;
			iommu_set_fault_handler(
				own,
				() => {
					answer = run_on_cpu(1, () => sysfs_write('/sys/kernel/iommu_groups/0/type', 'identity'));
					return 0;
				},
				null,
			);
			h6.reports();
			h6.tries(1, 0x4000);
			expect(answer).to.equal(8);
			expect(h6.reports()).to.deep.equal([{ iova: 0x4000, master: 1, dir: 'rd' }]);
			expect(h6.dmasan.reports.map((r) => r.text)).to.deep.equal([]);
			iommu_domain_free(domain);
		});
	});
});
