// SPDX-License-Identifier: GPL-2.0-only
// Devices and their nodes.
// Linux 6.12: include/linux/of_device.h
export {
	of_device_get_match_data,
	of_dma_configure,
	of_dma_configure_id,
	of_driver_match_device,
	of_match_device,
} from '#drivers/of/device.js';
