// SPDX-License-Identifier: GPL-2.0-only
// The display from user space: what the CPU draws comes out at the monitor, through the IOMMU.
import { expect } from 'chai';
import {
	iommu_get_domain_for_dev,
	iommu_iova_to_phys,
	iommu_map,
	iommu_unmap,
} from '#drivers/iommu/iommu.js';
import { close_fd } from '#fs/file.js';
import { sysfs_write } from '#fs/sysfs/user.js';
import { type FdtSource, fdtSource, parseFdt, writeFdt } from '#hw/core/fdt.js';
import { monitorOf } from '#hw/display/monitor.js';
import * as drm from '#include/uapi/drm/drm.js';
import { DRM_FORMAT_NV12, DRM_FORMAT_XRGB8888 } from '#include/uapi/drm/drm_fourcc.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { IOMMU_READ } from '#linux/iommu.js';
import { slab_leaks, slab_live } from '#linux/slab.js';
import { fail_page_alloc } from '#mm/fail_page_alloc.js';
import { slab_fault } from '#mm/failslab.js';
import { nr_used_pages } from '#mm/page_alloc.js';
import { boardBlob, bootMachine } from '#tests/boot.js';
import { failEach } from '#tests/fail-each.js';
import { text } from '#tests/hw/fdt-source.js';
import { Display } from '#tools/run/display.js';
import { draw, drmDevice, errnoOf, kept, mixerOf, videoBuffer } from '../bench.js';

const W = 64;
const H = 48;

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
			expect(master.stream).to.equal(board.endsWith('noiommu') ? -1 : 0);
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

	/** A picture of one grey on the screen, in a dumb buffer of its own. */
	function grey(display: Display, value: number): { fb: number; handle: number } {
		const dumb = display.createDumb(W, H);
		draw(display, dumb, (bytes) => bytes.fill(value));
		const format = DRM_FORMAT_XRGB8888;
		const fb = display.addFb(dumb.handle, { width: W, height: H, format, pitch: dumb.pitch, offsets: [0] });
		display.setMode(W, H, fb);
		return { fb, handle: dumb.handle };
	}

	it('faults where the memory of a picture was unmapped behind its back, and shows those rows black', () => {
		const { machine, log } = bootMachine();
		const display = Display.open();
		grey(display, 0x80);
		display.waitVblank();
		const iova = mixerOf(machine).registers.get('CH1_TOP_LADDR');
		const domain = iommu_get_domain_for_dev(drmDevice())!;
		// 256 bytes a row: page 1 has rows 16 to 31.
		const page = iova + 0x1000;
		const phys = iommu_iova_to_phys(domain, page);
		expect(phys).to.be.above(0);
		expect(log.join('\n')).to.not.match(/Page fault/);
		const rows = (): number[] => {
			const { rgb } = monitorOf(machine).capture()!;
			return Array.from({ length: H }, (_, y) => rgb[y * W * 3]);
		};
		expect(rows()).to.deep.equal(new Array(H).fill(0x80));

		expect(iommu_unmap(domain, page, 0x1000)).to.equal(0x1000);
		display.waitVblank();
		display.waitVblank();
		// sun50i-iommu.c: sun50i_iommu_report_fault()
		const address = `0x${page.toString(16).padStart(16, '0')}`;
		expect(
			log.filter((line) => line.includes(`Page fault for ${address} (master 0, dir rd)`)),
		).to.not.deep.equal([]);
		expect(rows().slice(0, 16)).to.deep.equal(new Array(16).fill(0x80));
		expect(rows().slice(16)).to.deep.equal(new Array(H - 16).fill(0));
		const { underruns } = mixerOf(machine);
		expect(underruns).to.be.above(0);

		expect(iommu_map(domain, page, phys, 0x1000, IOMMU_READ, GFP_KERNEL)).to.equal(0);
		display.waitVblank();
		display.waitVblank();
		expect(rows()).to.deep.equal(new Array(H).fill(0x80));
		display.close();
	});

	it('frees all of it when the file is closed while its picture is on the screen', () => {
		const { machine } = bootMachine();
		const round = (): void => {
			const display = Display.open();
			grey(display, 0x40);
			display.waitVblank();
			close_fd(display.fd);
		};
		// The first round leaves a page table (the driver frees none before its domain) and a cached IOVA.
		round();
		const [objects, pages] = [slab_live(), nr_used_pages()];
		round();
		expect(slab_live()).to.deep.equal(objects);
		expect(nr_used_pages()).to.equal(pages);
		// The CRTC goes on, as on Linux; the plane is off.
		expect(
			monitorOf(machine)
				.capture()!
				.rgb.every((c) => c === 0),
		).to.equal(true);
	});

	it('shows one picture after another and has the memory of the last one only', () => {
		const { machine } = bootMachine();
		const display = Display.open();
		const shown = (luma: number): void => {
			const buffer = videoBuffer(display, W, H, luma);
			display.show(buffer.fd, buffer.layout);
			close_fd(buffer.fd);
			display.closeHandle(buffer.handle);
			expect(monitorOf(machine).capture()!.rgb[0]).to.equal(luma);
		};
		shown(40);
		shown(80);
		const [objects, pages] = [slab_live(), nr_used_pages()];
		shown(120);
		expect(slab_live()).to.deep.equal(objects);
		expect(nr_used_pages()).to.equal(pages);
		display.close();
	});

	it('leaks nothing whichever allocation of showing a picture fails', () => {
		bootMachine();
		const round = (): void => {
			const display = Display.open();
			try {
				grey(display, 0x40);
			} finally {
				// A plane keeps its framebuffer when there is no memory to commit its end, as on Linux: not here.
				slab_fault.nth = fail_page_alloc.nth = 0;
				close_fd(display.fd);
			}
		};
		round();
		const [objects, pages] = [slab_live(), nr_used_pages()];
		let refused = 0;
		failEach((where) => {
			try {
				round();
			} catch (error) {
				expect((error as Error).message, where).to.match(/ENOMEM|EAGAIN/);
				refused++;
			}
			expect(kept(slab_leaks(objects)), where).to.deep.equal([]);
		});
		expect(refused).to.be.above(10);
		round();
		expect(nr_used_pages()).to.equal(pages);
	});

	const DRIVER = '/sys/bus/platform/drivers/sun4i-drm';

	it('leaves nothing when the driver is unbound, has no node then, and works again when it is bound', () => {
		const { machine } = bootMachine();
		const round = (value: number): void => {
			const display = Display.open();
			grey(display, value);
			display.waitVblank();
			expect(monitorOf(machine).capture()!.rgb[0]).to.equal(value);
			display.close();
		};
		round(1);
		const bound = slab_live();
		expect(sysfs_write(`${DRIVER}/unbind`, 'display-engine')).to.be.above(0);
		expect(() => Display.open()).to.throw(/ENXIO|ENODEV/);
		const [unbound, pages] = [slab_live(), nr_used_pages()];
		for (const value of [2, 3]) {
			expect(sysfs_write(`${DRIVER}/bind`, 'display-engine')).to.be.above(0);
			expect(kept(slab_leaks(bound))).to.deep.equal([]);
			round(value);
			expect(sysfs_write(`${DRIVER}/unbind`, 'display-engine')).to.be.above(0);
			expect(kept(slab_leaks(unbound))).to.deep.equal([]);
			expect(nr_used_pages()).to.equal(pages);
		}
	});

	it('leaks nothing whichever allocation of binding it fails', () => {
		bootMachine();
		const bind = (): number => sysfs_write(`${DRIVER}/bind`, 'display-engine');
		const unbind = (): number => sysfs_write(`${DRIVER}/unbind`, 'display-engine');
		unbind();
		bind();
		unbind();
		const objects = slab_live();
		let refused = 0;
		failEach((where) => {
			const bound = bind() > 0;
			slab_fault.nth = fail_page_alloc.nth = 0;
			if (!bound) refused++;
			else if (unbind() < 0) throw new Error(where);
			expect(kept(slab_leaks(objects)), where).to.deep.equal([]);
		});
		expect(refused).to.be.above(50);
		expect(bind()).to.be.above(0);
		const display = Display.open();
		grey(display, 0x20);
		display.close();
	});

	it('answers -ENODEV to a file that outlives its device, and frees all of it when that is closed', () => {
		bootMachine();
		const display = Display.open();
		expect(sysfs_write(`${DRIVER}/unbind`, 'display-engine')).to.be.above(0);
		expect(errnoOf(() => display.waitVblank())).to.match(/ENODEV/);
		const before = slab_live();
		close_fd(display.fd);
		expect(before.drm_device - (slab_live().drm_device ?? 0)).to.equal(1);
		expect(sysfs_write(`${DRIVER}/bind`, 'display-engine')).to.be.above(0);
		Display.open().close();
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

	describe('on a board whose graph is wrong', () => {
		/** Boot with @change made to the node at @path; what is said of circles. */
		function circles(path: string, change: (node: FdtSource, root: FdtSource) => void): string[] {
			const root = fdtSource(parseFdt(boardBlob('sun50i-h6-orangepi-3')).root);
			change(nodeAt(root, path), root);
			return bootMachine(writeFdt(root)).log.filter((line) => line.includes('circle'));
		}
		const nodeAt = (root: FdtSource, path: string): FdtSource =>
			path.split('/').reduce((at, name) => at.children.find((n) => n.name === name)!, root);
		const TCON = 'soc/lcd-controller@6515000';
		const MIXER_OUT = 'soc/bus@1000000/mixer@100000/ports/port@1/endpoint';

		it('waits for a timing controller that nobody knows, and does not go back to TCON TOP', () => {
			const said = circles(TCON, (tcon) => tcon.props.set('compatible', text('nobody,knows')));
			expect(said.join()).to.include(
				'sun4i-drm display-engine: The pipeline leads in a circle: from /soc/lcd-controller@6515000 back to /soc/tcon-top@6510000',
			);
			expect(() => Display.open()).to.throw(/ENXIO|ENODEV/);
		});

		it('looks once at a mixer that feeds itself', () => {
			const said = circles(MIXER_OUT, ({ props }) => props.set('remote-endpoint', props.get('phandle')!));
			expect(said).to.have.length(1);
		});

		it('finds no engine for a timing controller that feeds itself', () => {
			const said = circles(`${TCON}/ports/port@0/endpoint`, ({ props }) =>
				props.set('remote-endpoint', props.get('phandle')!),
			);
			expect(said.join()).to.include('sun4i-tcon 6515000.lcd-controller: The pipeline leads in a circle');
			expect(() => Display.open()).to.throw(/ENXIO|ENODEV/);
		});
	});
});
