// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { report_iommu_fault } from '#drivers/iommu/iommu.js';
import { disable_irq_nosync, enable_irq } from '#kernel/irq/manage.js';
import { writel } from '#linux/io.js';
import { IOMMU_FAULT_READ } from '#linux/iommu.js';
import { IRQ_HANDLED, IRQ_NONE } from '#linux/irqreturn.js';
import { H6 } from '#tests/drivers/iommu/h6.js';
import { IOMMU, IOMMU_INTID } from '#tests/hw/h6.js';
import { expectFinding } from '#tests/setup.js';
import { actionOf, replaceHandler } from './handlers.js';

const NAME = '30f0000.iommu';
const INT_ENABLE = IOMMU + 0x100;
const NOWHERE = 0x70_0000;

function attached(): H6 {
	const h6 = new H6();
	h6.attached();
	return h6;
}

describe('interrupts', () => {
	it("reports a handler that takes its own interrupt for another device's", () => {
		const h6 = attached();
		let calls = 0;
		replaceHandler(h6.machine, NAME, (driver) => (irq, id) => (calls++ === 0 ? IRQ_NONE : driver(irq, id)));
		expectFinding(/interrupt-ignored[\s\S]*has returned IRQ_NONE, and 30f0000\.iommu keeps interrupt 89 up/);
		h6.tries(3, NOWHERE);
		expect(calls).to.equal(2);
	});

	it('reports a handler that leaves what raised the line, the first time', () => {
		const h6 = attached();
		let calls = 0;
		replaceHandler(h6.machine, NAME, (driver) => (irq, id) => {
			if (calls++ > 0) return driver(irq, id);
			report_iommu_fault(h6.device(3).iommu_group!.domain!, h6.device(3), NOWHERE, IOMMU_FAULT_READ);
			return IRQ_HANDLED;
		});
		expectFinding(/interrupt-not-cleared[\s\S]*keeps interrupt 89 up/);
		// The driver then reports it once more.
		expectFinding(/fault-never-was/);
		expectFinding(/stream-not-released/);
		h6.tries(3, NOWHERE);
	});

	it('reports a handler that claims what nobody has asked for', () => {
		const h6 = attached();
		replaceHandler(h6.machine, NAME, () => () => IRQ_HANDLED);
		expectFinding(/interrupt-not-its-own/);
		h6.machine.pulse(IOMMU_INTID);
		h6.machine.advance(1);
	});

	it('reports at a quiet point a line that is up and disabled', () => {
		const h6 = attached();
		const { irq } = actionOf(h6.machine, NAME);
		disable_irq_nosync(irq);
		h6.tries(3, NOWHERE);
		expectFinding(/interrupt-lost[\s\S]*it has been disabled 1 times/);
		expect(h6.dmasan.quiet('the test')).to.equal(1);
		enable_irq(irq);
	});

	it('says nothing of a line that is masked in the device', () => {
		const h6 = attached();
		writel(0, INT_ENABLE);
		h6.tries(3, NOWHERE);
		h6.dmasan.quiet('the test');
		expect(h6.dmasan.text()).to.equal('');
	});
});
