// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import type { component_match } from '#drivers/base/component.js';
import {
	component_add,
	component_bind_all,
	component_compare_dev,
	component_del,
	component_master_add_with_match,
	component_master_del,
	component_match_add,
	component_unbind_all,
} from '#drivers/base/component.js';
import type { device } from '#linux/device.js';
import type { err_ptr } from '#linux/err.js';
import { EIO } from '#linux/errno.js';
import { ref } from '#linux/types.js';
import { addDevice, bootDriverCore, ok } from '#tests/drivers/base/boot.js';

describe('drivers_base_component', () => {
	it('binds when the last component comes, in the order of the match, and unbinds backwards', () => {
		bootDriverCore();
		const log: string[] = [];
		const [m, a, b] = ['m', 'a', 'b'].map((n) => addDevice(n, null)) as [device, device, device];
		const master = {
			bind: (dev: device): number => ok(log.push('bind')) + component_bind_all(dev, 1),
			unbind: (dev: device): void => {
				log.push('unbind');
				component_unbind_all(dev, 1);
			},
		};
		const part = (n: string) => ({
			bind: () => ok(log.push(`bind ${n}`)),
			unbind: () => void log.push(`unbind ${n}`),
		});
		const match = new ref<component_match | null | err_ptr>(null);
		component_match_add(m, match, component_compare_dev, a);
		component_match_add(m, match, component_compare_dev, b);
		expect(component_master_add_with_match(m, master, match.value)).to.equal(0);
		const ops_a = part('a');
		expect(component_add(b, part('b'))).to.equal(0);
		expect(log).to.deep.equal([]);
		expect(component_add(a, ops_a)).to.equal(0);
		expect(log).to.deep.equal(['bind', 'bind a', 'bind b']);
		component_del(a, ops_a);
		expect(log.slice(3)).to.deep.equal(['unbind', 'unbind b', 'unbind a']);
		component_master_del(m, master);
	});

	it('unbinds what was bound when one fails', () => {
		bootDriverCore();
		const log: string[] = [];
		const [m, a, b] = ['m', 'a', 'b'].map((n) => addDevice(n, null)) as [device, device, device];
		const match = new ref<component_match | null | err_ptr>(null);
		component_match_add(m, match, component_compare_dev, a);
		component_match_add(m, match, component_compare_dev, b);
		component_add(a, { bind: () => 0, unbind: () => void log.push('unbind a') });
		component_add(b, { bind: () => -EIO });
		const ret = component_master_add_with_match(
			m,
			{ bind: (dev) => component_bind_all(dev, null), unbind: () => {} },
			match.value,
		);
		expect(ret).to.equal(-EIO);
		expect(log).to.deep.equal(['unbind a']);
	});
});
