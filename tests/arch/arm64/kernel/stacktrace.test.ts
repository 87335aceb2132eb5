// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { unwind_frame } from '#arch/arm64/kernel/stacktrace.js';
import { platform_device_register_simple } from '#drivers/base/platform.js';
import { dma_unmap_page_attrs } from '#kernel/dma/mapping.js';
import { panic } from '#kernel/panic.js';
import { kmsg_dump_get_lines } from '#kernel/printk/printk.js';
import { dump_stack } from '#lib/dump_stack.js';
import { BUG, kernel_bug, WARN } from '#linux/bug.js';
import { DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { IS_ERR } from '#linux/err.js';
import { platform_driver, platform_driver_register } from '#linux/platform_device.js';
import { Board } from '#tests/kernel/dma/board.js';
import { expectFinding, expectWarning } from '#tests/setup.js';

/** What was logged since @from, without times. */
function logged(from: RegExp): string[] {
	const lines = kmsg_dump_get_lines().map((line) => line.slice(15));
	return lines.slice(lines.findIndex((line) => from.test(line)));
}

/** The functions of a trace's lines. */
const functions = (lines: string[]): string[] =>
	lines.filter((line) => /^ \w+ \(/.test(line)).map((line) => line.slice(1).replace(/ .*/, ''));

/** Have a driver's probe call @what. */
function probing(what: () => void): void {
	platform_driver_register(
		new platform_driver({
			probe: () => {
				what();
				return 0;
			},
			driver: { name: 'traced' },
		}),
	);
	expect(IS_ERR(platform_device_register_simple('traced', 0, null, 0))).to.equal(false);
}

describe('stacktrace', () => {
	let board: Board;
	beforeEach(() => {
		board = new Board('main');
	});

	it('prints a WARN with the place, the task, the hardware and the kernel functions, in the order of arm64', () => {
		expectWarning(/^WARNING: at drivers\/iommu\/dma-iommu/);
		expectFinding(/never-mapped in dma_unmap_page/);
		expectWarning(/DMA-API: test-masters m0: device driver tries to free DMA memory it has not allocated/);
		dma_unmap_page_attrs(board.device('m0'), 0x1000, 4096, DMA_TO_DEVICE, 0);
		const lines = logged(/cut here/);
		const place = String.raw`\(drivers/iommu/dma-iommu\.[jt]s:\d+\)`;
		expect(lines[0]).to.equal('------------[ cut here ]------------');
		expect(lines[1]).to.match(
			/^WARNING: CPU: 0 PID: 0 at drivers\/iommu\/dma-iommu\.[jt]s:\d+ iommu_dma_unmap_page$/,
		);
		expect(lines[2]).to.equal('CPU: 0 UID: 0 PID: 0 Comm: swapper/0 Not tainted 6.12.117 (TypeScript)');
		expect(lines[3]).to.match(/^Hardware name: .+ \(DT\)$/);
		expect(lines[4]).to.equal('Call trace:');
		expect(lines[5]).to.match(new RegExp(`^ iommu_dma_unmap_page ${place}$`));
		expect(lines[6]).to.match(/^ dma_unmap_page_attrs \(kernel\/dma\/mapping\.[jt]s:\d+\)$/);
		expect(lines[7]).to.equal('---[ end trace 0000000000000000 ]---');
	});

	it("puts dma-debug's report where the check is, with driver and device, and says that the kernel is tainted", () => {
		expectWarning(/^WARNING: at drivers\/iommu\/dma-iommu/);
		expectFinding(/never-mapped in dma_unmap_page/);
		expectWarning(/tries to free DMA memory/);
		dma_unmap_page_attrs(board.device('m0'), 0x1000, 4096, DMA_TO_DEVICE, 0);
		const lines = logged(/^DMA-API: test-masters m0: /);
		expect(lines[1]).to.match(/^WARNING: CPU: 0 PID: 0 at kernel\/dma\/debug\.[jt]s:\d+ check_unmap$/);
		expect(lines[2]).to.contain(' Tainted: G        W          6.12.117');
		expect(lines[3]).to.equal('Tainted: [W]=WARN');
		expect(functions(lines)).to.deep.equal(['check_unmap', 'debug_dma_unmap_page', 'dma_unmap_page_attrs']);
	});

	it('leaves out who called the kernel, and what is no part of it', () => {
		expectWarning(/^in the probe of 1$/);
		probing(() => WARN(true, 'in the probe of %d', 1));
		const lines = logged(/^in the probe/);
		expect(functions(lines)[0]).to.equal('platform_probe');
		expect(functions(lines).at(-1)).to.equal('platform_device_register_simple');
		expect(functions(lines)).to.include.members(['really_probe', 'bus_for_each_drv', 'device_add']);
		for (const line of lines.slice(lines.indexOf('Call trace:') + 1, -1))
			expect(line).to.match(/^ [a-z_]\w* \((drivers|include|kernel|lib)\/[\w/.-]+\.[jt]s:\d+\)$/);
		expect(lines.at(-1)).to.match(/^---\[ end trace/);
	});

	it('traces a BUG, and does not trace the panic that follows it', () => {
		expectWarning(/^kernel BUG at/);
		expectWarning(/^Kernel panic/);
		expect(() => probing(() => BUG())).to.throw(kernel_bug);
		expect(functions(logged(/^kernel BUG at/))).to.include('platform_probe');
		expect(logged(/^kernel BUG at/).at(-1)).to.match(/^---\[ end trace/);
		expect(() => panic('it is over')).to.throw(kernel_bug);
		expect(logged(/^Kernel panic/)).to.not.include('Call trace:');
	});

	it('traces a panic', () => {
		expectWarning(/^Kernel panic/);
		expect(() => probing(() => panic('at once'))).to.throw(kernel_bug);
		expect(functions(logged(/^Kernel panic/))).to.include('platform_probe');
	});

	it('is what dump_stack() logs', () => {
		probing(() => dump_stack());
		const lines = logged(/^CPU: 0 UID/);
		expect(lines[1]).to.match(/^Hardware name: /);
		expect(functions(lines).slice(0, 3)).to.deep.equal(['dump_stack_lvl', 'dump_stack', 'platform_probe']);
	});

	it("reads the engines' ways to write a frame", () => {
		const cases: [string, string | null, string, string][] = [
			['    at iommu_map (file:///p/iommu.js:12:3)', 'iommu_map', '/p/iommu.js', '12'],
			['    at Object.probe [as attach] (/p/x y.ts:1:2)', 'probe', '/p/x y.ts', '1'],
			['    at new thing (/p/t.ts:7:8)', 'thing', '/p/t.ts', '7'],
			['    at /p/t.ts:7:8', null, '/p/t.ts', '7'],
			['    at Context.<anonymous> (/p/t.ts:7:8)', null, '/p/t.ts', '7'],
			['    at node:internal/main:1:2', null, 'node:internal/main', '1'],
			['iommu_map@http://h/iommu.js:12:3', 'iommu_map', 'http://h/iommu.js', '12'],
			['@http://h/iommu.js:12:3', null, 'http://h/iommu.js', '12'],
		];
		for (const [text, func, file, line] of cases)
			expect(unwind_frame(text), text).to.include({ func, file, line });
		expect(unwind_frame('Error: at last')).to.equal(null);
	});
});
