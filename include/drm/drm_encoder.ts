// SPDX-License-Identifier: GPL-2.0-only
// Encoders.
// Linux 6.12: include/drm/drm_encoder.h
export {
	drm_encoder,
	drm_encoder_helper_add,
	type drm_encoder_helper_funcs,
	drm_encoder_mask,
} from '#include/drm/drm_connector.js';
