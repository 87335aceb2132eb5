// SPDX-License-Identifier: GPL-2.0-only
// What tests of the display have in common: a user program's drawing, and looks behind the scenes.
import { bus_find_device_by_name } from '#drivers/base/bus.js';
import { put_device } from '#drivers/base/core.js';
import { platform_bus_type } from '#drivers/base/platform.js';
import type { Machine } from '#hw/core/machine.js';
import { monitorOf } from '#hw/display/monitor.js';
import type { Mixer } from '#hw/display/sun8i-mixer.js';
import * as drm from '#include/uapi/drm/drm.js';
import { DRM_FORMAT_NV12 } from '#include/uapi/drm/drm_fourcc.js';
import * as mode from '#include/uapi/drm/drm_mode.js';
import type { device } from '#linux/device.js';
import type { Display, PictureLayout } from '#tools/run/display.js';
import { mapFile } from '#tools/v4l2.js';

/** Let the user program write to a dumb buffer. */
export function draw(
	display: Display,
	dumb: mode.drm_mode_create_dumb,
	fill: (bytes: Uint8Array) => void,
): void {
	const map = new mode.drm_mode_map_dumb();
	map.handle = dumb.handle;
	display.ioctl('MODE_MAP_DUMB', drm.DRM_IOCTL_MODE_MAP_DUMB, map);
	const mapping = mapFile(display.fd, dumb.size, map.offset);
	fill(mapping.bytes);
	mapping.unmap();
}

/** What stays of a first use: a page table (the driver frees none before its domain) and cached IOVAs. */
export function kept(leaks: string[]): string[] {
	return leaks.filter((leak) => !/^(30f0000\.iommu|iova):/.test(leak));
}

export function errnoOf(fn: () => void): string {
	try {
		fn();
	} catch (error) {
		return (error as Error).message.split(': ')[1];
	}
	return 'none';
}

/** An NV12 picture of one grey in a dumb buffer, and a descriptor of it as dma-buf. */
export function videoBuffer(
	display: Display,
	width: number,
	height: number,
	luma: number,
): { fd: number; handle: number; layout: PictureLayout } {
	const dumb = display.createDumb(width, height);
	draw(display, dumb, (bytes) => bytes.fill(luma, 0, width * height).fill(128, width * height));
	const prime = new drm.drm_prime_handle();
	prime.handle = dumb.handle;
	display.ioctl('PRIME_HANDLE_TO_FD', drm.DRM_IOCTL_PRIME_HANDLE_TO_FD, prime);
	const layout = { width, height, format: DRM_FORMAT_NV12, pitch: width, offsets: [0, width * height] };
	return { fd: prime.fd, handle: dumb.handle, layout };
}

export function platformDevice(name: string): device {
	const dev = bus_find_device_by_name(platform_bus_type, null, name);
	if (dev === null) throw new Error(`no platform device ${name}`);
	// The bus keeps it.
	put_device(dev);
	return dev;
}

/** The device that the buffers of the display are mapped for. */
export const drmDevice = (): device => platformDevice('display-engine');

export const mixerOf = (machine: Machine): Mixer => monitorOf(machine).source as Mixer;
