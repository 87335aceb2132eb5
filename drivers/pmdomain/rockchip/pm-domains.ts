// SPDX-License-Identifier: GPL-2.0-only
// The power domains of Rockchip's chips.
// Linux 6.12: drivers/pmdomain/rockchip/pm-domains.c
//
// Left out: every chip but RK3399, RK3566 and RK3568, and what only others have (memory and repair states, offsets of a
// domain's own, transition times, clock ungating); the priorities of buses (pm_qos), which nobody models; the memory
// controller's block.
import { devm_kcalloc, devm_kzalloc } from '#drivers/base/devres.js';
import { pm_clk_add_clk, pm_clk_create, pm_clk_destroy } from '#drivers/base/power/clock_ops.js';
import { regmap_read, regmap_update_bits, regmap_write } from '#drivers/base/regmap/regmap.js';
import { type clk, clk_bulk_data, clk_put, of_clk_get } from '#drivers/clk/clk.js';
import {
	clk_bulk_disable,
	clk_bulk_enable,
	clk_bulk_prepare,
	clk_bulk_put,
	clk_bulk_unprepare,
} from '#drivers/clk/clk-bulk.js';
import { of_count_phandle_with_args } from '#drivers/of/base.js';
import { of_device_get_match_data } from '#drivers/of/device.js';
import { of_property_read_u32 } from '#drivers/of/property.js';
import {
	of_genpd_add_provider_onecell,
	pm_genpd_add_subdomain,
	pm_genpd_init,
	pm_genpd_remove,
} from '#drivers/pmdomain/core.js';
import * as rk3399 from '#include/dt-bindings/power/rk3399-power.js';
import * as rk3568 from '#include/dt-bindings/power/rk3568-power.js';
import { BIT } from '#linux/bits.js';

import { dev_dbg, dev_err } from '#linux/dev_printk.js';
import type { device } from '#linux/device.js';
import { IS_ERR, PTR_ERR } from '#linux/err.js';
import { EINVAL, ENODEV, ENOENT, ENOMEM } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import { postcore_initcall } from '#linux/init.js';
import { readx_poll_timeout_atomic } from '#linux/iopoll.js';
import { syscon_node_to_regmap } from '#linux/mfd/syscon.js';
import type { of_device_id } from '#linux/mod_devicetable.js';
import { mutex, mutex_init, mutex_lock, mutex_unlock } from '#linux/mutex.js';
import { type device_node, for_each_available_child_of_node, for_each_child_of_node } from '#linux/of.js';
import { type platform_device, platform_driver, platform_driver_register } from '#linux/platform_device.js';
import {
	GENPD_FLAG_ACTIVE_WAKEUP,
	GENPD_FLAG_PM_CLK,
	generic_pm_domain,
	type genpd_onecell_data,
} from '#linux/pm_domain.js';
import type { regmap } from '#linux/regmap.js';
import { type bool, type int, ref, type u32, type unsigned_int } from '#linux/types.js';

interface rockchip_domain_info {
	readonly name: string;
	readonly pwr_mask: u32;
	readonly status_mask: u32;
	readonly req_mask: u32;
	readonly idle_mask: u32;
	readonly ack_mask: u32;
	readonly active_wakeup: bool;
	/** The write masks of the upper half; 0: that register has none. */
	readonly pwr_w_mask: u32;
	readonly req_w_mask: u32;
}

interface rockchip_pmu_info {
	readonly pwr_offset: u32;
	readonly status_offset: u32;
	readonly req_offset: u32;
	readonly idle_offset: u32;
	readonly ack_offset: u32;
	/** One more than the last number. */
	readonly num_domains: int;
	/** By number, in no order (C: an array with holes). */
	readonly domain_info: readonly (readonly [id: u32, info: rockchip_domain_info])[];
}

class rockchip_pm_domain extends generic_pm_domain {
	info: rockchip_domain_info | null = null;
	pmu: rockchip_pmu | null = null;
	num_clks: int = 0;
	clks: clk_bulk_data[] = [];
}

class rockchip_pmu {
	dev: device | null = null;
	regmap: regmap | null = null;
	info: rockchip_pmu_info | null = null;
	readonly mutex = new mutex('pmu->mutex');
	genpd_data: genpd_onecell_data = { domains: [], num_domains: 0, xlate: null };
}

function DOMAIN_RK3399(name: string, pwr: u32, status: u32, req: u32, wakeup: bool): rockchip_domain_info {
	return {
		name,
		pwr_mask: pwr,
		status_mask: status,
		req_mask: req,
		idle_mask: req,
		ack_mask: req,
		active_wakeup: wakeup,
		pwr_w_mask: 0,
		req_w_mask: 0,
	};
}

function DOMAIN_RK3568(name: string, pwr: u32, req: u32, wakeup: bool): rockchip_domain_info {
	return {
		name,
		pwr_mask: pwr,
		status_mask: pwr,
		req_mask: req,
		idle_mask: req,
		ack_mask: req,
		active_wakeup: wakeup,
		pwr_w_mask: pwr << 16,
		req_w_mask: req << 16,
	};
}

function to_rockchip_pd(genpd: generic_pm_domain): rockchip_pm_domain {
	return genpd as rockchip_pm_domain;
}

function rockchip_pmu_read(pmu: rockchip_pmu, offset: u32): u32 {
	const val = new ref<unsigned_int>(0);
	regmap_read(pmu.regmap as regmap, offset, val);
	return val.value;
}

function rockchip_pmu_domain_is_idle(pd: rockchip_pm_domain): bool {
	const pmu = pd.pmu as rockchip_pmu;
	const mask = (pd.info as rockchip_domain_info).idle_mask;
	return (rockchip_pmu_read(pmu, (pmu.info as rockchip_pmu_info).idle_offset) & mask) >>> 0 === mask;
}

function rockchip_pmu_read_ack(pmu: rockchip_pmu): u32 {
	return rockchip_pmu_read(pmu, (pmu.info as rockchip_pmu_info).ack_offset);
}

/** Have the bus of @pd be idle, or work again: 0 or -ETIMEDOUT. */
function rockchip_pmu_set_idle_request(pd: rockchip_pm_domain, idle: bool): int {
	const pd_info = pd.info as rockchip_domain_info;
	const pmu = pd.pmu as rockchip_pmu;
	const map = pmu.regmap as regmap;
	const { req_offset } = pmu.info as rockchip_pmu_info;

	if (pd_info.req_mask === 0) return 0;
	if (pd_info.req_w_mask !== 0)
		regmap_write(map, req_offset, ((idle ? pd_info.req_mask : 0) | pd_info.req_w_mask) >>> 0);
	else regmap_update_bits(map, req_offset, pd_info.req_mask, idle ? 0xffffffff : 0);

	const target_ack = idle ? pd_info.ack_mask : 0;
	const val = new ref<u32>(0);
	let ret = readx_poll_timeout_atomic(
		rockchip_pmu_read_ack,
		pmu,
		val,
		(ack) => (ack & pd_info.ack_mask) >>> 0 === target_ack,
		0,
		10000,
	);
	if (ret !== 0) {
		dev_err(pmu.dev, "failed to get ack on domain '%s', val=0x%x", pd.name, val.value);
		return ret;
	}

	const is_idle = new ref<bool>(false);
	ret = readx_poll_timeout_atomic(rockchip_pmu_domain_is_idle, pd, is_idle, (is) => is === idle, 0, 10000);
	if (ret !== 0)
		dev_err(pmu.dev, "failed to set idle on domain '%s', val=%d", pd.name, is_idle.value ? 1 : 0);
	return ret;
}

function rockchip_pmu_domain_is_on(pd: rockchip_pm_domain): bool {
	const { status_mask } = pd.info as rockchip_domain_info;
	const pmu = pd.pmu as rockchip_pmu;

	// A domain without a switch is on while its bus works.
	if (status_mask === 0) return !rockchip_pmu_domain_is_idle(pd);
	return (rockchip_pmu_read(pmu, (pmu.info as rockchip_pmu_info).status_offset) & status_mask) === 0;
}

function rockchip_do_pmu_set_power_domain(pd: rockchip_pm_domain, on: bool): void {
	const pd_info = pd.info as rockchip_domain_info;
	const pmu = pd.pmu as rockchip_pmu;
	const map = pmu.regmap as regmap;
	const { pwr_offset } = pmu.info as rockchip_pmu_info;

	if (pd_info.pwr_mask === 0) return;
	if (pd_info.pwr_w_mask !== 0)
		regmap_write(map, pwr_offset, ((on ? 0 : pd_info.pwr_mask) | pd_info.pwr_w_mask) >>> 0);
	else regmap_update_bits(map, pwr_offset, pd_info.pwr_mask, on ? 0 : 0xffffffff);

	const is_on = new ref<bool>(false);
	if (readx_poll_timeout_atomic(rockchip_pmu_domain_is_on, pd, is_on, (is) => is === on, 0, 10000) !== 0)
		dev_err(pmu.dev, "failed to set domain '%s', val=%d", pd.name, is_on.value ? 1 : 0);
}

/** Its clocks run during the transition; its bus is idle before the power goes, and works after it came. */
function rockchip_pd_power(pd: rockchip_pm_domain, power_on: bool): int {
	const pmu = pd.pmu as rockchip_pmu;
	let ret = 0;

	mutex_lock(pmu.mutex);
	if (rockchip_pmu_domain_is_on(pd) !== power_on) {
		ret = clk_bulk_enable(pd.num_clks, pd.clks);
		if (ret < 0) {
			dev_err(pmu.dev, 'failed to enable clocks');
		} else {
			if (!power_on) rockchip_pmu_set_idle_request(pd, true);
			rockchip_do_pmu_set_power_domain(pd, power_on);
			if (power_on) rockchip_pmu_set_idle_request(pd, false);
			clk_bulk_disable(pd.num_clks, pd.clks);
			ret = 0;
		}
	}
	mutex_unlock(pmu.mutex);
	return ret;
}

function rockchip_pd_power_on(domain: generic_pm_domain): int {
	return rockchip_pd_power(to_rockchip_pd(domain), true);
}

function rockchip_pd_power_off(domain: generic_pm_domain): int {
	return rockchip_pd_power(to_rockchip_pd(domain), false);
}

/** Every clock of @dev runs while it is up. */
function rockchip_pd_attach_dev(genpd: generic_pm_domain, dev: device): int {
	dev_dbg(dev, "attaching to power domain '%s'", genpd.name);

	let error = pm_clk_create(dev);
	if (error !== 0) {
		dev_err(dev, 'pm_clk_create failed %d', error);
		return error;
	}

	for (let i = 0; ; i++) {
		const clk = of_clk_get(dev.of_node, i);
		if (IS_ERR(clk)) {
			error = PTR_ERR(clk);
			if (error === -ENOENT) return 0;
			dev_err(dev, 'failed to get clock %d: %d', i, error);
			break;
		}
		error = pm_clk_add_clk(dev, clk);
		if (error !== 0) {
			dev_err(dev, 'pm_clk_add_clk failed %d', error);
			clk_put(clk);
			break;
		}
	}
	pm_clk_destroy(dev);
	return error;
}

function rockchip_pd_detach_dev(genpd: generic_pm_domain, dev: device): void {
	dev_dbg(dev, "detaching from power domain '%s'", genpd.name);

	pm_clk_destroy(dev);
}

function rockchip_pd_info(info: rockchip_pmu_info, id: u32): rockchip_domain_info | null {
	for (const [number, found] of info.domain_info) if (number === id) return found;
	return null;
}

function rockchip_pm_get_clocks(pmu: rockchip_pmu, pd: rockchip_pm_domain, node: device_node): int {
	const count = of_count_phandle_with_args(node, 'clocks', '#clock-cells');
	if (count <= 0) {
		dev_dbg(pmu.dev, "%pOFn: doesn't have clocks: %d", node, count);
		return 0;
	}
	const clks = devm_kcalloc(pmu.dev as device, count, clk_bulk_data, GFP_KERNEL);
	if (clks === null) return -ENOMEM;

	let error = 0;
	let got = 0;
	for (; got < count; got++) {
		const found = of_clk_get(node, got);
		if (IS_ERR(found)) {
			error = PTR_ERR(found);
			dev_err(pmu.dev, '%pOFn: failed to get clk at index %d: %d', node, got, error);
			break;
		}
		clks[got]!.clk = found as clk;
	}
	if (error === 0) error = clk_bulk_prepare(count, clks);
	if (error !== 0) {
		clk_bulk_put(got, clks);
		return error;
	}
	pd.num_clks = count;
	pd.clks = clks;
	return 0;
}

function rockchip_pm_add_one_domain(pmu: rockchip_pmu, node: device_node): int {
	const pmu_info = pmu.info as rockchip_pmu_info;
	const id = new ref<u32>(0);

	let error = of_property_read_u32(node, 'reg', id);
	if (error !== 0) {
		dev_err(pmu.dev, '%pOFn: failed to retrieve domain id (reg): %d', node, error);
		return -EINVAL;
	}
	if (id.value >= pmu_info.num_domains) {
		dev_err(pmu.dev, '%pOFn: invalid domain id %d', node, id.value);
		return -EINVAL;
	}
	if (pmu.genpd_data.domains[id.value] !== null) return 0;

	const pd_info = rockchip_pd_info(pmu_info, id.value);
	if (pd_info === null) {
		dev_err(pmu.dev, '%pOFn: undefined domain id %d', node, id.value);
		return -EINVAL;
	}

	const pd = devm_kzalloc(pmu.dev as device, rockchip_pm_domain, GFP_KERNEL);
	if (pd === null) return -ENOMEM;
	pd.info = pd_info;
	pd.pmu = pmu;

	error = rockchip_pm_get_clocks(pmu, pd, node);
	if (error !== 0) return error;

	pd.name = pd_info.name;
	pd.power_off = rockchip_pd_power_off;
	pd.power_on = rockchip_pd_power_on;
	pd.attach_dev = rockchip_pd_attach_dev;
	pd.detach_dev = rockchip_pd_detach_dev;
	pd.flags = GENPD_FLAG_PM_CLK;
	if (pd_info.active_wakeup) pd.flags |= GENPD_FLAG_ACTIVE_WAKEUP;
	pm_genpd_init(pd, null, !rockchip_pmu_domain_is_on(pd));

	pmu.genpd_data.domains[id.value] = pd;
	return 0;
}

function rockchip_pm_remove_one_domain(pd: rockchip_pm_domain): void {
	const pmu = pd.pmu as rockchip_pmu;

	const ret = pm_genpd_remove(pd);
	if (ret < 0)
		dev_err(pmu.dev, "failed to remove domain '%s' : %d - state may be inconsistent", pd.name, ret);

	clk_bulk_unprepare(pd.num_clks, pd.clks);
	clk_bulk_put(pd.num_clks, pd.clks);

	mutex_lock(pmu.mutex);
	pd.num_clks = 0;
	mutex_unlock(pmu.mutex);
}

function rockchip_pm_domain_cleanup(pmu: rockchip_pmu): void {
	for (const genpd of pmu.genpd_data.domains)
		if (genpd !== null) rockchip_pm_remove_one_domain(to_rockchip_pd(genpd));
}

/** The domains inside that of @parent. */
function rockchip_pm_add_subdomain(pmu: rockchip_pmu, parent: device_node): int {
	for (const np of for_each_child_of_node(parent)) {
		const idx = new ref<u32>(0);

		let error = of_property_read_u32(parent, 'reg', idx);
		if (error !== 0) {
			dev_err(pmu.dev, '%pOFn: failed to retrieve domain id (reg): %d', parent, error);
			return error;
		}
		const parent_domain = pmu.genpd_data.domains[idx.value] as generic_pm_domain;

		error = rockchip_pm_add_one_domain(pmu, np);
		if (error !== 0) {
			dev_err(pmu.dev, 'failed to handle node %pOFn: %d', np, error);
			return error;
		}
		of_property_read_u32(np, 'reg', idx);
		const child_domain = pmu.genpd_data.domains[idx.value] as generic_pm_domain;

		error = pm_genpd_add_subdomain(parent_domain, child_domain);
		if (error !== 0) {
			dev_err(pmu.dev, '%s failed to add subdomain %s: %d', parent_domain.name, child_domain.name, error);
			return error;
		}
		dev_dbg(pmu.dev, '%s add subdomain: %s', parent_domain.name, child_domain.name);

		error = rockchip_pm_add_subdomain(pmu, np);
		if (error !== 0) return error;
	}
	return 0;
}

function rockchip_pm_domain_probe(pdev: platform_device): int {
	const dev = pdev.dev;
	const np = dev.of_node;

	if (np === null) {
		dev_err(dev, 'device tree node not found');
		return -ENODEV;
	}
	const pmu_info = of_device_get_match_data(dev) as rockchip_pmu_info;

	const pmu = devm_kzalloc(dev, rockchip_pmu, GFP_KERNEL);
	if (pmu === null) return -ENOMEM;

	pmu.dev = dev;
	mutex_init(pmu.mutex);
	pmu.info = pmu_info;
	pmu.genpd_data.domains = new Array<generic_pm_domain | null>(pmu_info.num_domains).fill(null);
	pmu.genpd_data.num_domains = pmu_info.num_domains;

	const parent = dev.parent;
	if (parent === null || parent.of_node === null) {
		dev_err(dev, 'no parent for syscon devices');
		return -ENODEV;
	}
	const map = syscon_node_to_regmap(parent.of_node);
	if (IS_ERR(map)) {
		dev_err(dev, 'no regmap available');
		return PTR_ERR(map);
	}
	pmu.regmap = map;

	let error: int = -ENODEV;
	err_out: {
		for (const node of for_each_available_child_of_node(np)) {
			error = rockchip_pm_add_one_domain(pmu, node);
			if (error !== 0) {
				dev_err(dev, 'failed to handle node %pOFn: %d', node, error);
				break err_out;
			}
			error = rockchip_pm_add_subdomain(pmu, node);
			if (error < 0) {
				dev_err(dev, 'failed to handle subdomain node %pOFn: %d', node, error);
				break err_out;
			}
		}
		if (error !== 0) {
			dev_dbg(dev, 'no power domains defined');
			break err_out;
		}

		error = of_genpd_add_provider_onecell(np, pmu.genpd_data);
		if (error === 0) return 0;
		dev_err(dev, 'failed to add provider: %d', error);
	}
	rockchip_pm_domain_cleanup(pmu);
	return error;
}

const rk3399_pm_domains: rockchip_pmu_info['domain_info'] = [
	[rk3399.RK3399_PD_TCPD0, DOMAIN_RK3399('tcpd0', BIT(8), BIT(8), 0, false)],
	[rk3399.RK3399_PD_TCPD1, DOMAIN_RK3399('tcpd1', BIT(9), BIT(9), 0, false)],
	[rk3399.RK3399_PD_CCI, DOMAIN_RK3399('cci', BIT(10), BIT(10), 0, true)],
	[rk3399.RK3399_PD_CCI0, DOMAIN_RK3399('cci0', 0, 0, BIT(15), true)],
	[rk3399.RK3399_PD_CCI1, DOMAIN_RK3399('cci1', 0, 0, BIT(16), true)],
	[rk3399.RK3399_PD_PERILP, DOMAIN_RK3399('perilp', BIT(11), BIT(11), BIT(1), true)],
	[rk3399.RK3399_PD_PERIHP, DOMAIN_RK3399('perihp', BIT(12), BIT(12), BIT(2), true)],
	[rk3399.RK3399_PD_CENTER, DOMAIN_RK3399('center', BIT(13), BIT(13), BIT(14), true)],
	[rk3399.RK3399_PD_VIO, DOMAIN_RK3399('vio', BIT(14), BIT(14), BIT(17), false)],
	[rk3399.RK3399_PD_GPU, DOMAIN_RK3399('gpu', BIT(15), BIT(15), BIT(0), false)],
	[rk3399.RK3399_PD_VCODEC, DOMAIN_RK3399('vcodec', BIT(16), BIT(16), BIT(3), false)],
	[rk3399.RK3399_PD_VDU, DOMAIN_RK3399('vdu', BIT(17), BIT(17), BIT(4), false)],
	[rk3399.RK3399_PD_RGA, DOMAIN_RK3399('rga', BIT(18), BIT(18), BIT(5), false)],
	[rk3399.RK3399_PD_IEP, DOMAIN_RK3399('iep', BIT(19), BIT(19), BIT(6), false)],
	[rk3399.RK3399_PD_VO, DOMAIN_RK3399('vo', BIT(20), BIT(20), 0, false)],
	[rk3399.RK3399_PD_VOPB, DOMAIN_RK3399('vopb', 0, 0, BIT(7), false)],
	[rk3399.RK3399_PD_VOPL, DOMAIN_RK3399('vopl', 0, 0, BIT(8), false)],
	[rk3399.RK3399_PD_ISP0, DOMAIN_RK3399('isp0', BIT(22), BIT(22), BIT(9), false)],
	[rk3399.RK3399_PD_ISP1, DOMAIN_RK3399('isp1', BIT(23), BIT(23), BIT(10), false)],
	[rk3399.RK3399_PD_HDCP, DOMAIN_RK3399('hdcp', BIT(24), BIT(24), BIT(11), false)],
	[rk3399.RK3399_PD_GMAC, DOMAIN_RK3399('gmac', BIT(25), BIT(25), BIT(23), true)],
	[rk3399.RK3399_PD_EMMC, DOMAIN_RK3399('emmc', BIT(26), BIT(26), BIT(24), true)],
	[rk3399.RK3399_PD_USB3, DOMAIN_RK3399('usb3', BIT(27), BIT(27), BIT(12), true)],
	[rk3399.RK3399_PD_EDP, DOMAIN_RK3399('edp', BIT(28), BIT(28), BIT(22), false)],
	[rk3399.RK3399_PD_GIC, DOMAIN_RK3399('gic', BIT(29), BIT(29), BIT(27), true)],
	[rk3399.RK3399_PD_SD, DOMAIN_RK3399('sd', BIT(30), BIT(30), BIT(28), true)],
	[rk3399.RK3399_PD_SDIOAUDIO, DOMAIN_RK3399('sdioaudio', BIT(31), BIT(31), BIT(29), true)],
];

const rk3568_pm_domains: rockchip_pmu_info['domain_info'] = [
	[rk3568.RK3568_PD_NPU, DOMAIN_RK3568('npu', BIT(1), BIT(2), false)],
	[rk3568.RK3568_PD_GPU, DOMAIN_RK3568('gpu', BIT(0), BIT(1), false)],
	[rk3568.RK3568_PD_VI, DOMAIN_RK3568('vi', BIT(6), BIT(3), false)],
	[rk3568.RK3568_PD_VO, DOMAIN_RK3568('vo', BIT(7), BIT(4), false)],
	[rk3568.RK3568_PD_RGA, DOMAIN_RK3568('rga', BIT(5), BIT(5), false)],
	[rk3568.RK3568_PD_VPU, DOMAIN_RK3568('vpu', BIT(2), BIT(6), false)],
	[rk3568.RK3568_PD_RKVDEC, DOMAIN_RK3568('vdec', BIT(4), BIT(8), false)],
	[rk3568.RK3568_PD_RKVENC, DOMAIN_RK3568('venc', BIT(3), BIT(7), false)],
	[rk3568.RK3568_PD_PIPE, DOMAIN_RK3568('pipe', BIT(8), BIT(11), false)],
];

const rk3399_pmu: rockchip_pmu_info = {
	pwr_offset: 0x14,
	status_offset: 0x18,
	req_offset: 0x60,
	idle_offset: 0x64,
	ack_offset: 0x68,
	num_domains: rk3399.RK3399_PD_GPU + 1,
	domain_info: rk3399_pm_domains,
};

const rk3568_pmu: rockchip_pmu_info = {
	pwr_offset: 0xa0,
	status_offset: 0x98,
	req_offset: 0x50,
	idle_offset: 0x68,
	ack_offset: 0x60,
	num_domains: rk3568.RK3568_PD_PIPE + 1,
	domain_info: rk3568_pm_domains,
};

const rockchip_pm_domain_dt_match: readonly of_device_id[] = [
	{ compatible: 'rockchip,rk3399-power-controller', data: rk3399_pmu },
	{ compatible: 'rockchip,rk3568-power-controller', data: rk3568_pmu },
];

const rockchip_pm_domain_driver = new platform_driver({
	probe: rockchip_pm_domain_probe,
	driver: {
		name: 'rockchip-pm-domain',
		of_match_table: rockchip_pm_domain_dt_match,
		suppress_bind_attrs: true,
	},
});

function rockchip_pm_domain_drv_register(): int {
	return platform_driver_register(rockchip_pm_domain_driver);
}
postcore_initcall(rockchip_pm_domain_drv_register);
