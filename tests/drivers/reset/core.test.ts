// SPDX-License-Identifier: GPL-2.0-only
// Reset lines: register bits, sharing, errors; the golden board's controller.
import { expect } from 'chai';
import { device_initialize } from '#drivers/base/core.js';
import { devres_release_all } from '#drivers/base/devres.js';
import { of_find_node_by_path } from '#drivers/of/base.js';
import {
	__devm_reset_control_get,
	__of_reset_control_get,
	RESET_CONTROL_EXCLUSIVE,
	RESET_CONTROL_EXCLUSIVE_DEASSERTED,
	RESET_CONTROL_EXCLUSIVE_RELEASED,
	RESET_CONTROL_OPTIONAL_EXCLUSIVE,
	RESET_CONTROL_SHARED,
	type reset_control,
	reset_control_assert,
	reset_control_deassert,
	reset_control_put,
	reset_control_reset,
	reset_control_status,
} from '#drivers/reset/core.js';
import { fdtSource, parseFdt, withMemory, writeFdt } from '#hw/core/fdt.js';
import type { Machine } from '#hw/core/machine.js';
import { device } from '#linux/device.js';
import { IS_ERR, PTR_ERR } from '#linux/err.js';
import { EBUSY, EINVAL, ENOENT, ENOTSUPP, EPERM } from '#linux/errno.js';
import { boardBlob, bootMachine } from '#tests/boot.js';
import { expectWarning } from '#tests/setup.js';

/** RST_BUS_HDMI is bit 16, RST_BUS_HDMI_SUB bit 17 of 0xb1c (drivers/clk/sunxi-ng/ccu-sun50i-h6.c). */
const HDMI_RESET = 0x3001000 + 0xb1c;
/** No driver has it; RST_BUS_UART0 is bit 16 of 0x90c. */
const UART = '/soc/serial@5000000';
const UART_RESET = 0x3001000 + 0x90c;

function boot(): Machine {
	return bootMachine(
		withMemory(boardBlob('sun50i-h6-orangepi-3-noiommu'), [{ base: 0x4000_0000, size: 0x1000_0000 }]),
	).machine;
}

function get(path: string, index: number, flags: number): reset_control {
	const rstc = __of_reset_control_get(of_find_node_by_path(path), null, index, flags);
	if (rstc === null || IS_ERR(rstc)) throw new Error(`reset: ${PTR_ERR(rstc)}`);
	return rstc;
}

describe('reset_core', () => {
	it('sets the bit to release a line and clears it to assert it', () => {
		const machine = boot();
		const rstc = get('/soc/hdmi-phy@6010000', 0, RESET_CONTROL_EXCLUSIVE);
		expect(reset_control_deassert(rstc)).to.equal(0);
		expect(machine.mmio_read(HDMI_RESET, 4) & 0x10000).to.equal(0x10000);
		expect(reset_control_status(rstc)).to.equal(0);
		expect(reset_control_assert(rstc)).to.equal(0);
		expect(machine.mmio_read(HDMI_RESET, 4) & 0x10000).to.equal(0);
		expect(reset_control_status(rstc)).to.equal(1);
		expect(reset_control_reset(rstc)).to.equal(0);
		expect(reset_control_status(rstc)).to.equal(0);
		reset_control_put(rstc);
	});

	it('keeps a shared line released until its last user asserts it', () => {
		const machine = boot();
		const bit = (): number => (machine.mmio_read(UART_RESET, 4) >>> 16) & 1;
		const a = get(UART, 0, RESET_CONTROL_SHARED);
		const b = get(UART, 0, RESET_CONTROL_SHARED);
		expect(a).to.equal(b);
		reset_control_deassert(a);
		reset_control_deassert(b);
		reset_control_assert(a);
		expect(bit()).to.equal(1);
		reset_control_assert(b);
		expect(bit()).to.equal(0);
		expectWarning(/./);
		expect(reset_control_assert(b)).to.equal(-EINVAL);
		reset_control_put(a);
		reset_control_put(b);
	});

	it('refuses to move a line that was asked for released', () => {
		boot();
		const rstc = get('/soc/hdmi-phy@6010000', 0, RESET_CONTROL_EXCLUSIVE_RELEASED);
		expectWarning(/is not acquired/);
		expectWarning(/is not acquired/);
		expect(reset_control_deassert(rstc)).to.equal(-EPERM);
		expect(reset_control_assert(rstc)).to.equal(-EPERM);
		reset_control_put(rstc);
	});

	it('releases a managed line at once when asked to, and asserts it as the device goes', () => {
		const machine = boot();
		const dev = new device();
		device_initialize(dev);
		dev.of_node = of_find_node_by_path('/soc/hdmi-phy@6010000');
		const rstc = __devm_reset_control_get(dev, null, 0, RESET_CONTROL_EXCLUSIVE_DEASSERTED);
		expect(IS_ERR(rstc)).to.equal(false);
		expect(machine.mmio_read(HDMI_RESET, 4) & 0x10000).to.equal(0x10000);
		devres_release_all(dev);
		expect(machine.mmio_read(HDMI_RESET, 4) & 0x10000).to.equal(0);
	});

	it('gives an exclusive line to one user only', () => {
		boot();
		const a = get(UART, 0, RESET_CONTROL_EXCLUSIVE);
		expectWarning(/./);
		const b = __of_reset_control_get(of_find_node_by_path(UART), null, 0, RESET_CONTROL_EXCLUSIVE);
		expect(PTR_ERR(b)).to.equal(-EBUSY);
		reset_control_put(a);
		const c = get(UART, 0, RESET_CONTROL_EXCLUSIVE);
		reset_control_put(c);
	});

	it('answers null for an optional line that is not there and -ENOENT for one that must be', () => {
		boot();
		const rtc = of_find_node_by_path('/soc/rtc@7000000');
		expect(__of_reset_control_get(rtc, null, 0, RESET_CONTROL_OPTIONAL_EXCLUSIVE)).to.equal(null);
		expect(PTR_ERR(__of_reset_control_get(rtc, null, 0, RESET_CONTROL_EXCLUSIVE))).to.equal(-ENOENT);
		expect(reset_control_deassert(null)).to.equal(0);
	});
});

describe('reset_simple', () => {
	it('reads, changes one bit and writes: with snps,dw-low-reset a released line is a set bit', () => {
		const fdt = parseFdt(boardBlob('main'));
		const controller = fdt.node('/reset-controller@ffc90000')!;
		const root = fdtSource(fdt.root);
		const resets = new Uint8Array(8);
		new DataView(resets.buffer).setUint32(0, controller.phandle);
		new DataView(resets.buffer).setUint32(4, 33);
		root.children.push({ name: 'user', props: new Map([['resets', resets]]), children: [] });
		const { machine } = bootMachine(writeFdt(root, fdt.reserved));
		const rstc = get('/user', 0, RESET_CONTROL_EXCLUSIVE);
		// Line 33 is bit 1 of the second register.
		const register = (): number => machine.mmio_read(0xffc90004, 4);
		machine.mmio_write(0xffc90004, 4, 0x80);
		expect(reset_control_deassert(rstc)).to.equal(0);
		expect(register()).to.equal(0x82);
		expect(reset_control_status(rstc)).to.equal(0);
		expect(reset_control_assert(rstc)).to.equal(0);
		expect(register()).to.equal(0x80);
		expect(reset_control_status(rstc)).to.equal(1);
		expect(reset_control_reset(rstc)).to.equal(-ENOTSUPP);
		reset_control_put(rstc);
	});
});
