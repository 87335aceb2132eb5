// SPDX-License-Identifier: GPL-2.0-only
// What is wrong with an interrupt handler, found as it returns.

import { expect } from 'chai';
import { report_iommu_fault } from '#drivers/iommu/iommu.js';
import { readl, writel } from '#linux/io.js';
import { IOMMU_FAULT_READ, IOMMU_FAULT_WRITE } from '#linux/iommu.js';
import type { irq_handler_t } from '#linux/irqhandler.js';
import { IRQ_HANDLED } from '#linux/irqreturn.js';
import { H6 } from '#tests/drivers/iommu/h6.js';
import { IommuRig } from '#tests/drivers/iommu/iommu-rig.js';
import { Rockchip } from '#tests/drivers/iommu/rockchip.js';
import { EDU_NAME, edu } from '#tests/hw/edu.js';
import { IOMMU } from '#tests/hw/h6.js';
import { expectFinding } from '#tests/setup.js';
import { replaceHandler } from './handlers.js';

const NAME = '30f0000.iommu';
const RESET = IOMMU + 0x010;
const INT_CLR = IOMMU + 0x104;
const INT_STA = IOMMU + 0x108;
const NOWHERE = 0x70_0000;

/** Clear what is latched, and pulse the reset of @masters. */
function acknowledge(masters: number): void {
	writel(readl(INT_STA), INT_CLR);
	writel(~masters >>> 0, RESET);
	writel(0xffff_ffff, RESET);
}

/** The faults of master 3 at NOWHERE, and what a handler does wrong with it. */
const WRONG: readonly [
	what: string,
	handler: (h6: H6, driver: irq_handler_t) => irq_handler_t,
	finding: RegExp,
][] = [
	[
		'a fault that is cleared and not reported',
		() => () => {
			acknowledge(1 << 3);
			return IRQ_HANDLED;
		},
		/fault-not-reported[\s\S]*nobody was told of the read of 0x00700000 by VE \(stream 3, L1\)/,
	],
	[
		'a fault that is reported twice',
		(h6, driver) => (irq, id) => {
			const ret = driver(irq, id);
			report_iommu_fault(h6.device(3).iommu_group!.domain!, h6.device(3), NOWHERE, IOMMU_FAULT_READ);
			return ret;
		},
		/fault-reported-twice[\s\S]*0x00700000/,
	],
	[
		'a fault that is reported at another address',
		(h6) => () => {
			report_iommu_fault(h6.device(3).iommu_group!.domain!, h6.device(3), NOWHERE >> 4, IOMMU_FAULT_READ);
			acknowledge(1 << 3);
			return IRQ_HANDLED;
		},
		/fault-wrong-address[\s\S]*at 0x00070000, and what the hardware has latched is the read of 0x00700000/,
	],
	[
		"a fault that is reported as another device's",
		(h6) => () => {
			report_iommu_fault(h6.device(3).iommu_group!.domain!, h6.device(2), NOWHERE, IOMMU_FAULT_READ);
			acknowledge(1 << 3);
			return IRQ_HANDLED;
		},
		/fault-wrong-device[\s\S]*as one of m2/,
	],
	[
		'a master that is left where it was stopped',
		(h6) => () => {
			report_iommu_fault(h6.device(3).iommu_group!.domain!, h6.device(3), NOWHERE, IOMMU_FAULT_READ);
			acknowledge(0);
			return IRQ_HANDLED;
		},
		/stream-not-released[\s\S]*VE \(stream 3\) still waits/,
	],
	[
		'a master that is reset for the fault of another',
		(h6) => () => {
			report_iommu_fault(h6.device(3).iommu_group!.domain!, h6.device(3), NOWHERE, IOMMU_FAULT_READ);
			acknowledge((1 << 3) | (1 << 1));
			return IRQ_HANDLED;
		},
		/disturbs-others[\s\S]*VE_R has not faulted/,
	],
];

describe('faults', () => {
	for (const [what, handler, finding] of WRONG)
		it(`reports ${what}`, () => {
			const h6 = new H6();
			h6.attached();
			replaceHandler(h6.machine, NAME, (driver) => handler(h6, driver));
			expectFinding(finding);
			h6.tries(3, NOWHERE);
			expect(h6.dmasan.reports.every((report) => report.moment === 'return')).to.equal(true);
		});

	it('reports a direction that the hardware knows better', () => {
		const rig = new IommuRig(edu, (stream) => `m${stream}`);
		const domain = rig.attached(1);
		replaceHandler(rig.machine, EDU_NAME, (driver) => (irq, id) => {
			report_iommu_fault(domain, rig.device(1), 0x5000, IOMMU_FAULT_READ);
			return driver(irq, id);
		});
		expectFinding(/fault-wrong-direction[\s\S]*the write of 0x00005000 by stream 1 .* as a read/);
		expectFinding(/fault-reported-twice/);
		rig.tries(1, 0x5000, true);
	});

	it('reports one that never was', () => {
		const rig = new IommuRig(edu, (stream) => `m${stream}`);
		const domain = rig.attached(1);
		replaceHandler(rig.machine, EDU_NAME, (driver) => (irq, id) => {
			const ret = driver(irq, id);
			report_iommu_fault(domain, rig.device(1), 0x9000, IOMMU_FAULT_WRITE);
			return ret;
		});
		expectFinding(/fault-never-was/);
		rig.tries(1, 0x6000, true);
	});

	it('is content where a chip loses an address, and where nobody translates', () => {
		const h6 = new H6();
		h6.attached();
		h6.reads(1, NOWHERE);
		h6.reads(4, NOWHERE + 0x1000);
		h6.machine.advance(1000);
		expect(h6.findings()).to.equal('');
	});

	it('wants an MMU that has stopped at a fault to go on', () => {
		const rk = new Rockchip();
		rk.use(0);
		rk.attached(0);
		const base = 0xe800_0000;
		replaceHandler(rk.machine, 'e8000000.iommu', () => () => {
			report_iommu_fault(rk.domainOf(0), rk.device(0), NOWHERE, IOMMU_FAULT_WRITE);
			writel(3, base + 0x18);
			return IRQ_HANDLED;
		});
		expectFinding(/stream-not-released/);
		rk.writes(0, NOWHERE);
		rk.machine.advance(1000);
	});
});
