// SPDX-License-Identifier: GPL-2.0-only
// The video engine against its driver: a job with an address nobody gave it.
//
// For use after a job, while the device streams: the tables and sizes of that job are still in the registers. The
// engine's interrupts are off; when the access is refused it stays busy until the driver resets it (stream off and on).

/** The door's half that a rogue needs. */
export interface RegisterAccess {
	mmio_read(addr: number, width: number): number;
	mmio_write(addr: number, width: number, value: number): void;
	advance(ns: number): void;
}

/** Offsets and bits: cedrus_regs.h. */
const CTRL = 0x114;
const TRIGGER = 0x118;
const STATUS = 0x11c;
const VLD_ADDR = 0x128;
const VLD_END = 0x134;
const ROT_LUMA = 0x1cc;
const IRQ_MASK = 0x38;
const VE_BUSY = 1 << 13;
const HW_JPEG_VLD = 0xe;
const WAIT_NS = 50e6;

/** Start the engine again as it is programmed; whether it got stuck. */
function run(machine: RegisterAccess, base: number): boolean {
	machine.mmio_write(base + CTRL, 4, (machine.mmio_read(base + CTRL, 4) & ~IRQ_MASK) >>> 0);
	const trigger = machine.mmio_read(base + TRIGGER, 4);
	machine.mmio_write(base + TRIGGER, 4, ((trigger & ~0xf) | HW_JPEG_VLD) >>> 0);
	machine.advance(WAIT_NS);
	return (machine.mmio_read(base + STATUS, 4) & VE_BUSY) !== 0;
}

/** Have the engine whose registers are at @base read its bitstream at DMA address @addr. True: it was stopped, and hangs. */
export function rogueRead(machine: RegisterAccess, base: number, addr: number): boolean {
	const lo = addr & 0x0fff_fff0;
	machine.mmio_write(base + VLD_ADDR, 4, (0x7000_0000 | lo | (addr >>> 28)) >>> 0);
	machine.mmio_write(base + VLD_END, 4, (addr + 0x10_0000) >>> 0);
	return run(machine, base);
}

/** Have the engine whose registers are at @base write its picture at DMA address @addr. True: it was stopped, and hangs. */
export function rogueWrite(machine: RegisterAccess, base: number, addr: number): boolean {
	machine.mmio_write(base + ROT_LUMA, 4, addr);
	return run(machine, base);
}
