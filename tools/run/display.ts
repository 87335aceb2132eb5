// SPDX-License-Identifier: GPL-2.0-only
// A user program's side of /dev/dri/card0: shows a picture, as a viewer would.

import { close_fd } from '#fs/file.js';
import { do_sys_open, ksys_ioctl } from '#fs/open.js';
import * as drm from '#include/uapi/drm/drm.js';
import { DRM_FORMAT_ARGB8888, DRM_FORMAT_NV12 } from '#include/uapi/drm/drm_fourcc.js';
import * as mode from '#include/uapi/drm/drm_mode.js';
import { O_RDWR } from '#linux/fs.js';
import { MKDEV } from '#linux/kdev_t.js';
import { SyscallError } from '#tools/v4l2.js';

/** Device number of /dev/dri/card0 (Documentation/admin-guide/devices.txt). */
export const CARD0 = MKDEV(226, 0);

export interface PictureLayout {
	readonly width: number;
	readonly height: number;
	/** A DRM fourcc; NV12 by default. */
	readonly format?: number;
	/** One for each plane; one number is for all. */
	readonly pitch: number | readonly number[];
	readonly offsets: readonly number[];
}

/** A mode of exactly that size at about 60 Hz: timings of the user's own. */
export function modeFor(width: number, height: number): mode.drm_mode_modeinfo {
	const m = new mode.drm_mode_modeinfo();
	m.hdisplay = width;
	m.hsync_start = width + 16;
	m.hsync_end = width + 48;
	m.htotal = width + 96;
	m.vdisplay = height;
	m.vsync_start = height + 3;
	m.vsync_end = height + 9;
	m.vtotal = height + 24;
	m.clock = Math.round((m.htotal * m.vtotal * 60) / 1000);
	m.vrefresh = 60;
	m.type = mode.DRM_MODE_TYPE_USERDEF;
	m.name = `${width}x${height}`;
	return m;
}

export class Display {
	/** Imports that this program has not closed; one that is imported again has the same handle. */
	readonly #handles = new Set<number>();
	/** What is on the screen; 0: nothing. */
	#shown = { fb: 0, handle: 0 };
	#on = false;

	private constructor(
		readonly fd: number,
		readonly crtc: number,
		readonly connector: number,
		readonly primary: number,
		readonly video: number,
	) {}

	/** Throws a SyscallError; ENXIO or ENODEV when the board has no display. */
	static open(): Display {
		const fd = do_sys_open(CARD0, O_RDWR);
		if (fd < 0) throw new SyscallError('open /dev/dri/card0', fd);
		try {
			const cap = new drm.drm_set_client_cap();
			cap.capability = drm.DRM_CLIENT_CAP_UNIVERSAL_PLANES;
			cap.value = 1;
			call(fd, 'SET_CLIENT_CAP', drm.DRM_IOCTL_SET_CLIENT_CAP, cap);
			const res = new mode.drm_mode_card_res();
			res.crtc_id_ptr = [];
			res.connector_id_ptr = [];
			res.count_crtcs = res.count_connectors = 8;
			call(fd, 'MODE_GETRESOURCES', drm.DRM_IOCTL_MODE_GETRESOURCES, res);
			const planes = new mode.drm_mode_get_plane_res();
			planes.plane_id_ptr = [];
			planes.count_planes = 8;
			call(fd, 'MODE_GETPLANERESOURCES', drm.DRM_IOCTL_MODE_GETPLANERESOURCES, planes);
			const shows = (id: number, format: number): boolean => {
				const plane = new mode.drm_mode_get_plane();
				plane.plane_id = id;
				plane.format_type_ptr = [];
				plane.count_format_types = 64;
				call(fd, 'MODE_GETPLANE', drm.DRM_IOCTL_MODE_GETPLANE, plane);
				return plane.format_type_ptr.includes(format);
			};
			const ids = planes.plane_id_ptr;
			const video = ids.find((id) => shows(id, DRM_FORMAT_NV12)) ?? 0;
			const primary = ids.find((id) => id !== video) ?? 0;
			return new Display(fd, res.crtc_id_ptr[0], res.connector_id_ptr[0], primary, video);
		} catch (error) {
			close_fd(fd);
			throw error;
		}
	}

	ioctl(name: string, cmd: number, arg: object): void {
		call(this.fd, name, cmd, arg);
	}

	/** Import a dma-buf: its handle. */
	importBuffer(dmabufFd: number): number {
		const prime = new drm.drm_prime_handle();
		prime.fd = dmabufFd;
		this.ioctl('PRIME_FD_TO_HANDLE', drm.DRM_IOCTL_PRIME_FD_TO_HANDLE, prime);
		this.#handles.add(prime.handle);
		return prime.handle;
	}

	createDumb(width: number, height: number, bpp = 32): mode.drm_mode_create_dumb {
		const dumb = new mode.drm_mode_create_dumb();
		Object.assign(dumb, { width, height, bpp });
		this.ioctl('MODE_CREATE_DUMB', drm.DRM_IOCTL_MODE_CREATE_DUMB, dumb);
		return dumb;
	}

	/** Memory of the display's for another device: @rows of @pitch bytes, as a dma-buf's file descriptor. */
	lend(pitch: number, rows: number): number {
		const prime = new drm.drm_prime_handle();
		prime.handle = this.createDumb(pitch, rows, 8).handle;
		prime.flags = drm.DRM_RDWR;
		this.#handles.add(prime.handle);
		this.ioctl('PRIME_HANDLE_TO_FD', drm.DRM_IOCTL_PRIME_HANDLE_TO_FD, prime);
		return prime.fd;
	}

	addFb(handle: number, layout: PictureLayout): number {
		const fb = new mode.drm_mode_fb_cmd2();
		fb.width = layout.width;
		fb.height = layout.height;
		fb.pixel_format = layout.format ?? DRM_FORMAT_NV12;
		layout.offsets.forEach((offset, i) => {
			fb.handles[i] = handle;
			fb.offsets[i] = offset;
			fb.pitches[i] = typeof layout.pitch === 'number' ? layout.pitch : layout.pitch[i];
		});
		this.ioctl('MODE_ADDFB2', drm.DRM_IOCTL_MODE_ADDFB2, fb);
		return fb.fb_id;
	}

	setMode(width: number, height: number, fb: number): void {
		const crtc = new mode.drm_mode_crtc();
		crtc.crtc_id = this.crtc;
		crtc.fb_id = fb;
		crtc.set_connectors_ptr = [this.connector];
		crtc.count_connectors = 1;
		crtc.mode_valid = 1;
		crtc.mode = modeFor(width, height);
		this.ioctl('MODE_SETCRTC', drm.DRM_IOCTL_MODE_SETCRTC, crtc);
		this.#on = true;
	}

	/** Show a framebuffer at the upper left; 0: nothing. */
	setPlane(plane: number, fb: number, width = 0, height = 0): void {
		const req = new mode.drm_mode_set_plane();
		req.plane_id = plane;
		req.crtc_id = fb === 0 ? 0 : this.crtc;
		req.fb_id = fb;
		req.crtc_w = width;
		req.crtc_h = height;
		req.src_w = width * 65536;
		req.src_h = height * 65536;
		this.ioctl('MODE_SETPLANE', drm.DRM_IOCTL_MODE_SETPLANE, req);
	}

	/** Set the property called @name of the video plane. */
	setProperty(name: string, value: number): void {
		const all = new mode.drm_mode_obj_get_properties();
		all.obj_id = this.video;
		all.obj_type = mode.DRM_MODE_OBJECT_PLANE;
		all.props_ptr = [];
		all.count_props = 24;
		this.ioctl('MODE_OBJ_GETPROPERTIES', drm.DRM_IOCTL_MODE_OBJ_GETPROPERTIES, all);
		for (const id of all.props_ptr) {
			const property = new mode.drm_mode_get_property();
			property.prop_id = id;
			this.ioctl('MODE_GETPROPERTY', drm.DRM_IOCTL_MODE_GETPROPERTY, property);
			if (property.name !== name) continue;
			const set = new mode.drm_mode_obj_set_property();
			Object.assign(set, { obj_id: all.obj_id, obj_type: all.obj_type, prop_id: id, value });
			this.ioctl('MODE_OBJ_SETPROPERTY', drm.DRM_IOCTL_MODE_OBJ_SETPROPERTY, set);
		}
	}

	waitVblank(): void {
		const wait = new drm.drm_wait_vblank();
		wait.request.type = drm._DRM_VBLANK_RELATIVE;
		wait.request.sequence = 1;
		this.ioctl('WAIT_VBLANK', drm.DRM_IOCTL_WAIT_VBLANK, wait);
	}

	/**
	 * Show the picture in a dma-buf, full-range BT.601 as JPEG has it, on a mode of its own size. What was shown
	 * before is given back.
	 */
	show(dmabufFd: number, layout: PictureLayout): void {
		const { width, height } = layout;
		const handle = this.importBuffer(dmabufFd);
		const fb = this.addFb(handle, layout);
		// The old interface sets no mode without a framebuffer: one that nobody sees, given back at once.
		const dumb = this.createDumb(width, height);
		const cover = this.addFb(dumb.handle, {
			width,
			height,
			format: DRM_FORMAT_ARGB8888,
			pitch: dumb.pitch,
			offsets: [0],
		});
		this.setMode(width, height, cover);
		this.setProperty('COLOR_ENCODING', 0);
		this.setProperty('COLOR_RANGE', 1);
		this.setPlane(this.video, fb, width, height);
		this.setPlane(this.primary, 0);
		this.removeFb(cover);
		this.closeHandle(dumb.handle);
		const last = this.#shown;
		this.#shown = { fb, handle };
		if (last.fb !== 0) this.removeFb(last.fb);
		if (last.handle !== 0 && last.handle !== handle) this.closeHandle(last.handle);
		this.waitVblank();
	}

	removeFb(id: number): void {
		const arg = new mode.drm_mode_rmfb_arg();
		arg.fb_id = id;
		this.ioctl('MODE_RMFB', drm.DRM_IOCTL_MODE_RMFB, arg);
	}

	closeHandle(handle: number): void {
		const arg = new drm.drm_gem_close();
		arg.handle = handle;
		this.ioctl('GEM_CLOSE', drm.DRM_IOCTL_GEM_CLOSE, arg);
		this.#handles.delete(handle);
	}

	/** Screen off, everything given back. */
	close(): void {
		if (this.#on) {
			this.setPlane(this.video, 0);
			const off = new mode.drm_mode_crtc();
			off.crtc_id = this.crtc;
			this.ioctl('MODE_SETCRTC', drm.DRM_IOCTL_MODE_SETCRTC, off);
		}
		if (this.#shown.fb !== 0) this.removeFb(this.#shown.fb);
		for (const handle of [...this.#handles]) this.closeHandle(handle);
		close_fd(this.fd);
	}
}

function call(fd: number, name: string, cmd: number, arg: object): void {
	const ret = ksys_ioctl(fd, cmd, arg);
	if (ret < 0) throw new SyscallError(`DRM_IOCTL_${name}`, ret);
}
