// SPDX-License-Identifier: GPL-2.0-only
// Registers of a device by offset, checked and locked; over MMIO only.
// Linux 6.12: drivers/base/regmap/regmap.c, drivers/base/regmap/regmap-mmio.c
//
// Left out: caches, ranges, other buses, interrupts, asynchronous writes, debugfs.
import { devm_add_action_or_reset, devm_kzalloc } from '#drivers/base/devres.js';
import { udelay } from '#linux/delay.js';
import type { device } from '#linux/device.js';
import { ERR_PTR, type err_ptr } from '#linux/err.js';
import { EINVAL, EIO, ENOMEM } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import { readb, readl, readw, writeb, writel, writew } from '#linux/io.js';
import type { reg_sequence, regmap_config } from '#linux/regmap.js';
import { kzalloc } from '#linux/slab.js';
import { spin_lock_irqsave, spin_unlock_irqrestore, spinlock_t } from '#linux/spinlock.js';
import { type __iomem, type bool, type int, ref, type size_t, type unsigned_int } from '#linux/types.js';

export class regmap {
	dev: device | null = null;
	regs: __iomem = 0;
	val_bytes: int = 4;
	reg_stride: int = 1;
	max_register: unsigned_int = 0;
	lock: spinlock_t = new spinlock_t('regmap.lock');
}

/** A map of registers at @regs that ends with nobody (include/linux/regmap.h: regmap_init_mmio()). */
export function regmap_init_mmio(dev: device | null, regs: __iomem, config: regmap_config): regmap | err_ptr {
	if (config.val_bits !== 8 && config.val_bits !== 16 && config.val_bits !== 32) return ERR_PTR(-EINVAL);
	const map = kzalloc(regmap, GFP_KERNEL);
	if (map === null) return ERR_PTR(-ENOMEM);
	regmap_set(map, dev, regs, config);
	return map;
}

function regmap_set(map: regmap, dev: device | null, regs: __iomem, config: regmap_config): void {
	map.dev = dev;
	map.regs = regs;
	map.val_bytes = config.val_bits / 8;
	map.reg_stride = config.reg_stride ?? 1;
	map.max_register = config.max_register ?? 0;
}

/** A map of @dev's registers at @regs; ends with @dev's binding (include/linux/regmap.h: devm_regmap_init_mmio()). */
export function devm_regmap_init_mmio(dev: device, regs: __iomem, config: regmap_config): regmap | err_ptr {
	if (config.val_bits !== 8 && config.val_bits !== 16 && config.val_bits !== 32) return ERR_PTR(-EINVAL);
	const map = devm_kzalloc(dev, regmap, GFP_KERNEL);
	if (map === null) return ERR_PTR(-ENOMEM);
	regmap_set(map, dev, regs, config);
	const ret = devm_add_action_or_reset(dev, regmap_exit, map);
	return ret !== 0 ? ERR_PTR(ret) : map;
}

function regmap_exit(map: regmap): void {
	map.dev = null;
}

function in_range(map: regmap, reg: unsigned_int): bool {
	return map.max_register === 0 || reg <= map.max_register;
}

function _regmap_read(map: regmap, reg: unsigned_int): unsigned_int {
	const addr = map.regs + reg;
	return map.val_bytes === 1 ? readb(addr) : map.val_bytes === 2 ? readw(addr) : readl(addr);
}

function _regmap_write(map: regmap, reg: unsigned_int, val: unsigned_int): void {
	const addr = map.regs + reg;
	if (map.val_bytes === 1) writeb(val, addr);
	else if (map.val_bytes === 2) writew(val, addr);
	else writel(val, addr);
}

/** Read a register: 0, -EINVAL when unaligned, -EIO behind the last (drivers/base/regmap/regmap.c: regmap_read()). */
export function regmap_read(map: regmap, reg: unsigned_int, val: ref<unsigned_int>): int {
	if (reg % map.reg_stride !== 0) return -EINVAL;
	if (!in_range(map, reg)) return -EIO;
	const flags = spin_lock_irqsave(map.lock);
	val.value = _regmap_read(map, reg);
	spin_unlock_irqrestore(map.lock, flags);
	return 0;
}

/** Write a register; errors as regmap_read() (drivers/base/regmap/regmap.c: regmap_write()). */
export function regmap_write(map: regmap, reg: unsigned_int, val: unsigned_int): int {
	if (reg % map.reg_stride !== 0) return -EINVAL;
	if (!in_range(map, reg)) return -EIO;
	const flags = spin_lock_irqsave(map.lock);
	_regmap_write(map, reg, val >>> 0);
	spin_unlock_irqrestore(map.lock, flags);
	return 0;
}

/**
 * Give the bits of @mask the values in @val; no write when they have them
 * (drivers/base/regmap/regmap.c: regmap_update_bits_base()).
 */
export function regmap_update_bits_base(
	map: regmap,
	reg: unsigned_int,
	mask: unsigned_int,
	val: unsigned_int,
	change: ref<bool> | null,
	force: bool,
): int {
	if (reg % map.reg_stride !== 0) return -EINVAL;
	if (!in_range(map, reg)) return -EIO;
	const flags = spin_lock_irqsave(map.lock);
	const orig = _regmap_read(map, reg);
	const tmp = ((orig & ~mask) | (val & mask)) >>> 0;
	if (force || tmp !== orig) _regmap_write(map, reg, tmp);
	spin_unlock_irqrestore(map.lock, flags);
	if (change !== null) change.value = tmp !== orig;
	return 0;
}

/**
 * Change the bits of @mask to those of @val; 0 or an errno, and no write when nothing changes
 * (include/linux/regmap.h: regmap_update_bits()).
 */
export function regmap_update_bits(
	map: regmap,
	reg: unsigned_int,
	mask: unsigned_int,
	val: unsigned_int,
): int {
	return regmap_update_bits_base(map, reg, mask, val, null, false);
}

/** regmap_update_bits() that always writes (include/linux/regmap.h: regmap_write_bits()). */
export function regmap_write_bits(
	map: regmap,
	reg: unsigned_int,
	mask: unsigned_int,
	val: unsigned_int,
): int {
	return regmap_update_bits_base(map, reg, mask, val, null, true);
}

/** Set @bits of a register (include/linux/regmap.h: regmap_set_bits()). */
export function regmap_set_bits(map: regmap, reg: unsigned_int, bits: unsigned_int): int {
	return regmap_update_bits(map, reg, bits, bits);
}

/** Clear @bits of a register (include/linux/regmap.h: regmap_clear_bits()). */
export function regmap_clear_bits(map: regmap, reg: unsigned_int, bits: unsigned_int): int {
	return regmap_update_bits(map, reg, bits, 0);
}

/** 1 when all of @bits are set, 0 when not, or a negative errno (drivers/base/regmap/regmap.c: regmap_test_bits()). */
export function regmap_test_bits(map: regmap, reg: unsigned_int, bits: unsigned_int): int {
	const val = new ref<unsigned_int>(0);
	const ret = regmap_read(map, reg, val);
	return ret !== 0 ? ret : (val.value & bits) >>> 0 === bits >>> 0 ? 1 : 0;
}

/** @val_count values to consecutive registers (drivers/base/regmap/regmap.c: regmap_bulk_write()). */
export function regmap_bulk_write(
	map: regmap,
	reg: unsigned_int,
	val: ArrayLike<unsigned_int>,
	val_count: size_t,
): int {
	if (reg % map.reg_stride !== 0) return -EINVAL;
	for (let i = 0; i < val_count; i++) {
		const ret = regmap_write(map, reg + i * Math.max(map.reg_stride, map.val_bytes), val[i]);
		if (ret !== 0) return ret;
	}
	return 0;
}

/** @val_count values from consecutive registers (drivers/base/regmap/regmap.c: regmap_bulk_read()). */
export function regmap_bulk_read(
	map: regmap,
	reg: unsigned_int,
	val: { [index: number]: unsigned_int },
	val_count: size_t,
): int {
	if (reg % map.reg_stride !== 0) return -EINVAL;
	const out = new ref<unsigned_int>(0);
	for (let i = 0; i < val_count; i++) {
		const ret = regmap_read(map, reg + i * Math.max(map.reg_stride, map.val_bytes), out);
		if (ret !== 0) return ret;
		val[i] = out.value;
	}
	return 0;
}

/** A list of writes, each with its delay (drivers/base/regmap/regmap.c: regmap_multi_reg_write()). */
export function regmap_multi_reg_write(map: regmap, regs: readonly reg_sequence[], num_regs: int): int {
	for (let i = 0; i < num_regs; i++) {
		const ret = regmap_write(map, regs[i].reg, regs[i].def);
		if (ret !== 0) return ret;
		if (regs[i].delay_us !== undefined) udelay(regs[i].delay_us as number);
	}
	return 0;
}
