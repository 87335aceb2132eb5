// SPDX-License-Identifier: GPL-2.0-only
// Display pipelines as the device tree draws them.
// Linux 6.12: drivers/gpu/drm/drm_of.c
// Left out: panels, bridges, LVDS and DSI properties.
import { type component_match, component_match_add_release } from '#drivers/base/component.js';
import { drm_crtc_mask } from '#include/drm/drm_crtc.js';
import type { drm_device } from '#include/drm/drm_device.js';
import type { device } from '#linux/device.js';
import type { err_ptr } from '#linux/err.js';
import { list_for_each_entry } from '#linux/list.js';
import { type device_node, of_node_get, of_node_put } from '#linux/of.js';
import type { int, ref, u32 } from '#linux/types.js';

/**
 * The mask of the CRTC whose port that is; 0 when there is none.
 * Linux: drivers/gpu/drm/drm_of.c: drm_of_crtc_port_mask()
 */
export function drm_of_crtc_port_mask(dev: drm_device, port: device_node): u32 {
	for (const crtc of list_for_each_entry(dev.mode_config.crtc_list))
		if (crtc.port === port) return drm_crtc_mask(crtc);
	return 0;
}

function drm_release_of(_dev: device, data: unknown): void {
	of_node_put(data as device_node);
}

/**
 * @node, which is kept, is a part that the device waits for.
 * Linux: drivers/gpu/drm/drm_of.c: drm_of_component_match_add()
 */
export function drm_of_component_match_add(
	master: device,
	matchptr: ref<component_match | null | err_ptr>,
	compare: (dev: device, data: unknown) => int,
	node: device_node,
): void {
	of_node_get(node);
	component_match_add_release(master, matchptr, drm_release_of, compare, node);
}
