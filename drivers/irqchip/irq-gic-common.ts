// SPDX-License-Identifier: GPL-2.0-only
// What GIC v2 and v3 share: distributor registers, and the specifier.
// Linux 6.12: drivers/irqchip/irq-gic-common.c, include/linux/irqchip/arm-gic.h
import { WARN_ON } from '#linux/bug.js';
import { EINVAL } from '#linux/errno.js';
import { readl_relaxed, writel_relaxed } from '#linux/io.js';
import {
	IRQ_TYPE_EDGE_BOTH,
	IRQ_TYPE_EDGE_RISING,
	IRQ_TYPE_LEVEL_HIGH,
	IRQ_TYPE_LEVEL_MASK,
	IRQ_TYPE_SENSE_MASK,
} from '#linux/irq.js';
import type { irq_domain, irq_fwspec } from '#linux/irqdomain.js';
import type { __iomem, bool, int, ref, u32, unsigned_int, unsigned_long } from '#linux/types.js';

export const GIC_DIST_CTRL = 0x000;
export const GIC_DIST_CTR = 0x004;
export const GIC_DIST_IGROUP = 0x080;
export const GIC_DIST_ENABLE_SET = 0x100;
export const GIC_DIST_ENABLE_CLEAR = 0x180;
export const GIC_DIST_PENDING_SET = 0x200;
export const GIC_DIST_ACTIVE_CLEAR = 0x380;
export const GIC_DIST_PRI = 0x400;
export const GIC_DIST_TARGET = 0x800;
export const GIC_DIST_CONFIG = 0xc00;

/** Numbers from here on are no interrupts: 1023 is "nothing pending". */
export const GIC_SPECIAL_IDS = 1020;

/** All interrupts at one middle priority, in each byte. */
const GICD_INT_DEF_PRI_X4 = 0xa0a0a0a0;
const GICD_INT_EN_CLR_X32 = 0xffffffff;
const GICD_INT_ACTLOW_LVLTRIG = 0;

/** Set edge or level in the distributor at @base (drivers/irqchip/irq-gic-common.c: gic_configure_irq()). */
export function gic_configure_irq(irq: unsigned_int, type: unsigned_int, base: __iomem): int {
	const confmask = 0x2 << ((irq % 16) * 2);
	const confoff = Math.floor(irq / 16) * 4;
	const oldval = readl_relaxed(base + confoff);
	let val = oldval;
	if ((type & IRQ_TYPE_LEVEL_MASK) !== 0) val &= ~confmask;
	else if ((type & IRQ_TYPE_EDGE_BOTH) !== 0) val |= confmask;
	if (val >>> 0 === oldval) return 0;
	writel_relaxed(val, base + confoff);
	// What does not stick the hardware cannot do.
	return readl_relaxed(base + confoff) === val >>> 0 ? 0 : -EINVAL;
}

/**
 * Set the trigger of interrupt @hwirq, whose configuration registers are in the frame at @base
 * (drivers/irqchip/irq-gic.c, irq-gic-v3.c: gic_set_type()).
 */
export function gic_set_trigger(hwirq: unsigned_int, type: unsigned_int, base: __iomem): int {
	// Software-generated interrupts are edges, and only one polarity of a shared one exists.
	if (hwirq < 16) return type === IRQ_TYPE_EDGE_RISING ? 0 : -EINVAL;
	if (hwirq >= 32 && type !== IRQ_TYPE_LEVEL_HIGH && type !== IRQ_TYPE_EDGE_RISING) return -EINVAL;
	const ret = gic_configure_irq(hwirq, type, base + GIC_DIST_CONFIG);
	// A private interrupt may be fixed; that is nobody's fault.
	return ret !== 0 && hwirq < 32 ? 0 : ret;
}

/** How many interrupts the distributor at @base has, the CPU's own among them (GICD_TYPER: ITLinesNumber). */
export function gic_count_irqs(base: __iomem): unsigned_int {
	return Math.min(((readl_relaxed(base + GIC_DIST_CTR) & 0x1f) + 1) * 32, GIC_SPECIAL_IDS);
}

/** @val into every word from @regs on that has @bits for each of the interrupts @first to @end. */
function gic_fill(base: __iomem, regs: u32, bits: unsigned_int, first: int, end: int, val: u32): void {
	for (let hwirq = first; hwirq < end; hwirq += 32 / bits)
		writel_relaxed(val, base + regs + (hwirq * bits) / 8);
}

/** Neither active nor enabled, the interrupts @first to @end. */
function gic_quiesce(base: __iomem, first: int, end: int): void {
	for (let hwirq = first; hwirq < end; hwirq += 32)
		for (const regs of [GIC_DIST_ACTIVE_CLEAR, GIC_DIST_ENABLE_CLEAR])
			writel_relaxed(GICD_INT_EN_CLR_X32, base + regs + hwirq / 8);
}

/**
 * All shared interrupts: level, one priority, not active, disabled
 * (drivers/irqchip/irq-gic-common.c: gic_dist_config()).
 */
export function gic_dist_config(base: __iomem, gic_irqs: int): void {
	gic_fill(base, GIC_DIST_CONFIG, 2, 32, gic_irqs, GICD_INT_ACTLOW_LVLTRIG);
	gic_fill(base, GIC_DIST_PRI, 8, 32, gic_irqs, GICD_INT_DEF_PRI_X4);
	gic_quiesce(base, 32, gic_irqs);
}

/**
 * The CPU's own interrupts: not active, disabled, one priority
 * (drivers/irqchip/irq-gic-common.c: gic_cpu_config()).
 */
export function gic_cpu_config(base: __iomem, nr: int): void {
	gic_quiesce(base, 0, nr);
	gic_fill(base, GIC_DIST_PRI, 8, 0, nr, GICD_INT_DEF_PRI_X4);
}

/** Set or poke the bit of @hwirq in the registers at @offset. */
export function gic_poke(base: __iomem, hwirq: unsigned_int, offset: unsigned_int): void {
	writel_relaxed((1 << (hwirq % 32)) >>> 0, base + offset + Math.floor(hwirq / 32) * 4);
}

/** Read the bit of @hwirq in the registers at @offset. */
export function gic_peek(base: __iomem, hwirq: unsigned_int, offset: unsigned_int): bool {
	return (readl_relaxed(base + offset + Math.floor(hwirq / 32) * 4) & (1 << (hwirq % 32))) !== 0;
}

/**
 * Three cells: shared (0) or private (1), the number of that kind, the trigger
 * (drivers/irqchip/irq-gic.c: gic_irq_domain_translate()).
 */
export function gic_irq_domain_translate(
	_d: irq_domain,
	fwspec: irq_fwspec,
	hwirq: ref<unsigned_long>,
	type: ref<unsigned_int>,
): int {
	if (fwspec.param_count < 3) return -EINVAL;
	switch (fwspec.param[0]) {
		case 0:
			hwirq.value = fwspec.param[1] + 32;
			break;
		case 1:
			hwirq.value = fwspec.param[1] + 16;
			break;
		default:
			return -EINVAL;
	}
	type.value = fwspec.param[2] & IRQ_TYPE_SENSE_MASK;
	WARN_ON(type.value === 0 && fwspec.param[0] !== 1);
	return 0;
}
