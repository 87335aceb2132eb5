// SPDX-License-Identifier: GPL-2.0-only
// A clock with an enable bit.
// Linux 6.12: drivers/clk/sunxi-ng/ccu_gate.c
import { clk_hw, type clk_ops } from '#linux/clk-provider.js';
import { readl, writel } from '#linux/io.js';
import { spin_lock_irqsave, spin_unlock_irqrestore, spinlock_t } from '#linux/spinlock.js';
import type { __iomem, int, u32, unsigned_long } from '#linux/types.js';

export class ccu_gate extends clk_hw {
	base: __iomem = 0;
	reg: u32 = 0;
	/** The bit, or bits. */
	enable: u32 = 0;
	lock: spinlock_t = new spinlock_t('ccu_gate.lock');
	/** The rate it was set to, where it has a divider; 0: that of its parent. */
	own_rate: unsigned_long = 0;
}

/** Clear @gate's bits of register @cg (drivers/clk/sunxi-ng/ccu_gate.c: ccu_gate_helper_disable()). */
export function ccu_gate_helper_disable(cg: ccu_gate, gate: u32): void {
	if (gate === 0) return;
	const flags = spin_lock_irqsave(cg.lock);
	writel((readl(cg.base + cg.reg) & ~gate) >>> 0, cg.base + cg.reg);
	spin_unlock_irqrestore(cg.lock, flags);
}

/** Set @gate's bits (drivers/clk/sunxi-ng/ccu_gate.c: ccu_gate_helper_enable()). */
export function ccu_gate_helper_enable(cg: ccu_gate, gate: u32): int {
	if (gate === 0) return 0;
	const flags = spin_lock_irqsave(cg.lock);
	writel((readl(cg.base + cg.reg) | gate) >>> 0, cg.base + cg.reg);
	spin_unlock_irqrestore(cg.lock, flags);
	return 0;
}

/** Whether the bits are set (drivers/clk/sunxi-ng/ccu_gate.c: ccu_gate_helper_is_enabled()). */
export function ccu_gate_helper_is_enabled(cg: ccu_gate, gate: u32): int {
	if (gate === 0) return 1;
	return (readl(cg.base + cg.reg) & gate) !== 0 ? 1 : 0;
}

export const ccu_gate_ops: clk_ops = {
	enable: (hw) => ccu_gate_helper_enable(hw as ccu_gate, (hw as ccu_gate).enable),
	disable: (hw) => ccu_gate_helper_disable(hw as ccu_gate, (hw as ccu_gate).enable),
	is_enabled: (hw) => ccu_gate_helper_is_enabled(hw as ccu_gate, (hw as ccu_gate).enable),
	recalc_rate: (hw, parent_rate) => (hw as ccu_gate).own_rate || parent_rate,
	round_rate: (hw, rate, parent_rate) => ((hw as ccu_gate).own_rate !== 0 ? rate : parent_rate.value),
	set_rate: (hw, rate) => {
		if ((hw as ccu_gate).own_rate !== 0) (hw as ccu_gate).own_rate = rate;
		return 0;
	},
};
