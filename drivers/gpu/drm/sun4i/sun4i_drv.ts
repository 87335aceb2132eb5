// SPDX-License-Identifier: GPL-2.0-only
// The DRM device: bound when all parts of its pipelines are there.
// Linux 6.12: drivers/gpu/drm/sun4i/sun4i_drv.c
// Left out: display engine 1 (front ends, back ends), fbdev, hot plug polling, system sleep.
import {
	component_bind_all,
	component_compare_of,
	component_master_add_with_match,
	component_master_del,
	type component_match,
	component_unbind_all,
} from '#drivers/base/component.js';
import { devm_kzalloc } from '#drivers/base/devres.js';
import { drm_atomic_helper_shutdown } from '#drivers/gpu/drm/drm_atomic_helper.js';
import {
	drm_dev_alloc,
	drm_dev_put,
	drm_dev_register,
	drm_dev_unregister,
} from '#drivers/gpu/drm/drm_drv.js';
import { drm_open, drm_release } from '#drivers/gpu/drm/drm_file.js';
import { drm_gem_mmap } from '#drivers/gpu/drm/drm_gem.js';
import {
	drm_gem_dma_dumb_create_internal,
	drm_gem_dma_prime_import_sg_table,
} from '#drivers/gpu/drm/drm_gem_dma_helper.js';
import { drm_ioctl } from '#drivers/gpu/drm/drm_ioctl.js';
import { drm_mode_config_cleanup, drm_mode_config_init } from '#drivers/gpu/drm/drm_mode_config.js';
import { drm_of_component_match_add } from '#drivers/gpu/drm/drm_of.js';
import { drm_vblank_init } from '#drivers/gpu/drm/drm_vblank.js';
import { sun4i_drv } from '#drivers/gpu/drm/sun4i/sun4i_drv_types.js';
import { sun4i_framebuffer_init } from '#drivers/gpu/drm/sun4i/sun4i_framebuffer.js';
import { sun4i_tcon_of_table } from '#drivers/gpu/drm/sun4i/sun4i_tcon.js';
import { sun8i_tcon_top_of_table } from '#drivers/gpu/drm/sun4i/sun8i_tcon_top.js';
import {
	of_device_is_available,
	of_device_is_compatible,
	of_match_node,
	of_parse_phandle,
} from '#drivers/of/base.js';
import { of_reserved_mem_device_init, of_reserved_mem_device_release } from '#drivers/of/of_reserved_mem.js';
import { of_graph_get_port_by_id, of_graph_get_remote_port_parent } from '#drivers/of/property.js';
import type { drm_device } from '#include/drm/drm_device.js';
import { DRIVER_ATOMIC, DRIVER_GEM, DRIVER_MODESET, type drm_driver } from '#include/drm/drm_drv.js';
import type { drm_file } from '#include/drm/drm_file.js';
import type { drm_mode_create_dumb } from '#include/uapi/drm/drm_mode.js';
import { dma_set_mask_and_coherent } from '#kernel/dma/mapping.js';
import { ALIGN } from '#linux/align.js';
import type { component_master_ops } from '#linux/component.js';
import { dev_err } from '#linux/dev_printk.js';
import { dev_get_drvdata, dev_set_drvdata, type device } from '#linux/device.js';
import { DMA_BIT_MASK, dma_set_max_seg_size } from '#linux/dma-mapping.js';
import { type err_ptr, IS_ERR, PTR_ERR } from '#linux/err.js';
import { ENODEV, ENOMEM } from '#linux/errno.js';
import type { file_operations } from '#linux/fs.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { DIV_ROUND_UP } from '#linux/math.js';
import { type device_node, for_each_available_child_of_node } from '#linux/of.js';
import {
	module_platform_driver,
	type platform_device,
	platform_driver,
	platform_get_drvdata,
} from '#linux/platform_device.js';
import { type bool, type int, ref, UINT_MAX } from '#linux/types.js';

function drm_sun4i_gem_dumb_create(file_priv: drm_file, drm: drm_device, args: drm_mode_create_dumb): int {
	// YUV planes want even pitches.
	args.pitch = ALIGN(DIV_ROUND_UP(args.width * args.bpp, 8), 2);
	return drm_gem_dma_dumb_create_internal(file_priv, drm, args);
}

const sun4i_drv_fops: file_operations = {
	open: drm_open,
	release: drm_release,
	unlocked_ioctl: drm_ioctl,
	mmap: drm_gem_mmap,
};

const sun4i_drv_driver: drm_driver = {
	driver_features: DRIVER_GEM | DRIVER_MODESET | DRIVER_ATOMIC,
	fops: sun4i_drv_fops,
	name: 'sun4i-drm',
	desc: 'Allwinner sun4i Display Engine',
	date: '20150629',
	major: 1,
	minor: 0,
	dumb_create: drm_sun4i_gem_dumb_create,
	gem_prime_import_sg_table: drm_gem_dma_prime_import_sg_table,
};

/** All parts, then what is made of them: planes and CRTCs are counted and reset. */
function sun4i_drv_bind_pipelines(dev: device, drm: drm_device): int {
	let ret = component_bind_all(dev, drm);
	if (ret) {
		dev_err(dev, "Couldn't bind all pipelines components");
		return ret;
	}
	ret =
		drm_vblank_init(drm, drm.mode_config.num_crtc) || sun4i_framebuffer_init(drm) || drm_dev_register(drm, 0);
	if (ret) component_unbind_all(dev, null);
	return ret;
}

function sun4i_drv_bind(dev: device): int {
	const drm = drm_dev_alloc(sun4i_drv_driver, dev);
	if (IS_ERR(drm)) return PTR_ERR(drm);
	const drv = devm_kzalloc(dev, sun4i_drv, GFP_KERNEL);
	drm.dev_private = drv;

	let ret: int = drv ? of_reserved_mem_device_init(dev) : -ENOMEM;
	// A pool of its own is one way to have memory; without it there is everybody's.
	if (drv && ret === -ENODEV) ret = 0;
	else if (drv && ret) dev_err(dev, "Couldn't claim our memory region");
	if (!ret) {
		ret = drm_mode_config_init(drm) || sun4i_drv_bind_pipelines(dev, drm);
		if (!ret) {
			dev_set_drvdata(dev, drm);
			return 0;
		}
		drm_mode_config_cleanup(drm);
		of_reserved_mem_device_release(dev);
	}
	drm_dev_put(drm);
	return ret;
}

function sun4i_drv_unbind(dev: device): void {
	const drm = dev_get_drvdata<drm_device>(dev);
	dev_set_drvdata(dev, null);
	drm_dev_unregister(drm);
	drm_atomic_helper_shutdown(drm);
	drm_mode_config_cleanup(drm);
	component_unbind_all(dev, null);
	of_reserved_mem_device_release(dev);
	drm_dev_put(drm);
}

const sun4i_drv_master_ops: component_master_ops = { bind: sun4i_drv_bind, unbind: sun4i_drv_unbind };

/** A block of a pipeline, and the step that led to it; -1: the device's own list. */
class endpoint_step {
	readonly node: device_node;
	readonly from: int;
	constructor(node: device_node, from: int) {
		this.node = node;
		this.from = from;
	}
}

const ENDPOINT_FIFO_SIZE = 16;

/** What has been looked at, and from @out on what is next. C: a kfifo of 16, without what is behind it. */
class endpoint_list {
	readonly steps: endpoint_step[] = [];
	out: int = 0;
}

function kfifo_put(list: endpoint_list, step: endpoint_step): void {
	if (list.steps.length - list.out < ENDPOINT_FIFO_SIZE) list.steps.push(step);
}

/** Whether the way to step @at leads through @node. */
function endpoint_list_came_through(list: endpoint_list, at: int, node: device_node): bool {
	for (let i = at; i >= 0; i = list.steps[i].from) if (list.steps[i].node === node) return true;
	return false;
}

function sun4i_drv_node_is_tcon(node: device_node): bool {
	return of_match_node(sun4i_tcon_of_table, node) !== null;
}

function sun4i_drv_node_is_tcon_top(node: device_node): bool {
	return of_match_node(sun8i_tcon_top_of_table, node) !== null;
}

function sun4i_drv_traverse_endpoints(dev: device, list: endpoint_list, at: int, port_id: int): void {
	const { node } = list.steps[at];
	const port = of_graph_get_port_by_id(node, port_id);
	if (!port) return;
	for (const ep of for_each_available_child_of_node(port)) {
		const remote = of_graph_get_remote_port_parent(ep);
		if (!remote) continue;
		// A timing controller leads back to TCON TOP, whence we came.
		if (sun4i_drv_node_is_tcon(node) && sun4i_drv_node_is_tcon_top(remote)) continue;
		// DEVIATION: 6.12 goes round for ever.
		if (endpoint_list_came_through(list, at, remote)) {
			dev_err(dev, 'The pipeline leads in a circle: from %pOF back to %pOF', node, remote);
			continue;
		}
		kfifo_put(list, new endpoint_step(remote, at));
	}
}

function sun4i_drv_add_endpoints(
	dev: device,
	list: endpoint_list,
	match: ref<component_match | null | err_ptr>,
	at: int,
): int {
	const { node } = list.steps[at];
	if (!of_device_is_available(node)) return 0;
	// The end of the pipeline.
	if (of_device_is_compatible(node, 'hdmi-connector')) return 0;

	drm_of_component_match_add(dev, match, component_compare_of, node);
	sun4i_drv_traverse_endpoints(dev, list, at, 1);
	if (sun4i_drv_node_is_tcon_top(node)) {
		sun4i_drv_traverse_endpoints(dev, list, at, 3);
		sun4i_drv_traverse_endpoints(dev, list, at, 5);
	}
	return 1;
}

function sun4i_drv_probe(pdev: platform_device): int {
	const np = pdev.dev.of_node!;
	const match = new ref<component_match | null | err_ptr>(null);
	const list = new endpoint_list();
	let count = 0;

	// The driver has 32 bits of address, whatever the hardware has.
	dma_set_mask_and_coherent(pdev.dev, DMA_BIT_MASK(32));
	dma_set_max_seg_size(pdev.dev, UINT_MAX);

	for (let i = 0; ; i++) {
		const pipeline = of_parse_phandle(np, 'allwinner,pipelines', i);
		if (!pipeline) break;
		kfifo_put(list, new endpoint_step(pipeline, -1));
	}
	while (list.out < list.steps.length) count += sun4i_drv_add_endpoints(pdev.dev, list, match, list.out++);
	return count ? component_master_add_with_match(pdev.dev, sun4i_drv_master_ops, match.value) : 0;
}

const sun4i_drv_platform_driver = new platform_driver({
	probe: sun4i_drv_probe,
	remove: (pdev) => component_master_del(pdev.dev, sun4i_drv_master_ops),
	shutdown: (pdev) => drm_atomic_helper_shutdown(platform_get_drvdata(pdev)),
	driver: { name: 'sun4i-drm', of_match_table: [{ compatible: 'allwinner,sun50i-h6-display-engine' }] },
});
module_platform_driver(sun4i_drv_platform_driver);
