// SPDX-License-Identifier: GPL-2.0-only
// dma_map_benchmark: how long a device's mappings take, asked for through debugfs.
// Linux 6.12: kernel/dma/map_benchmark.c (CONFIG_DMA_MAP_BENCHMARK)
// Left out: PCI devices, and binding threads to a node's CPUs (there is one node).
//
// Threads take turns, a round each: they never meet inside a mapping, as they do on many CPUs.
// Virtual time stands still while code runs: by it a mapping takes what its register accesses and delays take. On a
// machine with a stop watch the time is the computer's own.
import { machine } from '#arch/arm64/kernel/setup.js';
import { get_device, put_device } from '#drivers/base/core.js';
import { devm_add_action, devm_kzalloc } from '#drivers/base/devres.js';
import { debugfs_create_file, debugfs_remove } from '#fs/debugfs/inode.js';
import { simple_open } from '#fs/libfs.js';
import { dma_map_single, dma_set_mask, dma_unmap_single } from '#kernel/dma/mapping.js';
import { wake_up_process } from '#kernel/sched/core.js';
import { ktime_get } from '#kernel/time/timekeeping.js';
import { int_sqrt64 } from '#lib/math/int_sqrt.js';
import { atomic64_add, atomic64_inc, atomic64_read, atomic64_set, type atomic64_t } from '#linux/atomic.js';
import type { dentry } from '#linux/debugfs.js';
import { msleep_interruptible, ndelay } from '#linux/delay.js';
import { dev_name, type device } from '#linux/device.js';
import {
	DMA_BIDIRECTIONAL,
	DMA_FROM_DEVICE,
	DMA_TO_DEVICE,
	type dma_data_direction,
} from '#linux/dma-direction.js';
import { DMA_BIT_MASK, dma_get_mask, dma_mapping_error } from '#linux/dma-mapping.js';
import { IS_ERR, PTR_ERR } from '#linux/err.js';
import { EINVAL, ENOMEM } from '#linux/errno.js';
import type { file, file_operations } from '#linux/fs.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { kthread_create, kthread_run_again, kthread_should_stop, kthread_stop } from '#linux/kthread.js';
import {
	DMA_MAP_BENCHMARK,
	DMA_MAP_BIDIRECTIONAL,
	DMA_MAP_FROM_DEVICE,
	DMA_MAP_MAX_SECONDS,
	DMA_MAP_MAX_THREADS,
	DMA_MAP_MAX_TRANS_DELAY,
	DMA_MAP_TO_DEVICE,
	map_benchmark,
} from '#linux/map_benchmark.js';
import { PAGE_SIZE } from '#linux/mm.js';
import { MAX_NUMNODES, NUMA_NO_NODE } from '#linux/numa.js';
import { module_platform_driver, type platform_device, platform_driver } from '#linux/platform_device.js';
import { pr_err } from '#linux/printk.js';
import type { task_struct } from '#linux/sched/task.js';
import { kcalloc, kfree } from '#linux/slab.js';
import type { int, long, u64, unsigned_int, void_ptr } from '#linux/types.js';
import { alloc_pages_exact, free_pages_exact } from '#mm/page_alloc.js';

/** What a turn of a thread takes at least, so that the time for which it runs comes to an end. */
const TURN_NS = 1000;

class map_benchmark_data {
	bparam = new map_benchmark();
	dev: device | null = null;
	debugfs: dentry | null = null;
	dir: dma_data_direction = DMA_BIDIRECTIONAL;
	readonly sum_map_100ns: atomic64_t = { counter: 0 };
	readonly sum_unmap_100ns: atomic64_t = { counter: 0 };
	readonly sum_sq_map: atomic64_t = { counter: 0 };
	readonly sum_sq_unmap: atomic64_t = { counter: 0 };
	readonly loops: atomic64_t = { counter: 0 };
}

/** One thread, and what are its local variables in C: it comes back from every round. */
class map_benchmark_thread_data {
	map: map_benchmark_data | null = null;
	tsk: task_struct | null = null;
	buf: void_ptr | null = null;
}

function stamp(): u64 {
	return machine.stopwatch === null ? ktime_get() : machine.stopwatch();
}

/** Map, wait, unmap, and add what that took to the sums: 0 or -ENOMEM. */
function map_benchmark_round(map: map_benchmark_data, buf: void_ptr): int {
	const dev = map.dev as device;

	// What the CPU has just written lies in its cache, and getting it out of there is a part of the cost. In this
	// machine a store of what is there already leaves a line clean: the bytes change each time.
	if (map.dir !== DMA_FROM_DEVICE) buf.fill(buf[0] === 0x66 ? 0x99 : 0x66);

	const map_stime = stamp();
	const dma_addr = dma_map_single(dev, buf, buf.length, map.dir);
	if (dma_mapping_error(dev, dma_addr) !== 0) {
		pr_err('map_benchmark: dma_map_single failed on %s', dev_name(dev));
		return -ENOMEM;
	}
	const map_100ns = Math.floor((stamp() - map_stime) / 100);

	ndelay(map.bparam.dma_trans_ns);

	const unmap_stime = stamp();
	dma_unmap_single(dev, dma_addr, buf.length, map.dir);
	const unmap_100ns = Math.floor((stamp() - unmap_stime) / 100);

	atomic64_add(map_100ns, map.sum_map_100ns);
	atomic64_add(unmap_100ns, map.sum_unmap_100ns);
	atomic64_add(map_100ns * map_100ns, map.sum_sq_map);
	atomic64_add(unmap_100ns * unmap_100ns, map.sum_sq_unmap);
	atomic64_inc(map.loops);
	return 0;
}

/** One turn of a thread: a round. The last one, when it is told to stop, gives its memory back. */
function map_benchmark_thread(data: map_benchmark_thread_data): int {
	const map = data.map as map_benchmark_data;
	let ret: int = 0;

	if (data.buf === null) data.buf = alloc_pages_exact(map.bparam.granule * PAGE_SIZE, GFP_KERNEL);
	if (data.buf === null) return -ENOMEM;

	if (!kthread_should_stop()) {
		const start = stamp();
		ret = map_benchmark_round(map, data.buf);
		if (ret === 0) {
			ndelay(Math.max(TURN_NS, machine.stopwatch === null ? 0 : Math.floor(stamp() - start)));
			kthread_run_again();
			return 0;
		}
	}
	free_pages_exact(data.buf, data.buf.length);
	return ret;
}

/** Average and standard deviation of @loops values. */
function statistics(sum: u64, sum_sq: u64, loops: u64): [average: u64, stddev: u64] {
	const average = Math.floor(sum / loops);
	return [average, int_sqrt64(Math.floor(sum_sq / loops) - average * average)];
}

/** Let @threads of them run for the time that was asked for: 0, or what a thread answered. */
function map_benchmark_run(map: map_benchmark_data, threads: map_benchmark_thread_data[]): int {
	for (let i = 0; i < threads.length; i++) {
		const thread = threads[i];
		thread.map = map;
		const tsk = kthread_create(map_benchmark_thread, thread, 'dma-map-benchmark/%d', i);
		if (IS_ERR(tsk)) {
			pr_err('map_benchmark: create dma_map thread failed');
			while (--i >= 0) kthread_stop(threads[i].tsk as task_struct);
			return PTR_ERR(tsk);
		}
		thread.tsk = tsk;
	}

	atomic64_set(map.sum_map_100ns, 0);
	atomic64_set(map.sum_unmap_100ns, 0);
	atomic64_set(map.sum_sq_map, 0);
	atomic64_set(map.sum_sq_unmap, 0);
	atomic64_set(map.loops, 0);

	for (const thread of threads) wake_up_process(thread.tsk as task_struct);
	msleep_interruptible(map.bparam.seconds * 1000);

	let ret: int = 0;
	for (const thread of threads) {
		const kthread_ret = kthread_stop(thread.tsk as task_struct);
		if (kthread_ret !== 0) ret = kthread_ret;
	}
	return ret;
}

function do_map_benchmark(map: map_benchmark_data): int {
	const { bparam } = map;
	const threads = kcalloc(bparam.threads, map_benchmark_thread_data, GFP_KERNEL);
	if (threads === null) return -ENOMEM;

	get_device(map.dev);
	const ret = map_benchmark_run(map, threads);
	const loops = atomic64_read(map.loops);
	if (ret === 0 && loops > 0) {
		[bparam.avg_map_100ns, bparam.map_stddev] = statistics(
			atomic64_read(map.sum_map_100ns),
			atomic64_read(map.sum_sq_map),
			loops,
		);
		[bparam.avg_unmap_100ns, bparam.unmap_stddev] = statistics(
			atomic64_read(map.sum_unmap_100ns),
			atomic64_read(map.sum_sq_unmap),
			loops,
		);
	}
	put_device(map.dev);
	kfree(threads);
	return ret;
}

const directions: Readonly<Record<unsigned_int, dma_data_direction>> = {
	[DMA_MAP_BIDIRECTIONAL]: DMA_BIDIRECTIONAL,
	[DMA_MAP_TO_DEVICE]: DMA_TO_DEVICE,
	[DMA_MAP_FROM_DEVICE]: DMA_FROM_DEVICE,
};

/** What is wrong with the question, for the log; null when it can be asked. */
function invalid_param({
	threads,
	seconds,
	dma_trans_ns,
	node,
	granule,
	dma_dir,
}: map_benchmark): string | null {
	if (threads === 0 || threads > DMA_MAP_MAX_THREADS) return 'invalid thread number';
	if (seconds === 0 || seconds > DMA_MAP_MAX_SECONDS) return 'invalid duration seconds';
	if (dma_trans_ns > DMA_MAP_MAX_TRANS_DELAY) return 'invalid transmission delay';
	if (node !== NUMA_NO_NODE && (node < 0 || node >= MAX_NUMNODES)) return 'invalid numa node';
	if (granule < 1 || granule > 1024) return 'invalid granule size';
	return directions[dma_dir] === undefined ? 'invalid DMA direction' : null;
}

/** The only command, DMA_MAP_BENCHMARK; the answer is put into @arg when it succeeds. */
function map_benchmark_ioctl(file: file, cmd: unsigned_int, arg: unknown): long {
	const map = file.private_data as map_benchmark_data;
	const dev = map.dev as device;

	map.bparam = Object.assign(new map_benchmark(), arg);
	if (cmd !== DMA_MAP_BENCHMARK) return -EINVAL;

	const invalid = invalid_param(map.bparam);
	if (invalid !== null) {
		pr_err('map_benchmark: %s', invalid);
		return -EINVAL;
	}
	map.dir = directions[map.bparam.dma_dir];

	const old_dma_mask = dma_get_mask(dev);
	if (dma_set_mask(dev, DMA_BIT_MASK(map.bparam.dma_bits)) !== 0) {
		pr_err('map_benchmark: failed to set dma_mask on device %s', dev_name(dev));
		return -EINVAL;
	}
	const ret = do_map_benchmark(map);
	// The mask is the device's: a driver that is bound to it later relies on what it was given.
	dma_set_mask(dev, old_dma_mask);
	if (ret !== 0) return ret;

	Object.assign(arg as map_benchmark, map.bparam);
	return 0;
}

const map_benchmark_fops: file_operations = {
	open: simple_open,
	unlocked_ioctl: map_benchmark_ioctl,
};

function map_benchmark_remove_debugfs(map: map_benchmark_data): void {
	debugfs_remove(map.debugfs);
}

function __map_benchmark_probe(dev: device): int {
	const map = devm_kzalloc(dev, map_benchmark_data, GFP_KERNEL);
	if (map === null) return -ENOMEM;
	map.dev = dev;

	const ret = devm_add_action(dev, map_benchmark_remove_debugfs, map);
	if (ret !== 0) {
		pr_err("map_benchmark: Can't add debugfs remove action");
		return ret;
	}

	// There is one file, so a second device cannot be bound.
	const entry = debugfs_create_file('dma_map_benchmark', 0o600, null, map, map_benchmark_fops);
	if (IS_ERR(entry)) return PTR_ERR(entry);
	map.debugfs = entry;
	return 0;
}

function map_benchmark_platform_probe(pdev: platform_device): int {
	return __map_benchmark_probe(pdev.dev);
}

const map_benchmark_platform_driver = new platform_driver({
	driver: { name: 'dma_map_benchmark' },
	probe: map_benchmark_platform_probe,
});
module_platform_driver(map_benchmark_platform_driver);
