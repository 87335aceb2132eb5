// SPDX-License-Identifier: GPL-2.0-only
// On the domains of an RK3399: VOPB, with a display controller and its IOMMU, lies in VO, and that in VIO.
import { expect } from 'chai';
import { bus_find_device_by_name } from '#drivers/base/bus.js';
import { device_attach, device_release_driver } from '#drivers/base/dd.js';
import { platform_bus_type } from '#drivers/base/platform.js';
import { dma_stub_copy } from '#drivers/misc/dma-stub.js';
import { pm_genpd_add_subdomain, pm_genpd_init, pm_genpd_remove } from '#drivers/pmdomain/core.js';
import type { Machine } from '#hw/core/machine.js';
import type { DmaStub } from '#hw/misc/dma-stub.js';
import { pm_wq } from '#kernel/power/power.js';
import type { device_driver } from '#linux/device/driver.js';
import type { device } from '#linux/device.js';
import { EBUSY, EINVAL, EIO } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { list_empty, list_first_entry } from '#linux/list.js';
import type { dev_pm_ops } from '#linux/pm.js';
import { GENPD_STATE_OFF, GENPD_STATE_ON, generic_pm_domain } from '#linux/pm_domain.js';
import {
	pm_runtime_get_sync,
	pm_runtime_put_noidle,
	pm_runtime_put_sync,
	pm_runtime_suspend,
	pm_runtime_suspended,
} from '#linux/pm_runtime.js';
import { kmalloc } from '#linux/slab.js';
import { container_of, type embedded } from '#linux/types.js';
import { flush_workqueue } from '#linux/workqueue.js';
import { boardBlob, bootMachine } from '#tests/boot.js';
import { failEach } from '#tests/fail-each.js';
import { leakCheck } from '#tests/leaks.js';

const VOP = 'ff900000.vop';
/** The bit of a domain with no device (rk3399_pm_domains). */
const GPU = 15;

function deviceOf(name: string): device {
	return bus_find_device_by_name(platform_bus_type, null, name)!;
}

function domainOf(dev: device): generic_pm_domain {
	return container_of(dev.pm_domain as unknown as embedded, generic_pm_domain);
}

function settle(): void {
	flush_workqueue(pm_wq);
}

/** The display controller, its IOMMU, their domain, and those around it; all sleep. */
function vopb(commandLine = '') {
	const { machine, log } = bootMachine('rk3399-iommus', { commandLine });
	settle();
	const vop = deviceOf(VOP);
	const domain = domainOf(vop);
	const chain: generic_pm_domain[] = [];
	for (let at: generic_pm_domain | null = domain; at !== null; ) {
		chain.push(at);
		at = list_empty(at.child_links) ? null : list_first_entry(at.child_links).parent;
	}
	const status = (): number[] => chain.map((d) => d.status);
	return { machine, log, vop, iommu: deviceOf('ff903f00.iommu'), domain, chain, status };
}

function works(machine: Machine): boolean {
	return (machine.model(VOP) as DmaStub).powered();
}

const ALL_ON = [GENPD_STATE_ON, GENPD_STATE_ON, GENPD_STATE_ON];
const ALL_OFF = [GENPD_STATE_OFF, GENPD_STATE_OFF, GENPD_STATE_OFF];

/** The driver's callbacks, for this test: the driver outlives it. */
const drivers: device_driver[] = [];
function setPm(dev: device, pm: dev_pm_ops): void {
	(dev.driver as { pm?: dev_pm_ops }).pm = pm;
	drivers.push(dev.driver!);
}

describe('drivers_pmdomain_core', () => {
	afterEach(() => {
		for (const driver of drivers.splice(0)) (driver as { pm?: dev_pm_ops | undefined }).pm = undefined;
	});

	it('has a domain, and those around it, on while one device in it is up', () => {
		const { vop, iommu, chain, status } = vopb();
		expect(chain.map((d) => d.name)).to.deep.equal(['vopb', 'vo', 'vio']);
		expect(status()).to.deep.equal(ALL_OFF);
		pm_runtime_get_sync(vop);
		pm_runtime_get_sync(iommu);
		expect(status()).to.deep.equal(ALL_ON);
		pm_runtime_put_sync(vop);
		settle();
		expect([pm_runtime_suspended(vop), ...status()]).to.deep.equal([true, ...ALL_ON]);
		pm_runtime_put_sync(iommu);
		settle();
		expect(status()).to.deep.equal(ALL_OFF);
	});

	it('has a domain on while one inside it is', () => {
		const { vop, chain } = vopb();
		const other = deviceOf('ff8f0000.vop');
		pm_runtime_get_sync(vop);
		pm_runtime_get_sync(other);
		pm_runtime_put_sync(vop);
		settle();
		expect(chain.map((d) => d.status)).to.deep.equal([GENPD_STATE_OFF, GENPD_STATE_ON, GENPD_STATE_ON]);
		pm_runtime_put_sync(other);
		settle();
		expect(chain.map((d) => d.status)).to.deep.equal(ALL_OFF);
	});

	it('does not resume a device whose domain cannot be switched on, and lets those around it go', () => {
		const { vop, domain, status } = vopb();
		domain.power_on = () => -EIO;
		expect(pm_runtime_get_sync(vop)).to.equal(-EIO);
		expect(status()).to.deep.equal(ALL_OFF);
		pm_runtime_put_noidle(vop);
	});

	it('has a domain go on that cannot be switched off, and its device sleep', () => {
		const { vop, domain, status } = vopb();
		domain.power_off = () => -EBUSY;
		pm_runtime_get_sync(vop);
		expect(pm_runtime_put_sync(vop)).to.equal(0);
		settle();
		expect([pm_runtime_suspended(vop), ...status()]).to.deep.equal([true, ...ALL_ON]);
	});

	it('leaves clocks and power on when the driver does not want to sleep', () => {
		const { machine, vop, status } = vopb();
		pm_runtime_get_sync(vop);
		pm_runtime_put_noidle(vop);
		setPm(vop, { runtime_suspend: () => -EBUSY });
		expect(pm_runtime_suspend(vop)).to.equal(-EBUSY);
		expect([works(machine), ...status()]).to.deep.equal([true, ...ALL_ON]);
		setPm(vop, {});
		expect(pm_runtime_suspend(vop)).to.equal(0);
		settle();
		expect([works(machine), ...status()]).to.deep.equal([false, ...ALL_OFF]);
	});

	it('stops the clocks, and switches off, when the driver fails to resume', () => {
		const { machine, vop, iommu, status } = vopb();
		setPm(vop, { runtime_resume: () => -EIO });
		expect(pm_runtime_get_sync(vop)).to.equal(-EIO);
		expect(works(machine)).to.equal(false);
		// Its supplier came up first, and nobody has asked it to sleep.
		expect(pm_runtime_suspend(iommu)).to.equal(0);
		expect(status()).to.deep.equal(ALL_OFF);
	});

	it('has a device leave its domain with its driver, without a trace, and join it again', () => {
		const { vop, domain } = vopb();
		const devices = domain.device_count;
		device_release_driver(vop);
		settle();
		expect([vop.pm_domain, domain.device_count]).to.deep.equal([null, devices - 1]);
		expect(vop.power.subsys_data).to.equal(null);
		const left = leakCheck();
		expect(device_attach(vop)).to.equal(1);
		expect([domainOf(vop), domain.device_count]).to.deep.equal([domain, devices]);
		device_release_driver(vop);
		settle();
		expect(left()).to.deep.equal([]);
		expect(device_attach(vop)).to.equal(1);
		const bytes = kmalloc(64, GFP_KERNEL)!.fill(5);
		const copy = kmalloc(64, GFP_KERNEL)!;
		expect(dma_stub_copy(vop, copy, bytes)).to.equal(0);
		expect([...copy]).to.deep.equal(new Array(64).fill(5));
	});

	it('without memory for it does not bind the device, and leaves nothing behind', () => {
		const { vop, domain } = vopb();
		device_release_driver(vop);
		settle();
		const devices = domain.device_count;
		const left = leakCheck();
		const failures = failEach((what) => {
			if (device_attach(vop) === 1) device_release_driver(vop);
			settle();
			expect([vop.pm_domain, domain.device_count], what).to.deep.equal([null, devices]);
			expect(left(), what).to.deep.equal([]);
		});
		expect(failures).to.be.greaterThan(4);
	});

	it('switches off at the end of the boot what nobody uses, unless it is told not to', () => {
		const off = (machine: Machine): number =>
			(machine.model('ff310000.power-management').registers!.get('PWRDN_CON') >>> GPU) & 1;
		const told = vopb();
		expect(told.log.join('\n')).to.include('genpd: Disabling unused power domains');
		expect(off(told.machine)).to.equal(1);
		const { log, machine } = vopb('pd_ignore_unused');
		expect(log.join('\n')).to.include('genpd: Not disabling unused power domains');
		expect(off(machine)).to.equal(0);
	});

	it('does not bind a device whose domain nobody provides', () => {
		const text = 'rockchip,rk3399-power-controller';
		const blob = boardBlob('rk3399-iommus');
		const at = Buffer.from(blob).indexOf(text);
		blob[at] = 'x'.charCodeAt(0);
		const { log } = bootMachine(blob);
		expect(deviceOf(VOP).driver).to.equal(null);
		expect(log.join('\n')).to.include(`dma-stub ${VOP}: ignoring dependency for device, assuming no driver`);
	});

	it('puts a domain into another once, and not one that is on into one that is off', () => {
		bootMachine('rk3399-iommus');
		const [outer, inner] = [new generic_pm_domain(), new generic_pm_domain()];
		pm_genpd_init(outer, null, true);
		pm_genpd_init(inner, null, false);
		expect(pm_genpd_add_subdomain(outer, outer)).to.equal(-EINVAL);
		expect(pm_genpd_add_subdomain(outer, inner)).to.equal(-EINVAL);
		outer.status = GENPD_STATE_ON;
		expect(pm_genpd_add_subdomain(outer, inner)).to.equal(0);
		expect(pm_genpd_add_subdomain(outer, inner)).to.equal(-EINVAL);
		expect(outer.sd_count.counter).to.equal(1);
	});

	it('forgets a domain that nothing is in, and no other', () => {
		const { domain, log } = vopb();
		const [outer, inner] = [new generic_pm_domain(), new generic_pm_domain()];
		outer.name = 'outer';
		for (const genpd of [outer, inner]) pm_genpd_init(genpd, null, true);
		pm_genpd_add_subdomain(outer, inner);
		expect(pm_genpd_remove(outer)).to.equal(-EBUSY);
		expect(pm_genpd_remove(domain)).to.equal(-EBUSY);
		expect(log.join('\n')).to.match(
			/genpd_remove: unable to remove outer[\s\S]*Provider present, unable to remove vopb/,
		);
		expect(pm_genpd_remove(inner)).to.equal(0);
		expect(pm_genpd_remove(outer)).to.equal(0);
	});
});
