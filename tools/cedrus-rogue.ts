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
const STRIDE = 0xc8;
const CTRL = 0x114;
const TRIGGER = 0x118;
const STATUS = 0x11c;
const VLD_ADDR = 0x128;
const VLD_OFFSET = 0x12c;
const VLD_LEN = 0x130;
const VLD_END = 0x134;
const JPEG_SIZE = 0x1b8;
const ROT_LUMA = 0x1cc;
const ROT_CHROMA = 0x1d0;
const IRQ_MASK = 0x38;
const VE_BUSY = 1 << 13;
const HW_JPEG_VLD = 0xe;
const WAIT_NS = 50e6;

/** The widest row of a picture of one MCU, in bytes, and the most that its luma takes. */
const ROW = 16;
const LUMA = ROW * 16;

/**
 * Start the engine again as it is programmed, but for @registers (offset, value), which have their old values again when
 * it is done. Whether it got stuck.
 */
function run(
	machine: RegisterAccess,
	base: number,
	registers: readonly (readonly [number, number])[],
): boolean {
	const before = registers.map(([offset]) => [offset, machine.mmio_read(base + offset, 4)] as const);
	const set = (values: typeof registers): void => {
		for (const [offset, value] of values) machine.mmio_write(base + offset, 4, value >>> 0);
	};
	set([...registers, [CTRL, machine.mmio_read(base + CTRL, 4) & ~IRQ_MASK]]);
	const trigger = machine.mmio_read(base + TRIGGER, 4);
	set([[TRIGGER, (trigger & ~0xf) | HW_JPEG_VLD]]);
	machine.advance(WAIT_NS);
	const status = machine.mmio_read(base + STATUS, 4);
	const stuck = (status & VE_BUSY) !== 0;
	// What it says of this job (write 1 to clear) is not for the driver's next one.
	if (!stuck) set([...before, [STATUS, status]]);
	return stuck;
}

/**
 * Have the engine whose registers are at @base read @bytes at DMA address @addr (16-byte aligned) for its bitstream.
 * True: it was stopped, and hangs.
 */
export function rogueRead(machine: RegisterAccess, base: number, addr: number, bytes = 64): boolean {
	const lo = addr & 0x0fff_fff0;
	return run(machine, base, [
		[VLD_ADDR, 0x7000_0000 | lo | (addr >>> 28)],
		[VLD_OFFSET, 0],
		[VLD_LEN, bytes * 8],
		[VLD_END, addr + bytes],
	]);
}

/**
 * Have the engine whose registers are at @base write the first MCU of its picture, 512 bytes at most, to DMA address
 * @addr. True: it was stopped, and hangs.
 */
export function rogueWrite(machine: RegisterAccess, base: number, addr: number): boolean {
	return run(machine, base, [
		[JPEG_SIZE, 0],
		[STRIDE, ((ROW / 2) << 16) | ROW],
		[ROT_LUMA, addr],
		[ROT_CHROMA, addr + LUMA],
	]);
}
