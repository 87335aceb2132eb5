// SPDX-License-Identifier: GPL-2.0-only
// GIC v3: (re)distributor by memory, CPU interface by system registers.
// Linux 6.12: drivers/irqchip/irq-gic-v3.c
//
// Left out: more than one CPU, ITS and MSIs, extended ranges, pseudo-NMIs, split EOI, partitions; interrupts
// are routed to the only CPU, which is the reset value of the routing registers.
import { machine } from '#arch/arm64/kernel/setup.js';
import {
	GIC_DIST_CTRL,
	GIC_DIST_ENABLE_CLEAR,
	GIC_DIST_ENABLE_SET,
	GIC_DIST_IGROUP,
	GIC_SPECIAL_IDS,
	gic_count_irqs,
	gic_cpu_config,
	gic_dist_config,
	gic_irq_domain_translate,
	gic_poke,
	gic_set_trigger,
} from '#drivers/irqchip/irq-gic-common.js';
import { of_address_to_resource, of_iomap } from '#drivers/of/address.js';
import { handle_fasteoi_irq } from '#kernel/irq/chip.js';
import { set_handle_irq } from '#kernel/irq/handle.js';
import { generic_handle_domain_irq } from '#kernel/irq/irqdesc.js';
import { irq_domain_create_linear, irq_domain_set_info } from '#kernel/irq/irqdomain.js';
import { request_mem_region } from '#kernel/resource.js';
import { WARN_ONCE } from '#linux/bug.js';
import { udelay } from '#linux/delay.js';
import { ENODEV, ENOMEM, ENXIO } from '#linux/errno.js';
import { boot_data } from '#linux/init.js';
import { iounmap, readl_relaxed, writel_relaxed } from '#linux/io.js';
import { resource, resource_size } from '#linux/ioport.js';
import { type irq_chip, irq_data_get_irq_chip_data } from '#linux/irq.js';
import { IRQCHIP_DECLARE } from '#linux/irqchip.js';
import type { irq_data } from '#linux/irqdesc.js';
import type { irq_domain, irq_domain_ops } from '#linux/irqdomain.js';
import { type device_node, of_fwnode_handle } from '#linux/of_node.js';
import { pr_err, pr_info, pr_warn } from '#linux/printk.js';
import type { __iomem, int, unsigned_int } from '#linux/types.js';

const GICD_PIDR2 = 0xffe8;
const GIC_PIDR2_ARCH_MASK = 0xf0;
const GIC_PIDR2_ARCH_GICv3 = 0x30;
const GIC_PIDR2_ARCH_GICv4 = 0x40;
const GICD_CTLR_RWP = 0x80000000;
const GICD_CTLR_ARE_NS = 0x10;
const GICD_CTLR_ENABLE_G1A = 0x2;
const GICD_CTLR_ENABLE_G1 = 0x1;
const GICR_CTLR = 0x0000;
const GICR_CTLR_RWP = 0x8;
const GICR_WAKER = 0x0014;
const GICR_WAKER_ProcessorSleep = 0x2;
const GICR_WAKER_ChildrenAsleep = 0x4;
const GICR_IGROUPR0 = GIC_DIST_IGROUP;
/** The frame with the CPU's own interrupts, behind the redistributor's first. */
const GICR_SGI_BASE = 0x10000;

const DEFAULT_PMR_VALUE = 0xf0;
const ICC_CTLR_EL1_EOImode_drop_dir = 0;
/** Polls of one microsecond before we give up. */
const TIMEOUT_US = 1000000;

class gic_chip_data {
	dist_base: __iomem = 0;
	rdist_base: __iomem = 0;
	domain: irq_domain | null = null;
	gic_irqs: unsigned_int = 0;
}

const state = boot_data(() => ({ gic_data: new gic_chip_data() }));

/** The registers per interrupt of @d: the redistributor has those of the CPU's own. */
function gic_irq_base(d: irq_data): __iomem {
	const gic = irq_data_get_irq_chip_data<gic_chip_data>(d);
	return d.hwirq < 32 ? gic.rdist_base + GICR_SGI_BASE : gic.dist_base;
}

function wait_for(base: __iomem, offset: unsigned_int, bit: unsigned_int): void {
	for (let count = TIMEOUT_US; (readl_relaxed(base + offset) & bit) !== 0; count--) {
		if (count === 0) {
			pr_err('GICv3: RWP timeout, gone fishing');
			return;
		}
		udelay(1);
	}
}

function gic_dist_wait_for_rwp(): void {
	wait_for(state.gic_data.dist_base, GIC_DIST_CTRL, GICD_CTLR_RWP);
}

function gic_redist_wait_for_rwp(): void {
	wait_for(state.gic_data.rdist_base, GICR_CTLR, GICR_CTLR_RWP);
}

function gic_mask_irq(d: irq_data): void {
	gic_poke(gic_irq_base(d), d.hwirq, GIC_DIST_ENABLE_CLEAR);
	if (d.hwirq < 32) gic_redist_wait_for_rwp();
	else gic_dist_wait_for_rwp();
}

function gic_unmask_irq(d: irq_data): void {
	gic_poke(gic_irq_base(d), d.hwirq, GIC_DIST_ENABLE_SET);
}

function gic_eoi_irq(d: irq_data): void {
	machine.sysreg_write('ICC_EOIR1_EL1', d.hwirq);
}

function gic_set_type(d: irq_data, type: unsigned_int): int {
	return gic_set_trigger(d.hwirq, type, gic_irq_base(d));
}

const gic_chip: irq_chip = {
	name: 'GICv3',
	irq_mask: gic_mask_irq,
	irq_unmask: gic_unmask_irq,
	irq_eoi: gic_eoi_irq,
	irq_set_type: gic_set_type,
};

/** The CPU's interrupt: one interrupt each time; what else is pending interrupts again. */
function gic_handle_irq(): void {
	for (;;) {
		const irqnr = machine.sysreg_read('ICC_IAR1_EL1');
		if (irqnr >= GIC_SPECIAL_IDS) return;
		if (generic_handle_domain_irq(state.gic_data.domain as irq_domain, irqnr) !== 0) {
			WARN_ONCE(true, 'Unexpected interrupt (irqnr %u)', irqnr);
			machine.sysreg_write('ICC_EOIR1_EL1', irqnr);
		}
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

function gic_dist_init(gic: gic_chip_data): void {
	const base = gic.dist_base;
	writel_relaxed(0, base + GIC_DIST_CTRL);
	gic_dist_wait_for_rwp();
	// Everything to the group that the kernel takes its interrupts from.
	for (let i = 32; i < gic.gic_irqs; i += 32) writel_relaxed(0xffffffff, base + GIC_DIST_IGROUP + i / 8);
	gic_dist_config(base, gic.gic_irqs);
	gic_dist_wait_for_rwp();
	writel_relaxed(GICD_CTLR_ARE_NS | GICD_CTLR_ENABLE_G1A | GICD_CTLR_ENABLE_G1, base + GIC_DIST_CTRL);
	gic_dist_wait_for_rwp();
}

function gic_cpu_init(gic: gic_chip_data): void {
	const rbase = gic.rdist_base;
	const waker = readl_relaxed(rbase + GICR_WAKER);
	writel_relaxed(waker & ~GICR_WAKER_ProcessorSleep, rbase + GICR_WAKER);
	wait_for(rbase, GICR_WAKER, GICR_WAKER_ChildrenAsleep);
	writel_relaxed(0xffffffff, rbase + GICR_SGI_BASE + GICR_IGROUPR0);
	gic_cpu_config(rbase + GICR_SGI_BASE, 32);
	gic_redist_wait_for_rwp();

	machine.sysreg_write('ICC_SRE_EL1', 0x7);
	machine.sysreg_write('ICC_PMR_EL1', DEFAULT_PMR_VALUE);
	machine.sysreg_write('ICC_BPR1_EL1', 0);
	machine.sysreg_write('ICC_CTLR_EL1', ICC_CTLR_EL1_EOImode_drop_dir);
	machine.sysreg_write('ICC_IGRPEN1_EL1', 1);
}

/** Claim and map a region of @node's `reg` (drivers/irqchip/irq-gic-v3.c). A claim that fails is only told. */
function gic_of_iomap(node: device_node, idx: int, name: string): __iomem | null {
	const res = new resource();
	if (of_address_to_resource(node, idx, res) !== 0) return null;
	if (request_mem_region(res.start, resource_size(res), name) === null)
		pr_warn('GICv3: [Firmware Bug]: %s region %pa has overlapping address', name, res.start);
	return of_iomap(node, idx);
}

/** Set up the GIC of @node (drivers/irqchip/irq-gic-v3.c: gic_of_init()). */
export function gic_of_init(node: device_node, _parent: device_node | null): int {
	const dist_base = gic_of_iomap(node, 0, 'GICD');
	if (dist_base === null) {
		pr_err('GICv3: %pOF: unable to map gic dist registers', node);
		return -ENXIO;
	}
	const arch = readl_relaxed(dist_base + GICD_PIDR2) & GIC_PIDR2_ARCH_MASK;
	if (arch !== GIC_PIDR2_ARCH_GICv3 && arch !== GIC_PIDR2_ARCH_GICv4) {
		pr_err('GICv3: %pOF: no distributor detected, giving up', node);
		iounmap(dist_base);
		return -ENODEV;
	}
	const rdist_base = gic_of_iomap(node, 1, 'GICR');
	if (rdist_base === null) {
		pr_err("GICv3: %pOF: couldn't map region %d", node, 0);
		iounmap(dist_base);
		return -ENODEV;
	}
	const gic = new gic_chip_data();
	gic.dist_base = dist_base;
	gic.rdist_base = rdist_base;
	gic.gic_irqs = gic_count_irqs(dist_base);
	pr_info('GICv3: %d SPIs implemented', gic.gic_irqs - 32);
	pr_info('GICv3: %d Extended SPIs implemented', 0);
	gic.domain = irq_domain_create_linear(of_fwnode_handle(node), gic.gic_irqs, gic_irq_domain_ops, gic);
	if (gic.domain === null) {
		iounmap(rdist_base);
		iounmap(dist_base);
		return -ENOMEM;
	}
	state.gic_data = gic;
	set_handle_irq(gic_handle_irq);
	gic_dist_init(gic);
	gic_cpu_init(gic);
	return 0;
}
IRQCHIP_DECLARE('gic_v3', 'arm,gic-v3', gic_of_init);
