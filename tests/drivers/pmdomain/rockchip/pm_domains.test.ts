// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { bus_find_device_by_name } from '#drivers/base/bus.js';
import { platform_bus_type } from '#drivers/base/platform.js';
import type { ModelFactory } from '#hw/core/model.js';
import { rockchipPmuModels } from '#hw/power/rockchip-pmu.js';
import { pm_wq } from '#kernel/power/power.js';
import type { device } from '#linux/device.js';
import { pm_runtime_get_sync, pm_runtime_put_sync } from '#linux/pm_runtime.js';
import { flush_workqueue } from '#linux/workqueue.js';
import { boardBlob, bootMachine } from '#tests/boot.js';

/** The power unit of a chip, its writes kept in @writes. */
function watchedPmu(compatible: string, writes: string[]): ModelFactory {
	return (ctx) => {
		const pmu = rockchipPmuModels[compatible]!(ctx);
		return new Proxy(pmu, {
			get(target, key) {
				if (key === 'write')
					return (offset: number, width: number, value: number) => {
						writes.push(`${offset.toString(16)}=${(value >>> 0).toString(16)}`);
						target.write(offset, width, value, 0);
					};
				const value: unknown = Reflect.get(target, key);
				return typeof value === 'function' ? value.bind(target) : value;
			},
		});
	};
}

function boot(soc: 'rk3399' | 'rk3568') {
	const writes: string[] = [];
	const compatible = `rockchip,${soc}-pmu`;
	bootMachine(`${soc}-iommus`, {
		overrides: { [compatible]: watchedPmu(compatible, writes) },
	});
	flush_workqueue(pm_wq);
	const device = (name: string): device => bus_find_device_by_name(platform_bus_type, null, name)!;
	return { writes, device };
}

describe('rockchip_pm_domains', () => {
	it('has the bus be idle before the power goes, and work after it came (RK3399: one word for all)', () => {
		const { writes, device } = boot('rk3399');
		const vpu = device('ff650000.video-codec');
		const before = writes.length;
		pm_runtime_get_sync(vpu);
		pm_runtime_put_sync(vpu);
		flush_workqueue(pm_wq);
		const bit = (text: string, at: number): number => (Number.parseInt(text.split('=')[1]!, 16) >>> at) & 1;
		const seen = writes.slice(before);
		expect(seen.map((text) => text.split('=')[0])).to.deep.equal(['14', '60', '60', '14']);
		// VCODEC: power BIT(16), request BIT(3).
		expect([bit(seen[0]!, 16), bit(seen[1]!, 3), bit(seen[2]!, 3), bit(seen[3]!, 16)]).to.deep.equal([
			0, 0, 1, 1,
		]);
	});

	it('names its bits alone (RK3568: a mask in the upper half)', () => {
		const { writes, device } = boot('rk3568');
		const vop = device('fe040000.vop');
		const before = writes.length;
		pm_runtime_get_sync(vop);
		pm_runtime_put_sync(vop);
		flush_workqueue(pm_wq);
		// VO: power BIT(7), request BIT(4).
		expect(writes.slice(before)).to.deep.equal(['a0=800000', '50=100000', '50=100010', 'a0=800080']);
	});

	it('has no domain at all when the tree names one that it does not know', () => {
		const blob = boardBlob('rk3568-iommus');
		// reg = <11>, in the node of the last domain.
		const name = Buffer.from(blob).indexOf('power-domain@11');
		const at = blob.indexOf(11, name + 16);
		blob[at] = 12;
		const { log } = bootMachine(blob);
		expect(log.join('\n')).to.match(
			/power-domain: undefined domain id 12[\s\S]*failed to handle node power-domain: -22/,
		);
		blob[at] = 99;
		expect(bootMachine(blob).log.join('\n')).to.match(/power-domain: invalid domain id 99/);
	});
});
