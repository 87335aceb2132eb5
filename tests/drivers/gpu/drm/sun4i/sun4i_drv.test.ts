// SPDX-License-Identifier: GPL-2.0-only
// The display from user space: what the CPU draws comes out at the monitor, through the IOMMU.
import { expect } from 'chai';
import { close_fd } from '#fs/file.js';
import { monitorOf } from '#hw/monitor.js';
import * as drm from '#include/uapi/drm/drm.js';
import { DRM_FORMAT_NV12, DRM_FORMAT_XRGB8888 } from '#include/uapi/drm/drm_fourcc.js';
import * as mode from '#include/uapi/drm/drm_mode.js';
import { IS_ERR } from '#linux/err.js';
import { slab_leaks, slab_live } from '#linux/slab.js';
import { vma_user_view } from '#mm/memory.js';
import { ksys_mmap, ksys_munmap, MAP_SHARED, PROT_READ, PROT_WRITE } from '#mm/mmap.js';
import { bootMachine } from '#tests/boot.js';
import { Display } from '#tools/run/display.js';

const W = 64;
const H = 48;

/** Let the user program write to a dumb buffer. */
function draw(display: Display, dumb: mode.drm_mode_create_dumb, fill: (bytes: Uint8Array) => void): void {
	const map = new mode.drm_mode_map_dumb();
	map.handle = dumb.handle;
	display.ioctl('MODE_MAP_DUMB', drm.DRM_IOCTL_MODE_MAP_DUMB, map);
	const vma = ksys_mmap(display.fd, dumb.size, PROT_READ | PROT_WRITE, MAP_SHARED, map.offset);
	if (IS_ERR(vma)) throw new Error(`mmap: ${vma.errno}`);
	const view = vma_user_view(vma);
	if (view === null) throw new Error('no view');
	fill(view);
	ksys_munmap(vma);
}

/** What stays of a first use: a page table (the driver frees none before its domain) and cached IOVAs. */
function kept(leaks: string[]): string[] {
	return leaks.filter((leak) => !/^(30f0000\.iommu|iova):/.test(leak));
}

function errnoOf(fn: () => void): string {
	try {
		fn();
	} catch (error) {
		return (error as Error).message.split(': ')[1];
	}
	return 'none';
}

describe('sun4i_drv', () => {
	for (const board of ['sun50i-h6-orangepi-3', 'sun50i-h6-orangepi-3-noiommu'])
		it(`shows pixel by pixel what the CPU drew in an XRGB8888 dumb buffer on ${board}`, () => {
			const { machine } = bootMachine(board);
			const before = slab_live();
			const display = Display.open();
			const dumb = display.createDumb(W, H);
			const pixel = (i: number): number => (i * 0x010305) & 0xffffff;
			draw(display, dumb, (bytes) => {
				for (let i = 0; i < W * H; i++)
					bytes.set([pixel(i) & 255, (pixel(i) >> 8) & 255, pixel(i) >> 16, 0], i * 4);
			});
			const fb = display.addFb(dumb.handle, {
				width: W,
				height: H,
				format: DRM_FORMAT_XRGB8888,
				pitch: dumb.pitch,
				offsets: [0],
			});
			display.setMode(W, H, fb);
			const raster = monitorOf(machine).capture();
			expect(raster).to.include({ width: W, height: H });
			for (let i = 0; i < W * H; i++) {
				const got = raster!.rgb.subarray(i * 3, i * 3 + 3);
				expect((got[0] << 16) | (got[1] << 8) | got[2], `pixel ${i}`).to.equal(pixel(i));
			}
			const master = machine.stats().dma.find(({ name }) => name.includes('mixer'))!;
			expect(master.master).to.equal(board.endsWith('noiommu') ? -1 : 0);
			expect(master.readBytes).to.be.at.least(W * H * 4);
			expect(master.refused).to.equal(0);
			display.closeHandle(dumb.handle);
			display.removeFb(fb);
			display.close();
			expect(kept(slab_leaks(before))).to.deep.equal([]);
		});

	it('shows an NV12 dma-buf as full-range BT.601, and leaves nothing behind', () => {
		const { machine } = bootMachine();
		const before = slab_live();
		const display = Display.open();
		const dumb = display.createDumb(W, H);
		// Y, Cb, Cr of every pixel; BT.601 full range by T.871: R = Y + 1.402 (Cr - 128), and so on.
		const [y, cb, cr] = [120, 90, 170];
		draw(display, dumb, (bytes) => {
			bytes.fill(y, 0, W * H);
			for (let i = 0; i < (W * H) / 4; i++) bytes.set([cb, cr], W * H + i * 2);
		});
		const prime = new drm.drm_prime_handle();
		prime.handle = dumb.handle;
		display.ioctl('PRIME_HANDLE_TO_FD', drm.DRM_IOCTL_PRIME_HANDLE_TO_FD, prime);
		display.show(prime.fd, { width: W, height: H, format: DRM_FORMAT_NV12, pitch: W, offsets: [0, W * H] });
		const { rgb } = monitorOf(machine).capture()!;
		const want = [
			y + 1.402 * (cr - 128),
			y - 0.344136 * (cb - 128) - 0.714136 * (cr - 128),
			y + 1.772 * (cb - 128),
		];
		for (let i = 0; i < W * H; i++)
			for (let c = 0; c < 3; c++) expect(rgb[i * 3 + c], `pixel ${i}`).to.be.closeTo(want[c], 1);
		close_fd(prime.fd);
		display.close();
		expect(kept(slab_leaks(before))).to.deep.equal([]);
	});

	it('refuses framebuffers that do not fit, unknown buffers and formats, and modes that cannot be', () => {
		bootMachine();
		const display = Display.open();
		const { handle, pitch } = display.createDumb(W, H);
		const good = { width: W, height: H, format: DRM_FORMAT_XRGB8888, pitch, offsets: [0] };
		expect(errnoOf(() => display.addFb(handle, { ...good, pitch: pitch - 4 }))).to.match(/EINVAL/);
		expect(errnoOf(() => display.addFb(handle, { ...good, height: H * 100 }))).to.match(/EINVAL/);
		expect(errnoOf(() => display.addFb(handle, { ...good, offsets: [1 << 20] }))).to.match(/EINVAL/);
		expect(errnoOf(() => display.addFb(handle, { ...good, format: 0x12345678 }))).to.match(/EINVAL/);
		expect(errnoOf(() => display.addFb(99, good))).to.match(/ENOENT/);
		expect(errnoOf(() => display.importBuffer(display.fd))).to.match(/EINVAL/);
		expect(errnoOf(() => display.importBuffer(42))).to.match(/EBADF/);
		expect(errnoOf(() => display.removeFb(4711))).to.match(/ENOENT/);
		const fb = display.addFb(handle, good);
		expect(errnoOf(() => display.setMode(W * 2, H, fb))).to.match(/ENOSPC/);
		expect(errnoOf(() => display.waitVblank())).to.match(/EINVAL/);
		close_fd(display.fd);
	});

	it('has no node on a board without a display', () => {
		bootMachine('h616');
		expect(() => Display.open()).to.throw(/ENXIO|ENODEV/);
	});
});
