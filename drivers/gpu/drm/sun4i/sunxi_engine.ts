// SPDX-License-Identifier: GPL-2.0-only
// What a timing controller wants of whatever makes its picture.
// Linux 6.12: drivers/gpu/drm/sun4i/sunxi_engine.h
import type { regmap } from '#drivers/base/regmap/regmap.js';
import type { drm_atomic_state } from '#include/drm/drm_atomic.js';
import type { drm_crtc } from '#include/drm/drm_crtc.js';
import type { drm_device } from '#include/drm/drm_device.js';
import type { drm_display_mode } from '#include/drm/drm_modes.js';
import type { drm_plane } from '#include/drm/drm_plane.js';
import type { err_ptr } from '#linux/err.js';
import { list_head } from '#linux/list.js';
import type { device_node } from '#linux/of_node.js';
import type { embedded, int } from '#linux/types.js';

export interface sunxi_engine_ops {
	readonly commit: (engine: sunxi_engine, crtc: drm_crtc, state: drm_atomic_state) => void;
	readonly layers_init: (drm: drm_device, engine: sunxi_engine) => (drm_plane | null)[] | err_ptr;
	readonly mode_set?: (engine: sunxi_engine, mode: drm_display_mode) => void;
}

export class sunxi_engine implements embedded {
	ops!: sunxi_engine_ops;
	node: device_node | null = null;
	regs!: regmap;
	id: int = 0;
	readonly list = new list_head<sunxi_engine>(this);
	readonly container: object | null;
	constructor(container: object | null = null) {
		this.container = container;
	}
}
