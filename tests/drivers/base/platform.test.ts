// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import sinon from 'sinon';
import {
	__platform_driver_probe,
	__platform_driver_register,
	platform_device_register_full,
	platform_device_unregister,
	platform_driver_unregister,
	platform_get_resource,
} from '#drivers/base/platform.js';
import { sysfs_read, sysfs_readdir, sysfs_write } from '#fs/sysfs/user.js';
import { type platform_device, platform_driver } from '#linux/device/platform.js';
import { IS_ERR } from '#linux/err.js';
import { ENODEV, ENXIO, EPROBE_DEFER } from '#linux/errno.js';
import { DEFINE_RES_MEM, IORESOURCE_MEM } from '#linux/ioport.js';
import { bootDriverCore } from '#tests/drivers/base/boot.js';

function addPlatform(name: string, id = -1): platform_device {
	const pdev = platform_device_register_full({ name, id, res: [DEFINE_RES_MEM(0x1000, 0x100)] });
	if (IS_ERR(pdev)) throw new Error(`${pdev.errno}`);
	return pdev;
}

describe('drivers_base_platform', () => {
	it('gives a device 32-bit masks, its resources and a name', () => {
		bootDriverCore();
		const pdev = addPlatform('x', 3);
		expect(pdev.dev.kobj.name).to.equal('x.3');
		expect(pdev.dev.dma_mask?.value).to.equal(0xffff_ffff);
		expect(pdev.dev.coherent_dma_mask).to.equal(0xffff_ffff);
		expect(platform_get_resource(pdev, IORESOURCE_MEM, 0)?.start).to.equal(0x1000);
		expect(platform_get_resource(pdev, IORESOURCE_MEM, 1)).to.equal(null);
		expect(sysfs_readdir('/sys/devices/platform/x.3')).to.deep.equal([
			'driver_override',
			'modalias',
			'subsystem',
			'uevent',
		]);
		expect(sysfs_read('/sys/devices/platform/x.3/modalias')).to.equal('platform:x\n');
		platform_device_unregister(pdev);
		expect(sysfs_readdir('/sys/bus/platform/devices')).to.deep.equal([]);
	});

	it('binds by name when there is no tree, and calls remove', () => {
		bootDriverCore();
		const probe = sinon.spy((_pdev: platform_device) => 0);
		const remove = sinon.spy();
		const drv = new platform_driver({ probe, remove, driver: { name: 'x' } });
		const pdev = addPlatform('x');
		expect(__platform_driver_register(drv, null)).to.equal(0);
		expect(probe.calledOnceWithExactly(pdev)).to.equal(true);
		platform_driver_unregister(drv);
		expect(remove.calledOnceWithExactly(pdev)).to.equal(true);
	});

	it('binds only the driver that driver_override names', () => {
		bootDriverCore();
		const probe = sinon.spy(() => 0);
		addPlatform('x');
		sysfs_write('/sys/devices/platform/x/driver_override', 'y\n');
		__platform_driver_register(new platform_driver({ probe, driver: { name: 'x' } }), null);
		expect(probe.called).to.equal(false);
		__platform_driver_register(new platform_driver({ probe, driver: { name: 'y' } }), null);
		expect(probe.calledOnce).to.equal(true);
	});

	it('keeps a driver of platform_driver_probe() only when something was bound, and never probes again', () => {
		bootDriverCore();
		const probe = sinon.spy(() => 0);
		const drv = new platform_driver({ driver: { name: 'x' } });
		expect(__platform_driver_probe(drv, probe, null)).to.equal(-ENODEV);
		expect(sysfs_readdir('/sys/bus/platform/drivers')).to.deep.equal([]);
		addPlatform('x');
		expect(__platform_driver_probe(drv, probe, null)).to.equal(0);
		expect(sysfs_readdir('/sys/bus/platform/drivers/x')).to.deep.equal(['uevent', 'x']);
		addPlatform('x', 1);
		expect(probe.calledOnce).to.equal(true);
		expect(drv.probe?.(addPlatform('z'))).to.equal(-ENXIO);
	});

	it('does not let such a driver defer', () => {
		const machine = bootDriverCore();
		addPlatform('x');
		const drv = new platform_driver({ driver: { name: 'x' } });
		expect(__platform_driver_probe(drv, () => -EPROBE_DEFER, null)).to.equal(-ENODEV);
		expect(machine.lines.some((l) => l.endsWith('x x: probe deferral not supported'))).to.equal(true);
	});
});
