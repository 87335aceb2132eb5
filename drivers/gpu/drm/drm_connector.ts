// SPDX-License-Identifier: GPL-2.0-only
// Connectors and encoders.
// Linux 6.12: drivers/gpu/drm/drm_connector.c, drivers/gpu/drm/drm_encoder.c, drivers/gpu/drm/drm_probe_helper.c
// Left out: hot plug and polling, EDID, sysfs nodes, properties, clones.

import {
	drm_mode_object_add,
	drm_mode_object_find,
	drm_mode_object_unregister,
} from '#drivers/gpu/drm/drm_mode_object.js';
import { drm_mode_convert_to_umode, drm_mode_set_name } from '#drivers/gpu/drm/drm_modes.js';
import {
	connector_status_connected,
	type drm_connector,
	type drm_connector_funcs,
	type drm_encoder,
	drm_encoder_mask,
} from '#include/drm/drm_connector.js';
import type { drm_device } from '#include/drm/drm_device.js';
import type { drm_file } from '#include/drm/drm_file.js';
import { type drm_display_mode, MODE_OK } from '#include/drm/drm_modes.js';
import {
	DRM_MODE_CONNECTOR_HDMIA,
	DRM_MODE_OBJECT_CONNECTOR,
	DRM_MODE_OBJECT_ENCODER,
	type drm_mode_get_connector,
	type drm_mode_get_encoder,
	drm_mode_modeinfo,
} from '#include/uapi/drm/drm_mode.js';
import { ENOENT } from '#linux/errno.js';
import { list_add_tail, list_del, list_for_each_entry, list_for_each_entry_safe } from '#linux/list.js';
import { mutex_lock, mutex_unlock } from '#linux/mutex.js';
import { kfree } from '#linux/slab.js';
import type { int, u32 } from '#linux/types.js';

/**
 * Make @encoder known. -ENOMEM.
 * Linux: drivers/gpu/drm/drm_simple_kms_helper.c: drm_simple_encoder_init()
 */
export function drm_simple_encoder_init(dev: drm_device, encoder: drm_encoder, encoder_type: int): int {
	const ret = drm_mode_object_add(dev, encoder.base, DRM_MODE_OBJECT_ENCODER);
	if (ret) return ret;
	encoder.dev = dev;
	encoder.encoder_type = encoder_type;
	encoder.name = `TMDS-${encoder.base.id}`;
	list_add_tail(encoder.head, dev.mode_config.encoder_list);
	encoder.index = dev.mode_config.num_encoder++;
	return 0;
}

/** What drm_simple_encoder_init() did, undone. Linux: drivers/gpu/drm/drm_encoder.c: drm_encoder_cleanup() */
export function drm_encoder_cleanup(encoder: drm_encoder): void {
	drm_mode_object_unregister(encoder.dev, encoder.base);
	list_del(encoder.head);
	encoder.dev.mode_config.num_encoder--;
}

/** Make @connector known. -ENOMEM. Linux: drivers/gpu/drm/drm_connector.c: drm_connector_init() */
export function drm_connector_init(
	dev: drm_device,
	connector: drm_connector,
	funcs: drm_connector_funcs,
	connector_type: int,
): int {
	const config = dev.mode_config;
	const ret = drm_mode_object_add(dev, connector.base, DRM_MODE_OBJECT_CONNECTOR);
	if (ret) return ret;
	connector.dev = dev;
	connector.funcs = funcs;
	connector.connector_type = connector_type;
	connector.connector_type_id = 1;
	connector.name = connector_type === DRM_MODE_CONNECTOR_HDMIA ? 'HDMI-A-1' : 'Unknown-1';
	list_add_tail(connector.head, config.connector_list);
	connector.index = config.num_connector++;
	connector.status = connector_status_connected;
	return 0;
}

function drm_mode_remove_all(connector: drm_connector): void {
	for (const mode of list_for_each_entry_safe(connector.modes)) {
		list_del(mode.head);
		kfree(mode);
	}
}

/**
 * What drm_connector_init() did, undone; modes and state are freed.
 * Linux: drivers/gpu/drm/drm_connector.c: drm_connector_cleanup()
 */
export function drm_connector_cleanup(connector: drm_connector): void {
	drm_mode_remove_all(connector);
	drm_mode_object_unregister(connector.dev, connector.base);
	list_del(connector.head);
	connector.dev.mode_config.num_connector--;
	if (connector.state) connector.funcs.atomic_destroy_state(connector, connector.state);
	connector.state = null;
}

/** @encoder can feed @connector. Linux: drivers/gpu/drm/drm_connector.c: drm_connector_attach_encoder() */
export function drm_connector_attach_encoder(connector: drm_connector, encoder: drm_encoder): int {
	connector.possible_encoders |= drm_encoder_mask(encoder);
	return 0;
}

/**
 * @mode is one of the connector's, which frees it.
 * Linux: drivers/gpu/drm/drm_modes.c: drm_mode_probed_add()
 */
export function drm_mode_probed_add(connector: drm_connector, mode: drm_display_mode): void {
	list_add_tail(mode.head, connector.modes);
}

/**
 * Fill connector->modes with what it offers and the device can do.
 * Linux: drivers/gpu/drm/drm_probe_helper.c: drm_helper_probe_single_connector_modes()
 */
export function drm_helper_probe_single_connector_modes(connector: drm_connector, maxX: u32, maxY: u32): int {
	const helper = connector.helper_private!;
	drm_mode_remove_all(connector);
	helper.get_modes(connector);
	let count = 0;
	for (const mode of list_for_each_entry_safe(connector.modes)) {
		const fits = mode.hdisplay <= maxX && mode.vdisplay <= maxY;
		if (!fits || (helper.mode_valid && helper.mode_valid(connector, mode) !== MODE_OK)) {
			list_del(mode.head);
			kfree(mode);
			continue;
		}
		drm_mode_set_name(mode);
		count++;
	}
	return count;
}

/** DRM_IOCTL_MODE_GETCONNECTOR. -ENOENT. Linux: drivers/gpu/drm/drm_connector.c: drm_mode_getconnector() */
export function drm_mode_getconnector(
	dev: drm_device,
	out_resp: drm_mode_get_connector,
	file_priv: drm_file,
): int {
	const obj = drm_mode_object_find(dev, file_priv, out_resp.connector_id, DRM_MODE_OBJECT_CONNECTOR);
	if (!obj) return -ENOENT;
	const connector = obj.container as drm_connector;

	mutex_lock(dev.mode_config.mutex);
	// Asked for the count only: look anew at what is there.
	if (out_resp.count_modes === 0)
		connector.funcs.fill_modes(connector, dev.mode_config.max_width, dev.mode_config.max_height);

	let encoders = 0;
	for (const encoder of list_for_each_entry(dev.mode_config.encoder_list)) {
		if ((connector.possible_encoders & drm_encoder_mask(encoder)) === 0) continue;
		if (out_resp.encoders_ptr && encoders < out_resp.count_encoders)
			out_resp.encoders_ptr[encoders] = encoder.base.id;
		encoders++;
	}
	let modes = 0;
	for (const mode of list_for_each_entry(connector.modes)) {
		if (out_resp.modes_ptr && modes < out_resp.count_modes) {
			const u_mode = new drm_mode_modeinfo();
			drm_mode_convert_to_umode(u_mode, mode);
			out_resp.modes_ptr[modes] = u_mode;
		}
		modes++;
	}
	out_resp.count_encoders = encoders;
	out_resp.count_modes = modes;
	out_resp.count_props = 0;
	out_resp.encoder_id = connector.state?.best_encoder?.base.id ?? 0;
	out_resp.connector_type = connector.connector_type;
	out_resp.connector_type_id = connector.connector_type_id;
	out_resp.connection = connector.status;
	mutex_unlock(dev.mode_config.mutex);
	return 0;
}

/** DRM_IOCTL_MODE_GETENCODER. -ENOENT. Linux: drivers/gpu/drm/drm_encoder.c: drm_mode_getencoder() */
export function drm_mode_getencoder(
	dev: drm_device,
	enc_resp: drm_mode_get_encoder,
	file_priv: drm_file,
): int {
	const obj = drm_mode_object_find(dev, file_priv, enc_resp.encoder_id, DRM_MODE_OBJECT_ENCODER);
	if (!obj) return -ENOENT;
	const encoder = obj.container as drm_encoder;
	enc_resp.crtc_id = encoder.crtc?.base.id ?? 0;
	enc_resp.encoder_type = encoder.encoder_type;
	enc_resp.possible_crtcs = encoder.possible_crtcs;
	enc_resp.possible_clones = drm_encoder_mask(encoder);
	return 0;
}
