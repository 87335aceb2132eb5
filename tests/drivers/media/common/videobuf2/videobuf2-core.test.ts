// SPDX-License-Identifier: GPL-2.0-only
// States and errors are those of Linux 6.12's videobuf2-core.c.
import { expect } from 'chai';
import sinon from 'sinon';
import { vb2_buffer_done, vb2_core_queue_release } from '#drivers/media/common/videobuf2/videobuf2-core.js';
import {
	vb2_dqbuf,
	vb2_qbuf,
	vb2_querybuf,
	vb2_queue_init,
	vb2_reqbufs,
	vb2_streamoff,
	vb2_streamon,
} from '#drivers/media/common/videobuf2/videobuf2-v4l2.js';
import type { Machine } from '#hw/core/machine.js';
import {
	VB2_BUF_STATE_DONE,
	VB2_BUF_STATE_ERROR,
	VB2_BUF_STATE_QUEUED,
	VB2_DMABUF,
	VB2_MEMORY_UNKNOWN,
	VB2_MMAP,
	type vb2_buffer,
	vb2_get_num_buffers,
	type vb2_mem_ops,
	type vb2_ops,
	vb2_queue,
} from '#include/media/videobuf2-core.js';
import {
	V4L2_BUF_FLAG_DONE,
	V4L2_BUF_FLAG_ERROR,
	V4L2_BUF_FLAG_MAPPED,
	V4L2_BUF_FLAG_QUEUED,
	V4L2_BUF_FLAG_TIMESTAMP_COPY,
	V4L2_BUF_TYPE_VIDEO_CAPTURE,
	V4L2_MEMORY_MMAP,
	v4l2_buffer,
	v4l2_requestbuffers,
} from '#include/uapi/linux/videodev2.js';
import { start_kernel } from '#init/main.js';
import { mod_timer } from '#kernel/time/timer.js';
import { device } from '#linux/device.js';
import { ERR_PTR } from '#linux/err.js';
import { EBUSY, EINVAL, EIO, ENOMEM } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import { jiffies, msecs_to_jiffies } from '#linux/jiffies.js';
import { mutex } from '#linux/mutex.js';
import { kfree, kzalloc, slab_leaks, slab_live } from '#linux/slab.js';
import { timer_list, timer_setup } from '#linux/timer.js';
import { slab_fault } from '#mm/failslab.js';
import { h6 } from '#tests/hw/h6.js';

class TestMem {
	users = 1;
}

interface Bench {
	readonly machine: Machine;
	readonly q: vb2_queue;
	/** Buffers that the driver has. */
	readonly queued: vb2_buffer[];
	readonly ops: { start_streaming: sinon.SinonSpy; stop_streaming: sinon.SinonSpy };
	fail: number;
}

function bench(extra: Partial<vb2_ops> = {}): Bench {
	const machine = h6();
	start_kernel(machine);
	const queued: vb2_buffer[] = [];
	const b: Bench = {
		machine,
		q: new vb2_queue(),
		queued,
		ops: {
			start_streaming: sinon.spy(() => 0),
			stop_streaming: sinon.spy(() => {
				for (const vb of queued.splice(0)) vb2_buffer_done(vb, VB2_BUF_STATE_ERROR);
			}),
		},
		fail: 0,
	};
	const mem_ops: vb2_mem_ops = {
		alloc: () => (b.fail > 0 && --b.fail === 0 ? ERR_PTR(-ENOMEM) : kzalloc(TestMem, GFP_KERNEL)),
		put: (priv) => kfree(priv),
		mmap: () => 0,
		num_users: (priv) => (priv as TestMem).users,
		prepare: sinon.spy(),
		finish: sinon.spy(),
	};
	const { q } = b;
	q.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	q.io_modes = VB2_MMAP | VB2_DMABUF;
	q.dev = new device();
	q.lock = new mutex('test');
	q.mem_ops = mem_ops;
	q.timestamp_flags = V4L2_BUF_FLAG_TIMESTAMP_COPY;
	q.ops = {
		queue_setup: (_q, _n, planes, sizes) => {
			if (planes.value === 0) {
				planes.value = 1;
				sizes[0] = 6000;
			}
			return 0;
		},
		buf_queue: (vb) => queued.push(vb),
		start_streaming: b.ops.start_streaming,
		stop_streaming: b.ops.stop_streaming,
		...extra,
	};
	expect(vb2_queue_init(q)).to.equal(0);
	return b;
}

function reqbufs(q: vb2_queue, count: number): { ret: number; count: number } {
	const req = new v4l2_requestbuffers();
	req.type = q.type;
	req.memory = V4L2_MEMORY_MMAP;
	req.count = count;
	const ret = vb2_reqbufs(q, req);
	return { ret, count: req.count };
}

function buffer(index = 0): v4l2_buffer {
	const b = new v4l2_buffer();
	b.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	b.memory = V4L2_MEMORY_MMAP;
	b.index = index;
	return b;
}

describe('videobuf2_core', () => {
	it('allocates what is asked for, in whole pages, and tells where to mmap it', () => {
		const { q } = bench();
		expect(reqbufs(q, 3)).to.deep.equal({ ret: 0, count: 3 });
		const b = buffer(2);
		expect(vb2_querybuf(q, b)).to.equal(0);
		// PLANE_INDEX_SHIFT: PAGE_SHIFT + 3
		expect(b.m.offset).to.equal(2 << 15);
		expect(b.length).to.equal(6000);
		expect(b.flags & V4L2_BUF_FLAG_MAPPED).to.equal(0);
		vb2_core_queue_release(q);
	});

	it('frees everything with REQBUFS(0) and with the release of the queue', () => {
		const { q } = bench();
		const before = slab_live();
		reqbufs(q, 4);
		expect(reqbufs(q, 0)).to.deep.equal({ ret: 0, count: 0 });
		expect(vb2_get_num_buffers(q)).to.equal(0);
		reqbufs(q, 2);
		vb2_core_queue_release(q);
		expect(slab_leaks(before)).to.deep.equal([]);
	});

	it('makes do with fewer buffers when memory is short, and answers -ENOMEM without any', () => {
		const b = bench();
		const before = slab_live();
		b.fail = 3;
		expect(reqbufs(b.q, 4)).to.deep.equal({ ret: 0, count: 2 });
		vb2_core_queue_release(b.q);
		b.fail = 1;
		expect(reqbufs(b.q, 4).ret).to.equal(-ENOMEM);
		expect(slab_leaks(before)).to.deep.equal([]);
	});

	it('leaks nothing whichever allocation of a REQBUFS fails', () => {
		for (let nth = 1; nth <= 8; nth++) {
			const { q } = bench();
			const before = slab_live();
			slab_fault.nth = nth;
			const { ret } = reqbufs(q, 2);
			slab_fault.nth = 0;
			// A queue without buffers takes any kind of memory.
			if (ret !== 0) expect(q.memory, `allocation ${nth}`).to.equal(VB2_MEMORY_UNKNOWN);
			vb2_core_queue_release(q);
			expect(slab_leaks(before), `allocation ${nth}`).to.deep.equal([]);
		}
	});

	it('gives queued buffers to the driver when streaming starts, and later ones at once', () => {
		const { q, queued, ops } = bench();
		reqbufs(q, 2);
		expect(vb2_qbuf(q, buffer(0))).to.equal(0);
		expect(queued).to.have.lengthOf(0);
		expect(vb2_streamon(q, q.type)).to.equal(0);
		expect(queued.map((vb) => vb.index)).to.deep.equal([0]);
		expect(ops.start_streaming.calledOnceWith(q, 1)).to.equal(true);
		const b = buffer(1);
		expect(vb2_qbuf(q, b)).to.equal(0);
		expect(b.flags & V4L2_BUF_FLAG_QUEUED).to.equal(V4L2_BUF_FLAG_QUEUED);
		expect(queued.map((vb) => vb.index)).to.deep.equal([0, 1]);
		expect(vb2_qbuf(q, buffer(1)), 'queued twice').to.equal(-EINVAL);
		vb2_core_queue_release(q);
	});

	it('sleeps in DQBUF until somebody finishes a buffer', () => {
		const { q, queued, machine } = bench();
		reqbufs(q, 2);
		vb2_qbuf(q, buffer(0));
		vb2_qbuf(q, buffer(1));
		vb2_streamon(q, q.type);
		const timer = new timer_list();
		timer_setup(
			timer,
			() => {
				vb2_buffer_done(queued.shift()!, VB2_BUF_STATE_DONE);
				vb2_buffer_done(queued.shift()!, VB2_BUF_STATE_ERROR);
			},
			0,
		);
		const start = machine.now();
		mod_timer(timer, jiffies() + msecs_to_jiffies(20));
		const b = buffer();
		expect(vb2_dqbuf(q, b, false)).to.equal(0);
		expect(machine.now() - start).to.be.within(16e6, 30e6);
		expect(b.index).to.equal(0);
		expect(b.flags & (V4L2_BUF_FLAG_DONE | V4L2_BUF_FLAG_ERROR | V4L2_BUF_FLAG_QUEUED)).to.equal(0);
		expect(vb2_dqbuf(q, b, true)).to.equal(0);
		expect(b.index).to.equal(1);
		expect(b.flags & V4L2_BUF_FLAG_ERROR).to.equal(V4L2_BUF_FLAG_ERROR);
		vb2_core_queue_release(q);
	});

	it('takes back every buffer at STREAMOFF', () => {
		const { q, queued, ops } = bench();
		reqbufs(q, 2);
		vb2_qbuf(q, buffer(0));
		vb2_streamon(q, q.type);
		expect(vb2_streamoff(q, q.type)).to.equal(0);
		expect(ops.stop_streaming.calledOnce).to.equal(true);
		expect(queued).to.have.lengthOf(0);
		expect(vb2_dqbuf(q, buffer(), false)).to.equal(-EINVAL);
		expect(vb2_qbuf(q, buffer(0)), 'and they can be queued again').to.equal(0);
		vb2_core_queue_release(q);
	});

	it('hands the buffers back when the driver refuses to start', () => {
		const queued: vb2_buffer[] = [];
		const { q } = bench({
			buf_queue: (vb) => {
				queued.push(vb);
			},
			start_streaming: () => {
				for (const vb of queued.splice(0)) vb2_buffer_done(vb, VB2_BUF_STATE_QUEUED);
				return -EIO;
			},
		});
		reqbufs(q, 1);
		vb2_qbuf(q, buffer(0));
		expect(vb2_streamon(q, q.type)).to.equal(-EIO);
		expect(q.streaming).to.equal(false);
		vb2_core_queue_release(q);
	});

	const refusals: [string, (b: Bench) => number, number][] = [
		['STREAMON without buffers', ({ q }) => vb2_streamon(q, q.type), -EINVAL],
		['STREAMON of another type', ({ q }) => vb2_streamon(q, 99), -EINVAL],
		['QBUF of a buffer that is not there', ({ q }) => vb2_qbuf(q, buffer(7)), -EINVAL],
		['DQBUF while not streaming', ({ q }) => vb2_dqbuf(q, buffer(), true), -EINVAL],
		[
			'REQBUFS while streaming',
			({ q }) => {
				reqbufs(q, 1);
				vb2_streamon(q, q.type);
				const { ret } = reqbufs(q, 1);
				vb2_core_queue_release(q);
				return ret;
			},
			-EBUSY,
		],
	];
	for (const [what, run, errno] of refusals)
		it(`refuses ${what}`, () => {
			expect(run(bench())).to.equal(errno);
		});
});
