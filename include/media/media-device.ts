// SPDX-License-Identifier: GPL-2.0-only
// The media device that a video device belongs to: its name.
// Linux 6.12: include/media/media-device.h
// Left out: entities, pads, links, requests and /dev/media: nothing here routes between sub-devices.
import type { device } from '#linux/device.js';

/** Stands for the media controller, which is left out (include/media/media-device.h). */
export class media_device {
	dev: device | null = null;
	model = '';
	bus_info = '';
}
