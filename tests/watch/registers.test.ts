// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { ETIMEDOUT } from '#linux/errno.js';
import { readl, readw, writel } from '#linux/io.js';
import { readl_poll_timeout_atomic } from '#linux/iopoll.js';
import { ref } from '#linux/types.js';
import { BUFFER, H6 } from '#tests/drivers/iommu/h6.js';
import { IommuRig } from '#tests/drivers/iommu/iommu-rig.js';
import { EDU, edu, REG } from '#tests/hw/edu.js';
import { CCU, IOMMU } from '#tests/hw/h6.js';
import { expectFinding } from '#tests/setup.js';
import { asKernel } from './as-kernel.js';

const TTB = IOMMU + 0x050;
const FLUSH = IOMMU + 0x080;
const INT_CLR = IOMMU + 0x104;
const INT_STA = IOMMU + 0x108;

function attached(): H6 {
	const h6 = new H6();
	h6.attached();
	return h6;
}

const poll = (addr: number, until = (_val: number) => false): number =>
	readl_poll_timeout_atomic(addr, new ref<number>(0), until, 1, 100);
const clear = (val: number): boolean => val === 0;

/** What a driver does, and what is said of it. */
const WRONG: readonly [what: string, act: () => void, finding: RegExp][] = [
	[
		'writes to a register that can only be read',
		() => writel(1, INT_STA),
		/read-only-write in bus_for_each_dev\(\)\nINV-RANGE, found as the operation returns, in 30f0000\.iommu .*\n.*INT_STA \(0x108\)/,
	],
	['reads one that can only be written', () => readl(INT_CLR), /write-only-read[\s\S]*INT_CLR/],
	[
		'writes bits that do not exist',
		() => writel(BUFFER + 0x1000, TTB),
		/reserved-bits[\s\S]*bits 0x00001000 do not exist and are dropped/,
	],
	[
		'writes more than fits',
		() => writel(0x1_4000_0000, TTB),
		/cut-value[\s\S]*0x140000000 to TTB[\s\S]*GFP_DMA32/,
	],
	['reads a part of a word', () => readw(INT_STA), /wrong-width[\s\S]*INT_STA/],
	['accesses an offset where no register is', () => readl(IOMMU + 0x200), /no-register[\s\S]*offset 0x200/],
	['accesses what no block has', () => readl(0x0700_0000), /no-device[\s\S]*0x07000000/],
	[
		'waits for what nobody does',
		() => poll(FLUSH),
		/poll-without-end[\s\S]*TLB_FLUSH[\s\S]*nothing that the hardware is doing can change it/,
	],
	[
		'starts what has not ended',
		() => {
			writel(1, FLUSH);
			writel(1, FLUSH);
		},
		/command-overrun[\s\S]*"flush"/,
	],
];

describe('registers', () => {
	for (const [what, act, finding] of WRONG)
		it(`reports a driver that ${what}, as it does it`, () => {
			attached();
			expectFinding(finding);
			asKernel(act);
		});

	it('reports a change of what the hardware works by, but not before it is on', () => {
		const rig = new IommuRig(edu, (stream) => `m${stream}`);
		asKernel(() => writel(readl(EDU + REG.EVTQ_CONS), EDU + REG.EVTQ_CONS));
		expect(rig.dmasan.text()).to.equal('');
		expectFinding(/change-while-live[\s\S]*STAB_BASE[\s\S]*stop or stall it first/);
		asKernel(() => writel(readl(EDU + REG.STAB_BASE), EDU + REG.STAB_BASE));
	});

	it('reports translation that is turned on without a root', () => {
		attached();
		asKernel(() => writel(0, IOMMU + 0x020));
		asKernel(() => writel(1, IOMMU + 0x020));
		asKernel(() => writel(0, IOMMU + 0x020));
		asKernel(() => writel(0, TTB));
		expectFinding(
			/enabled-without-root in bus_for_each_dev\(\)\nINV-PWR[\s\S]*before it has written the root/,
		);
		asKernel(() => writel(1, IOMMU + 0x020));
	});

	it('says of a block without a clock what has to come first, and who did not see to it', () => {
		attached();
		writel(0x10000, CCU + 0x7bc);
		expectFinding(/unpowered-access in bus_for_each_dev\(\)[\s\S]*clk_prepare_enable\(\) has to come first/);
		asKernel(() => readl(INT_STA));
		writel(0x10001, CCU + 0x7bc);
	});

	it('waits with everybody for what goes on, and for what a test has stopped', () => {
		const h6 = attached();
		h6.iommu.habits.busyNs = 50_000;
		asKernel(() => {
			writel(1, FLUSH);
			expect(poll(FLUSH, clear)).to.equal(0);
		});
		h6.iommu.stuck.add('flush');
		asKernel(() => {
			writel(1, FLUSH);
			expect(poll(FLUSH, clear)).to.equal(-ETIMEDOUT);
		});
	});

	it('leaves tests and debuggers alone', () => {
		attached();
		writel(1, INT_STA);
	});
});
