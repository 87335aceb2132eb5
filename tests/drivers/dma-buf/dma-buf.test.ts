// SPDX-License-Identifier: GPL-2.0-only
// Errors and reference counts: Linux 6.12, drivers/dma-buf/dma-buf.c.
import { expect } from 'chai';
import sinon from 'sinon';
import {
	dma_buf_attach,
	dma_buf_begin_cpu_access,
	dma_buf_detach,
	dma_buf_export,
	dma_buf_fd,
	dma_buf_get,
	dma_buf_map_attachment_unlocked,
	dma_buf_put,
	dma_buf_unmap_attachment_unlocked,
	dma_buf_vmap_unlocked,
	dma_buf_vunmap_unlocked,
} from '#drivers/dma-buf/dma-buf.js';
import { close_fd, fget } from '#fs/file.js';
import { fput } from '#fs/file_table.js';
import { ksys_ioctl } from '#fs/open.js';
import { device } from '#linux/device.js';
import {
	DEFINE_DMA_BUF_EXPORT_INFO,
	DMA_BUF_IOCTL_SYNC,
	DMA_BUF_SYNC_END,
	DMA_BUF_SYNC_READ,
	type dma_buf,
	type dma_buf_attachment,
	type dma_buf_ops,
	dma_buf_sync,
} from '#linux/dma-buf.js';
import { DMA_FROM_DEVICE, DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { ERR_PTR, IS_ERR, PTR_ERR } from '#linux/err.js';
import { EBADF, EBUSY, EINVAL, EMFILE, ENOMEM } from '#linux/errno.js';
import { iosys_map } from '#linux/iosys-map.js';
import { sg_table } from '#linux/scatterlist.js';
import { slab_leaks, slab_live } from '#linux/slab.js';
import { slab_fault } from '#mm/failslab.js';
import { bootFake } from '#tests/fake-machine.js';
import { expectWarning } from '#tests/setup.js';

function ok<T>(x: T): Exclude<T, { errno: number }> {
	if (IS_ERR(x)) throw new Error(`error ${x.errno}`);
	return x as Exclude<T, { errno: number }>;
}

function spies() {
	return {
		map_dma_buf: sinon.spy((_attach: dma_buf_attachment) => new sg_table()),
		unmap_dma_buf: sinon.spy(),
		release: sinon.spy(),
		attach: sinon.spy((_buf: dma_buf) => 0),
		detach: sinon.spy(),
	};
}

function makeOps(extra: Partial<dma_buf_ops> = {}): dma_buf_ops {
	return { ...spies(), ...extra };
}

function exported(ops: dma_buf_ops): dma_buf {
	const info = DEFINE_DMA_BUF_EXPORT_INFO('test');
	info.ops = ops;
	info.size = 8192;
	info.priv = {};
	return ok(dma_buf_export(info));
}

describe('dma_buf', () => {
	let before: Record<string, number>;
	beforeEach(() => {
		bootFake();
		before = slab_live();
	});
	afterEach(() => {
		expect(slab_leaks(before)).to.deep.equal([]);
	});

	it('releases the buffer with its last reference, and no sooner', () => {
		const ops = spies();
		const buf = exported(ops);
		const fd = dma_buf_fd(buf, 0);
		expect(fd).to.equal(0);
		expect(dma_buf_get(fd)).to.equal(buf);
		expect(close_fd(fd)).to.equal(0);
		expect(ops.release.called).to.equal(false);
		dma_buf_put(buf);
		expect(ops.release.calledOnceWithExactly(buf)).to.equal(true);
	});

	it('refuses to export without a private pointer', () => {
		expectWarning(/./);
		const info = DEFINE_DMA_BUF_EXPORT_INFO('test');
		info.ops = makeOps();
		expect(PTR_ERR(dma_buf_export(info))).to.equal(-EINVAL);
	});

	it('leaves nothing behind when any allocation of an export fails', () => {
		for (let nth = 1; nth <= 3; nth++) {
			slab_fault.nth = nth;
			const info = DEFINE_DMA_BUF_EXPORT_INFO('test');
			info.ops = makeOps();
			info.priv = {};
			expect(PTR_ERR(dma_buf_export(info)), `allocation ${nth}`).to.equal(-ENOMEM);
			slab_fault.nth = 0;
			expect(slab_leaks(before)).to.deep.equal([]);
		}
	});

	it('answers -EBADF for a closed descriptor and -EINVAL for a file that is no dma-buf', () => {
		expect(PTR_ERR(dma_buf_get(3))).to.equal(-EBADF);
		expect(PTR_ERR(dma_buf_get(-1))).to.equal(-EBADF);
		expect(close_fd(3)).to.equal(-EBADF);
	});

	it('answers -EMFILE when the table of files is full', () => {
		const ops = spies();
		const bufs = Array.from({ length: 64 }, () => exported(ops));
		bufs.forEach((buf, i) => {
			expect(dma_buf_fd(buf, 0)).to.equal(i);
		});
		const more = exported(ops);
		expect(dma_buf_fd(more, 0)).to.equal(-EMFILE);
		dma_buf_put(more);
		for (let fd = 0; fd < 64; fd++) close_fd(fd);
		expect(ops.release.callCount).to.equal(65);
	});

	it('asks the exporter to attach, map, unmap and detach, in that order', () => {
		const ops = spies();
		const buf = exported(ops);
		const attach = ok(dma_buf_attach(buf, new device()));
		const sgt = ok(dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE));
		dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
		dma_buf_detach(buf, attach);
		sinon.assert.callOrder(ops.attach, ops.map_dma_buf, ops.unmap_dma_buf, ops.detach);
		dma_buf_put(buf);
	});

	it('keeps the mapping of an exporter that caches it, refuses another direction, and ends it with the attachment', () => {
		const ops = { ...spies(), cache_sgt_mapping: true };
		const buf = exported(ops);
		const attach = ok(dma_buf_attach(buf, new device()));
		const sgt = ok(dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE));
		dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
		expect(ops.unmap_dma_buf.called).to.equal(false);
		expect(dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE)).to.equal(sgt);
		expect(PTR_ERR(dma_buf_map_attachment_unlocked(attach, DMA_FROM_DEVICE))).to.equal(-EBUSY);
		dma_buf_detach(buf, attach);
		expect(ops.unmap_dma_buf.calledOnce).to.equal(true);
		dma_buf_put(buf);
	});

	it('hands on the error of an exporter that does not attach or map', () => {
		const buf = exported(makeOps({ attach: () => -EBUSY }));
		expect(PTR_ERR(dma_buf_attach(buf, new device()))).to.equal(-EBUSY);
		dma_buf_put(buf);
		const other = exported(makeOps({ map_dma_buf: () => null }));
		const attach = ok(dma_buf_attach(other, new device()));
		expect(PTR_ERR(dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE))).to.equal(-ENOMEM);
		dma_buf_detach(other, attach);
		dma_buf_put(other);
		const third = exported(makeOps({ map_dma_buf: () => ERR_PTR(-EINVAL) }));
		const attach3 = ok(dma_buf_attach(third, new device()));
		expect(PTR_ERR(dma_buf_map_attachment_unlocked(attach3, DMA_TO_DEVICE))).to.equal(-EINVAL);
		dma_buf_detach(third, attach3);
		dma_buf_put(third);
	});

	it('counts the kernel mappings of a buffer and asks the exporter once', () => {
		const vaddr = new Uint8Array(8192);
		const vmap = sinon.spy((_buf: dma_buf, map: iosys_map) => {
			map.vaddr = vaddr;
			return 0;
		});
		const vunmap = sinon.spy();
		const buf = exported(makeOps({ vmap, vunmap }));
		const [a, b] = [new iosys_map(), new iosys_map()];
		expect(dma_buf_vmap_unlocked(buf, a)).to.equal(0);
		expect(dma_buf_vmap_unlocked(buf, b)).to.equal(0);
		expect(b.vaddr).to.equal(vaddr);
		expect(vmap.calledOnce).to.equal(true);
		dma_buf_vunmap_unlocked(buf, a);
		expect(vunmap.called).to.equal(false);
		dma_buf_vunmap_unlocked(buf, b);
		expect(vunmap.calledOnce).to.equal(true);
		dma_buf_put(buf);
	});

	it('brackets CPU access by DMA_BUF_IOCTL_SYNC', () => {
		const begin_cpu_access = sinon.spy((_buf: dma_buf, _dir: number) => 0);
		const end_cpu_access = sinon.spy(() => 0);
		const buf = exported(makeOps({ begin_cpu_access, end_cpu_access }));
		const fd = dma_buf_fd(buf, 0);
		const sync = new dma_buf_sync();
		sync.flags = DMA_BUF_SYNC_READ;
		expect(ksys_ioctl(fd, DMA_BUF_IOCTL_SYNC, sync)).to.equal(0);
		expect(begin_cpu_access.calledOnceWithExactly(buf, DMA_FROM_DEVICE)).to.equal(true);
		sync.flags = DMA_BUF_SYNC_READ | DMA_BUF_SYNC_END;
		expect(ksys_ioctl(fd, DMA_BUF_IOCTL_SYNC, sync)).to.equal(0);
		expect(end_cpu_access.calledOnce).to.equal(true);
		sync.flags = 0x40;
		expect(ksys_ioctl(fd, DMA_BUF_IOCTL_SYNC, sync)).to.equal(-EINVAL);
		expect(dma_buf_begin_cpu_access(buf, DMA_TO_DEVICE)).to.equal(0);
		const file = fget(fd);
		if (file) fput(file);
		close_fd(fd);
	});
});
