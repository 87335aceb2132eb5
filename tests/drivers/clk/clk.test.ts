// SPDX-License-Identifier: GPL-2.0-only
// Clocks: counts, gates at their registers, errors.
import { expect } from 'chai';
import {
	type clk,
	clk_disable,
	clk_disable_unprepare,
	clk_enable,
	clk_get_rate,
	clk_prepare,
	clk_prepare_enable,
	clk_put,
	clk_set_rate,
	clk_unprepare,
	of_clk_get,
	of_clk_get_by_name,
} from '#drivers/clk/clk.js';
import { of_find_node_by_path } from '#drivers/of/base.js';
import { withMemory } from '#hw/core/fdt.js';
import type { Machine } from '#hw/core/machine.js';
import { IS_ERR, PTR_ERR } from '#linux/err.js';
import { ENOENT, EPROBE_DEFER, ESHUTDOWN } from '#linux/errno.js';
import { boardBlob, bootMachine } from '#tests/boot.js';
import { expectWarning } from '#tests/setup.js';

/** CCU base and gate registers: Linux, drivers/clk/sunxi-ng/ccu-sun50i-h6.c. */
const CCU = 0x3001000;
const VE_BUS_GATING = CCU + 0x69c;

function boot(): Machine {
	return bootMachine(
		withMemory(boardBlob('sun50i-h6-orangepi-3'), [{ base: 0x4000_0000, size: 0x1000_0000 }]),
	).machine;
}

function get(path: string, name: string): clk {
	const c = of_clk_get_by_name(of_find_node_by_path(path), name);
	if (IS_ERR(c)) throw new Error(`clock ${name}: ${PTR_ERR(c)}`);
	return c;
}

describe('clk', () => {
	it('sets the gate with the first enable and clears it with the last disable', () => {
		const machine = boot();
		const gate = (): number => machine.mmio_read(VE_BUS_GATING, 4) & 1;
		const a = get('/soc/video-codec@1c0e000', 'ahb');
		const b = get('/soc/video-codec@1c0e000', 'ahb');
		const before = gate();
		expect(before).to.equal(0);
		expect(clk_prepare_enable(a)).to.equal(0);
		expect(clk_prepare_enable(b)).to.equal(0);
		expect(gate()).to.equal(1);
		clk_disable_unprepare(a);
		expect(gate()).to.equal(1);
		clk_disable_unprepare(b);
		expect(gate()).to.equal(0);
		clk_put(a);
		clk_put(b);
	});

	it('refuses to enable what is not prepared', () => {
		boot();
		const c = get('/soc/video-codec@1c0e000', 'mod');
		expectWarning(/Enabling unprepared ve/);
		expect(clk_enable(c)).to.equal(-ESHUTDOWN);
		clk_put(c);
	});

	it('warns of one disable too many', () => {
		boot();
		const c = get('/soc/video-codec@1c0e000', 'mod');
		expectWarning(/ve already disabled/);
		expectWarning(/ve already unprepared/);
		clk_disable(c);
		clk_unprepare(c);
		clk_put(c);
	});

	it('warns of unpreparing what is still enabled', () => {
		boot();
		const c = get('/soc/video-codec@1c0e000', 'mod');
		clk_prepare(c);
		clk_enable(c);
		// Its parent is prepared for it alone, so that is unprepared while enabled as well.
		expectWarning(/Unpreparing enabled ve/);
		expectWarning(/Unpreparing enabled pll-ve/);
		clk_unprepare(c);
		clk_put(c);
	});

	it('does nothing, well, with an absent optional clock', () => {
		boot();
		expect([clk_prepare_enable(null), clk_get_rate(null), clk_set_rate(null, 5)]).to.deep.equal([0, 0, 0]);
		clk_disable_unprepare(null);
		clk_put(null);
	});

	it('has a rate for each, and sets it where there is a divider', () => {
		boot();
		const mod = get('/soc/video-codec@1c0e000', 'mod');
		const ahb = get('/soc/video-codec@1c0e000', 'ahb');
		expect(clk_set_rate(mod, 600000000)).to.equal(0);
		expect(clk_get_rate(mod)).to.equal(600000000);
		expect(clk_get_rate(ahb)).to.be.greaterThan(0);
		clk_put(mod);
		clk_put(ahb);
	});

	it('says -ENOENT for a name that is not there and -EPROBE_DEFER for a provider that is not there yet', () => {
		boot();
		const ve = of_find_node_by_path('/soc/video-codec@1c0e000');
		expect(PTR_ERR(of_clk_get_by_name(ve, 'nothing'))).to.equal(-ENOENT);
		expect(PTR_ERR(of_clk_get(ve, 3))).to.equal(-ENOENT);
		// The rtc gives the clock unit its slow clocks, and has no driver here.
		expect(PTR_ERR(of_clk_get(of_find_node_by_path('/soc/clock@3001000'), 1))).to.equal(-EPROBE_DEFER);
	});
});
