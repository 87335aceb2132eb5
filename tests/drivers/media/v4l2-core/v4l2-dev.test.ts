// SPDX-License-Identifier: GPL-2.0-only
// Numbers and errors: Linux 6.12, drivers/media/v4l2-core/v4l2-dev.c.
import { expect } from 'chai';
import {
	video_device_release_empty,
	video_register_device,
	video_unregister_device,
} from '#drivers/media/v4l2-core/v4l2-dev.js';
import { v4l2_device_register } from '#drivers/media/v4l2-core/v4l2-device.js';
import { VFL_TYPE_VIDEO, video_device, video_is_registered } from '#include/media/v4l2-dev.js';
import { v4l2_device } from '#include/media/v4l2-device.js';
import { start_kernel } from '#init/main.js';
import { EINVAL } from '#linux/errno.js';
import { slab_leaks, slab_live } from '#linux/slab.js';
import { slab_fault } from '#mm/failslab.js';
import { h6 } from '#tests/hw/h6.js';
import { expectWarning } from '#tests/setup.js';

function node(): video_device {
	const vdev = new video_device();
	vdev.v4l2_dev = new v4l2_device();
	vdev.v4l2_dev.name = 'test';
	expect(v4l2_device_register(null, vdev.v4l2_dev)).to.equal(0);
	vdev.release = video_device_release_empty;
	vdev.device_caps = 1;
	return vdev;
}

describe('v4l2_dev', () => {
	const log: string[] = [];
	beforeEach(() => {
		log.length = 0;
		start_kernel(h6({ onConsole: (_level, line) => log.push(line) }));
	});

	it('takes the number that was asked for, else the next free one, and says so', () => {
		const [a, b] = [node(), node()];
		expect(video_register_device(a, VFL_TYPE_VIDEO, 7)).to.equal(0);
		expect(a.num).to.equal(7);
		expect(video_register_device(b, VFL_TYPE_VIDEO, 7)).to.equal(0);
		expect(b.num).to.equal(8);
		expect(log.at(-1)).to.match(/__video_register_device: requested video7, got video8$/);
		for (const vdev of [a, b]) video_unregister_device(vdev);
		expect(video_is_registered(a)).to.equal(false);
	});

	it('goes back to the first free number when none is free above', () => {
		const [a, b] = [node(), node()];
		expect(video_register_device(a, VFL_TYPE_VIDEO, 255)).to.equal(0);
		expect(video_register_device(b, VFL_TYPE_VIDEO, 255)).to.equal(0);
		expect(b.num).to.be.below(255);
		for (const vdev of [a, b]) video_unregister_device(vdev);
	});

	it('refuses a device without a release', () => {
		expectWarning(/./);
		const vdev = node();
		vdev.release = null;
		expect(video_register_device(vdev, VFL_TYPE_VIDEO, -1)).to.equal(-EINVAL);
		expect(vdev.minor).to.equal(-1);
	});

	it('gives minor and number back when memory runs out', () => {
		const probe = node();
		expect(video_register_device(probe, VFL_TYPE_VIDEO, -1)).to.equal(0);
		const { num, minor } = probe;
		video_unregister_device(probe);

		const before = slab_live();
		for (let nth = 1; ; nth++) {
			const vdev = node();
			slab_fault.nth = nth;
			const ret = video_register_device(vdev, VFL_TYPE_VIDEO, -1);
			const failed = slab_fault.nth === 0;
			slab_fault.nth = 0;
			if (ret === 0) video_unregister_device(vdev);
			else expect(vdev.minor).to.equal(-1);
			expect(slab_leaks(before), `allocation ${nth}`).to.deep.equal([]);
			if (!failed) break;
		}
		const vdev = node();
		expect(video_register_device(vdev, VFL_TYPE_VIDEO, -1)).to.equal(0);
		expect([vdev.num, vdev.minor]).to.deep.equal([num, minor]);
		video_unregister_device(vdev);
	});
});
