// SPDX-License-Identifier: GPL-2.0-only
// Interrupts from the wire of a device through the GIC to the handler.
import { expect } from 'chai';
import { of_find_node_by_path } from '#drivers/of/base.js';
import { of_irq_get } from '#drivers/of/irq.js';
import { withMemory } from '#hw/core/fdt.js';
import { irq_create_fwspec_mapping, irq_find_host, irq_find_mapping } from '#kernel/irq/irqdomain.js';
import {
	disable_irq,
	disable_irq_nosync,
	enable_irq,
	free_irq,
	request_threaded_irq,
} from '#kernel/irq/manage.js';
import { show_interrupts } from '#kernel/irq/proc.js';
import { EBUSY, EINVAL } from '#linux/errno.js';
import { in_hardirq } from '#linux/hardirq.js';
import {
	IRQ_HANDLED,
	IRQ_NONE,
	IRQ_WAKE_THREAD,
	IRQF_ONESHOT,
	IRQF_SHARED,
	request_irq,
} from '#linux/interrupt.js';
import { irq_fwspec } from '#linux/irqdomain.js';
import { irqs_disabled, local_irq_disable, local_irq_enable } from '#linux/irqflags.js';
import type { irqreturn_t } from '#linux/irqreturn.js';
import { boardBlob, bootMachine } from '#tests/boot.js';
import { expectWarning } from '#tests/setup.js';

/** GICD_ISPENDR and GICD_ICPENDR of gic-400 (GIC architecture 2.0, table 4-1), at the H6's distributor. */
const GICD = 0x3021000;
const GICD_ISPENDR = GICD + 0x200;
const GICD_ISENABLER = GICD + 0x100;
/** The interrupt of the G2 decoder, SPI 90: no driver has it. */
const HWIRQ = 90 + 32;
const NODE = '/soc/video-codec-g2@1c00000';

function boot(): { irq: number; pulse: () => void; log: string[]; enabled: () => boolean } {
	const { machine, log } = bootMachine(
		withMemory(boardBlob('sun50i-h6-orangepi-3-noiommu'), [{ base: 0x4000_0000, size: 0x1000_0000 }]),
	);
	const irq = of_irq_get(of_find_node_by_path(NODE)!, 0);
	const word = Math.floor(HWIRQ / 32) * 4;
	return {
		irq,
		log,
		pulse: () => {
			machine.mmio_write(GICD_ISPENDR + word, 4, (1 << (HWIRQ % 32)) >>> 0);
			machine.advance(1000);
		},
		enabled: () => ((machine.mmio_read(GICD_ISENABLER + word, 4) >>> (HWIRQ % 32)) & 1) === 1,
	};
}

/** How often @irq has called a handler that answers @answer. */
function countCalls(irq: number, answer: irqreturn_t): () => number {
	let count = 0;
	const handler = (): irqreturn_t => {
		count++;
		return answer;
	};
	expect(request_irq(irq, handler, 0, 'test', null)).to.equal(0);
	return () => count;
}

describe('irq_manage', () => {
	it('calls the handler in hard-irq context with interrupts off', () => {
		const { irq, pulse } = boot();
		const seen: unknown[] = [];
		const me = {};
		expect(
			request_irq(
				irq,
				(n, dev_id) => {
					seen.push(n, dev_id, in_hardirq(), irqs_disabled());
					return IRQ_HANDLED;
				},
				0,
				'test',
				me,
			),
		).to.equal(0);
		pulse();
		expect(seen).to.deep.equal([irq, me, true, true]);
		expect(show_interrupts()).to.match(/ +\d+: +1 +GICv2 122 Level +test\n/);
		expect(free_irq(irq, me)).to.equal('test');
		pulse();
		expect(seen).to.have.length(4);
	});

	it('holds an interrupt back while the CPU masks them', () => {
		const { irq, pulse } = boot();
		const calls = countCalls(irq, IRQ_HANDLED);
		local_irq_disable();
		pulse();
		expect(calls()).to.equal(0);
		local_irq_enable();
		expect(calls()).to.equal(1);
		free_irq(irq, null);
	});

	it('nests disable_irq and delivers with the last enable_irq', () => {
		const { irq, pulse, enabled } = boot();
		const calls = countCalls(irq, IRQ_HANDLED);
		expect(enabled()).to.equal(true);
		disable_irq(irq);
		disable_irq_nosync(irq);
		pulse();
		enable_irq(irq);
		expect(calls()).to.equal(0);
		enable_irq(irq);
		pulse();
		expect(calls()).to.be.greaterThan(0);
		expectWarning(/Unbalanced enable for IRQ/);
		enable_irq(irq);
		free_irq(irq, null);
		expect(enabled()).to.equal(false);
	});

	it('asks every sharer, and refuses to share with those who do not', () => {
		const { irq, pulse, log } = boot();
		const asked: string[] = [];
		const a = {};
		const b = {};
		expect(
			request_irq(
				irq,
				() => {
					asked.push('a');
					return IRQ_NONE;
				},
				IRQF_SHARED,
				'a',
				a,
			),
		).to.equal(0);
		expect(
			request_irq(
				irq,
				() => {
					asked.push('b');
					return IRQ_HANDLED;
				},
				IRQF_SHARED,
				'b',
				b,
			),
		).to.equal(0);
		expect(request_irq(irq, () => IRQ_HANDLED, 0, 'c', null)).to.equal(-EBUSY);
		expect(log.join('\n')).to.include(`genirq: Flags mismatch irq ${irq}. 00000004 (c) vs. 00000084 (a)`);
		expect(request_irq(irq, () => IRQ_HANDLED, IRQF_SHARED, 'd', null)).to.equal(-EINVAL);
		pulse();
		expect(asked).to.deep.equal(['a', 'b']);
		free_irq(irq, a);
		pulse();
		expect(asked).to.deep.equal(['a', 'b', 'b']);
		free_irq(irq, b);
	});

	it('runs a thread in process context and keeps a ONESHOT line masked until then', () => {
		const { irq, pulse } = boot();
		const seen: unknown[] = [];
		expect(request_threaded_irq(irq, null, () => IRQ_HANDLED, 0, 'bad', null)).to.equal(-EINVAL);
		expect(
			request_threaded_irq(
				irq,
				() => IRQ_WAKE_THREAD,
				() => {
					seen.push(in_hardirq());
					return IRQ_HANDLED;
				},
				IRQF_ONESHOT,
				'thread',
				null,
			),
		).to.equal(0);
		pulse();
		disable_irq(irq);
		expect(seen).to.deep.equal([false]);
		enable_irq(irq);
		free_irq(irq, null);
	});

	it('disables a line that nobody cares for', () => {
		const { irq, pulse, log } = boot();
		const calls = countCalls(irq, IRQ_NONE);
		for (let i = 0; i < 100000; i++) pulse();
		expect(calls()).to.equal(100000);
		pulse();
		expect(calls()).to.equal(100000);
		expect(log.join('\n')).to.include(`irq ${irq}: nobody cared (try booting with the "irqpoll" option)`);
		expect(log.join('\n')).to.include(`Disabling IRQ #${irq}`);
		free_irq(irq, null);
	});

	it('warns when an interrupt is freed twice', () => {
		const { irq } = boot();
		request_irq(irq, () => IRQ_HANDLED, 0, 'test', null);
		free_irq(irq, null);
		expectWarning(/Trying to free already-free IRQ/);
		expect(free_irq(irq, null)).to.equal(null);
		expect(request_irq(1000, () => IRQ_HANDLED, 0, 'none', null)).to.equal(-EINVAL);
	});
});

describe('irq_domain', () => {
	it('maps each interrupt once, and refuses another trigger type', () => {
		const { irq, log } = boot();
		const gic = irq_find_host(of_find_node_by_path('/soc/interrupt-controller@3021000'))!;
		expect(irq_find_mapping(gic, HWIRQ)).to.equal(irq);
		const spec = new irq_fwspec();
		spec.fwnode = gic.fwnode;
		spec.param_count = 3;
		spec.param.splice(0, 3, 0, 90, 4);
		expect(irq_create_fwspec_mapping(spec)).to.equal(irq);
		spec.param[2] = 1;
		expect(irq_create_fwspec_mapping(spec)).to.equal(0);
		expect(log.at(-1)).to.match(
			/irq: type mismatch, failed to map hwirq-122 for .*interrupt-controller@3021000!$/,
		);
		spec.param[0] = 7;
		expect(irq_create_fwspec_mapping(spec)).to.equal(0);
	});
});
