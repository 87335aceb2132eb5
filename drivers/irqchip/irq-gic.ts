// SPDX-License-Identifier: GPL-2.0-only
// GIC v2 (gic-400): the interrupt controller of the Allwinner SoCs.
// Linux 6.12: drivers/irqchip/irq-gic.c
//
// Left out: interprocessor interrupts, cascaded and non-banked GICs, GICv2m, split EOI, power management.

import {
	GIC_DIST_CTRL,
	GIC_DIST_ENABLE_CLEAR,
	GIC_DIST_ENABLE_SET,
	GIC_DIST_TARGET,
	GIC_SPECIAL_IDS,
	gic_count_irqs,
	gic_cpu_config,
	gic_dist_config,
	gic_irq_domain_translate,
	gic_poke,
	gic_set_trigger,
} from '#drivers/irqchip/irq-gic-common.js';
import { of_iomap } from '#drivers/of/address.js';
import { handle_fasteoi_irq } from '#kernel/irq/chip.js';
import { set_handle_irq } from '#kernel/irq/handle.js';
import { generic_handle_domain_irq } from '#kernel/irq/irqdesc.js';
import { irq_domain_create_linear, irq_domain_set_info } from '#kernel/irq/irqdomain.js';
import { WARN, WARN_ON } from '#linux/bug.js';
import { EINVAL, ENODEV, ENOMEM } from '#linux/errno.js';
import { boot_data } from '#linux/init.js';
import { iounmap, readl_relaxed, writel_relaxed } from '#linux/io.js';
import { type irq_chip, irq_data_get_irq_chip_data } from '#linux/irq.js';
import { IRQCHIP_DECLARE } from '#linux/irqchip.js';
import type { irq_data } from '#linux/irqdesc.js';
import type { irq_domain, irq_domain_ops } from '#linux/irqdomain.js';
import { type device_node, of_fwnode_handle } from '#linux/of_node.js';
import { pr_err } from '#linux/printk.js';
import type { __iomem, int, u32, unsigned_int } from '#linux/types.js';

const GIC_CPU_CTRL = 0x00;
const GIC_CPU_PRIMASK = 0x04;
const GIC_CPU_INTACK = 0x0c;
const GIC_CPU_EOI = 0x10;
const GIC_CPU_ACTIVEPRIO = 0xd0;

const GICD_ENABLE = 0x1;
const GICD_DISABLE = 0x0;
const GICC_ENABLE = 0x1;
const GICC_INT_PRI_THRESHOLD = 0xf0;
const GICC_DIS_BYPASS_MASK = 0x1e0;
const GICC_IAR_INT_ID_MASK = 0x3ff;

class gic_chip_data {
	dist_base: __iomem = 0;
	cpu_base: __iomem = 0;
	domain: irq_domain | null = null;
	gic_irqs: unsigned_int = 0;
}

const state = boot_data(() => ({ gic: new gic_chip_data() }));

function gic_mask_irq(d: irq_data): void {
	gic_poke(irq_data_get_irq_chip_data<gic_chip_data>(d).dist_base, d.hwirq, GIC_DIST_ENABLE_CLEAR);
}

function gic_unmask_irq(d: irq_data): void {
	gic_poke(irq_data_get_irq_chip_data<gic_chip_data>(d).dist_base, d.hwirq, GIC_DIST_ENABLE_SET);
}

function gic_eoi_irq(d: irq_data): void {
	writel_relaxed(d.hwirq, irq_data_get_irq_chip_data<gic_chip_data>(d).cpu_base + GIC_CPU_EOI);
}

function gic_set_type(d: irq_data, type: unsigned_int): int {
	return gic_set_trigger(d.hwirq, type, irq_data_get_irq_chip_data<gic_chip_data>(d).dist_base);
}

const gic_chip: irq_chip = {
	name: 'GICv2',
	irq_mask: gic_mask_irq,
	irq_unmask: gic_unmask_irq,
	irq_eoi: gic_eoi_irq,
	irq_set_type: gic_set_type,
};

/** The CPU's interrupt: serve what the controller has, until it has nothing. */
function gic_handle_irq(): void {
	const gic = state.gic;
	for (;;) {
		const irqstat: u32 = readl_relaxed(gic.cpu_base + GIC_CPU_INTACK);
		const irqnr = irqstat & GICC_IAR_INT_ID_MASK;
		if (irqnr >= GIC_SPECIAL_IDS) return;
		if (
			WARN(
				generic_handle_domain_irq(gic.domain as irq_domain, irqnr) !== 0,
				'Unexpected interrupt (irqnr %u)',
				irqnr,
			)
		)
			writel_relaxed(irqstat, gic.cpu_base + GIC_CPU_EOI);
	}
}

function gic_irq_domain_map(d: irq_domain, irq: unsigned_int, hw: unsigned_int): int {
	irq_domain_set_info(d, irq, hw, gic_chip, d.host_data, handle_fasteoi_irq, null, null);
	return 0;
}

const gic_irq_domain_ops: irq_domain_ops = {
	translate: gic_irq_domain_translate,
	map: gic_irq_domain_map,
};

/** The CPUs that the banked target registers say this one is. */
function gic_get_cpumask(gic: gic_chip_data): u32 {
	for (let i = 0; i < 32; i += 4) {
		let mask = readl_relaxed(gic.dist_base + GIC_DIST_TARGET + i);
		mask |= mask >>> 16;
		mask |= mask >>> 8;
		if ((mask & 0xff) !== 0) return mask & 0xff;
	}
	return 0;
}

function gic_dist_init(gic: gic_chip_data): void {
	writel_relaxed(GICD_DISABLE, gic.dist_base + GIC_DIST_CTRL);
	const cpu = gic_get_cpumask(gic);
	const cpumask = (cpu | (cpu << 8) | (cpu << 16) | (cpu << 24)) >>> 0;
	for (let i = 32; i < gic.gic_irqs; i += 4) writel_relaxed(cpumask, gic.dist_base + GIC_DIST_TARGET + i);
	gic_dist_config(gic.dist_base, gic.gic_irqs);
	writel_relaxed(GICD_ENABLE, gic.dist_base + GIC_DIST_CTRL);
}

function gic_cpu_init(gic: gic_chip_data): void {
	gic_cpu_config(gic.dist_base, 32);
	writel_relaxed(GICC_INT_PRI_THRESHOLD, gic.cpu_base + GIC_CPU_PRIMASK);
	for (let i = 0; i < 4; i++) writel_relaxed(0, gic.cpu_base + GIC_CPU_ACTIVEPRIO + i * 4);
	const bypass = readl_relaxed(gic.cpu_base + GIC_CPU_CTRL) & GICC_DIS_BYPASS_MASK;
	writel_relaxed(bypass | GICC_ENABLE, gic.cpu_base + GIC_CPU_CTRL);
}

/** Set up the GIC of @node (drivers/irqchip/irq-gic.c: gic_of_init()). */
export function gic_of_init(node: device_node, _parent: device_node | null): int {
	if (WARN_ON(state.gic.domain !== null)) return -EINVAL;
	const gic = new gic_chip_data();
	const dist = of_iomap(node, 0);
	if (WARN(dist === null, 'unable to map gic dist registers') || dist === null) return -ENOMEM;
	const cpu = of_iomap(node, 1);
	if (WARN(cpu === null, 'unable to map gic cpu registers') || cpu === null) {
		iounmap(dist);
		return -ENOMEM;
	}
	gic.dist_base = dist;
	gic.cpu_base = cpu;
	gic.gic_irqs = gic_count_irqs(dist);
	gic.domain = irq_domain_create_linear(of_fwnode_handle(node), gic.gic_irqs, gic_irq_domain_ops, gic);
	if (gic.domain === null) {
		pr_err('GIC: no memory for the domain of %pOF', node);
		iounmap(cpu);
		iounmap(dist);
		return -ENODEV;
	}
	state.gic = gic;
	set_handle_irq(gic_handle_irq);
	gic_dist_init(gic);
	gic_cpu_init(gic);
	return 0;
}
IRQCHIP_DECLARE('gic_400', 'arm,gic-400', gic_of_init);
IRQCHIP_DECLARE('cortex_a15_gic', 'arm,cortex-a15-gic', gic_of_init);
IRQCHIP_DECLARE('cortex_a7_gic', 'arm,cortex-a7-gic', gic_of_init);
