// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { device_unregister } from '#drivers/base/core.js';
import {
	devm_add_action,
	devm_add_action_or_reset,
	devm_remove_action,
	devres_add,
	devres_alloc,
	devres_close_group,
	devres_destroy,
	devres_find,
	devres_open_group,
	devres_release,
	devres_release_all,
	devres_release_group,
} from '#drivers/base/devres.js';
import { ENOENT } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import { addDevice, bootDriverCore } from '#tests/drivers/base/boot.js';

class thing {
	n = 0;
}

describe('drivers_base_devres', () => {
	it('releases in the reverse order, each once', () => {
		bootDriverCore();
		const log: number[] = [];
		const dev = addDevice('d', null);
		for (const n of [1, 2, 3]) devm_add_action(dev, (x) => log.push(x), n);
		expect(devres_release_all(dev)).to.equal(3);
		expect(log).to.deep.equal([3, 2, 1]);
		device_unregister(dev);
		expect(log.length).to.equal(3);
	});

	it('finds, releases and destroys one resource', () => {
		bootDriverCore();
		const log: number[] = [];
		const dev = addDevice('d', null);
		const release = (_d: unknown, res: unknown): void => void log.push((res as thing).n);
		for (const n of [1, 2, 3]) {
			const t = devres_alloc(release, thing, GFP_KERNEL)!;
			t.n = n;
			devres_add(dev, t);
		}
		const isN = (_d: unknown, res: unknown, n: unknown): boolean => (res as thing).n === n;
		expect(devres_find<thing>(dev, release, isN, 2)?.n).to.equal(2);
		expect(devres_release(dev, release, isN, 2)).to.equal(0);
		expect(devres_destroy(dev, release, isN, 1)).to.equal(0);
		expect(devres_destroy(dev, release, isN, 1)).to.equal(-ENOENT);
		expect(devres_release_all(dev)).to.equal(1);
		expect(log).to.deep.equal([2, 3]);
	});

	it('takes an action back', () => {
		bootDriverCore();
		const log: number[] = [];
		const dev = addDevice('d', null);
		const action = (n: number): void => void log.push(n);
		devm_add_action_or_reset(dev, action, 1);
		devm_remove_action(dev, action, 1);
		devres_release_all(dev);
		expect(log).to.deep.equal([]);
	});

	it('releases a group alone, closed or not', () => {
		bootDriverCore();
		const log: number[] = [];
		const dev = addDevice('d', null);
		const action = (n: number): void => void log.push(n);
		devm_add_action(dev, action, 1);
		const id = devres_open_group(dev, null, GFP_KERNEL);
		devm_add_action(dev, action, 2);
		devm_add_action(dev, action, 3);
		devres_close_group(dev, id);
		devm_add_action(dev, action, 4);
		expect(devres_release_group(dev, id)).to.equal(2);
		expect(log).to.deep.equal([3, 2]);
		devres_release_all(dev);
		expect(log).to.deep.equal([3, 2, 4, 1]);
	});
});
