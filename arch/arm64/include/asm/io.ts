// SPDX-License-Identifier: GPL-2.0-only
// Register access: each goes through the machine, in program order.
// Linux 6.12: arch/arm64/include/asm/io.h, include/asm-generic/io.h, arch/arm64/mm/ioremap.c
//
// An I/O address is the CPU physical address of the register: the mapping has no cost and no size of its own.
// Each access is a scheduling point before it happens (INVARIANTS.md, "Scheduling points").
// Left out: the barriers (the model is in order), string I/O by other widths than bytes and words.
import { machine, schedule_point } from '#arch/arm64/kernel/setup.js';
import { WARN_ON } from '#linux/bug.js';
import type { __iomem, int, phys_addr_t, size_t, u8, u16, u32, u64 } from '#linux/types.js';
import { memblock_is_map_memory } from '#mm/memblock.js';

/** One past the last address of a 48-bit physical address space. */
const PHYS_LIMIT = 0x1_0000_0000_0000;

function read(addr: __iomem, width: int): u64 {
	schedule_point('mmio', addr);
	return machine.mmio_read(addr, width);
}

function write(addr: __iomem, width: int, value: u64): void {
	schedule_point('mmio', addr);
	machine.mmio_write(addr, width, value);
}

/** Load a byte from a device register (include/asm-generic/io.h: readb()). */
export function readb(addr: __iomem): u8 {
	return read(addr, 1) & 0xff;
}

/** Load 16 bits from a device register (include/asm-generic/io.h: readw()). */
export function readw(addr: __iomem): u16 {
	return read(addr, 2) & 0xffff;
}

/** Load 32 bits from a device register (include/asm-generic/io.h: readl()). */
export function readl(addr: __iomem): u32 {
	return read(addr, 4) >>> 0;
}

/** Load 64 bits from a device register (include/asm-generic/io.h: readq()). */
export function readq(addr: __iomem): u64 {
	return read(addr, 8);
}

/** Store a byte to a device register (include/asm-generic/io.h: writeb()). */
export function writeb(value: u8, addr: __iomem): void {
	write(addr, 1, value & 0xff);
}

/** Store 16 bits to a device register (include/asm-generic/io.h: writew()). */
export function writew(value: u16, addr: __iomem): void {
	write(addr, 2, value & 0xffff);
}

/** Store 32 bits to a device register (include/asm-generic/io.h: writel()). */
export function writel(value: u32, addr: __iomem): void {
	// What is too large is the machine's to cut, as a register's would be; C has done it by now.
	write(addr, 4, value < 0 ? value >>> 0 : value);
}

/** Store 64 bits to a device register (include/asm-generic/io.h: writeq()). */
export function writeq(value: u64, addr: __iomem): void {
	write(addr, 8, value);
}

// Raw accesses differ in byte order only, and CPU and registers are little endian both.
export const __raw_readl = readl;
export const __raw_writel = writel;

// Relaxed accesses differ in barriers only, and this machine is in order.
export const readb_relaxed = readb;
export const readw_relaxed = readw;
export const readl_relaxed = readl;
export const readq_relaxed = readq;
export const writeb_relaxed = writeb;
export const writew_relaxed = writew;
export const writel_relaxed = writel;
export const writeq_relaxed = writeq;

/** Copy @count bytes from device registers to @to (include/asm-generic/io.h: memcpy_fromio()). */
export function memcpy_fromio(to: Uint8Array, from: __iomem, count: size_t): void {
	for (let i = 0; i < count; i++) to[i] = readb(from + i);
}

/** Copy @count bytes from @from to device registers (include/asm-generic/io.h: memcpy_toio()). */
export function memcpy_toio(to: __iomem, from: Uint8Array, count: size_t): void {
	for (let i = 0; i < count; i++) writeb(from[i]!, to + i);
}

/** Fill @count bytes of device registers (include/asm-generic/io.h: memset_io()). */
export function memset_io(addr: __iomem, value: u8, count: size_t): void {
	for (let i = 0; i < count; i++) writeb(value, addr + i);
}

/**
 * Map device registers (arch/arm64/include/asm/io.h: ioremap()).
 *
 * Returns an I/O address; null for a size of 0, a range that wraps, or ordinary RAM.
 */
export function ioremap(phys_addr: phys_addr_t, size: size_t): __iomem | null {
	const last_addr = phys_addr + size - 1;
	if (size === 0 || last_addr < phys_addr || last_addr >= PHYS_LIMIT) return null;
	// Cacheable and uncached views of one page must not mix.
	if (WARN_ON(memblock_is_map_memory(phys_addr))) return null;
	return phys_addr as u64;
}

export const ioremap_wc = ioremap;
export const ioremap_np = ioremap;

/** End a mapping (include/asm-generic/io.h: iounmap()). */
export function iounmap(_addr: __iomem | null): void {}
