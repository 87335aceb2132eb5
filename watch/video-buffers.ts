// SPDX-License-Identifier: GPL-2.0-only
// Buffers of the V4L2 queues, as their driver gets them and gives them back.
//
//   INV-LIVE-MAP  as many bytes as the buffer says lie in one live mapping of its device, one behind the other; a buffer
//                 that is done is the device's no more
//   INV-OWN       of memory that the device does not snoop, no dirty line goes to the driver, and no stale one to the
//                 program, unless the program has said that it does without (V4L2_BUF_FLAG_NO_CACHE_*)

import '#include/trace/events/vb2.js';
import { hex } from '#hw/core/register-file.js';
import { VB2_BUF_STATE_QUEUED, type vb2_buffer, type vb2_queue } from '#include/media/videobuf2-core.js';
import type { device } from '#linux/device.js';
import { DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { type BufferTargets, beyond } from './buffer-targets.js';
import { attachProbes } from './kernel.js';
import type { Client, Mapping } from './mappings.js';
import type { Invariant } from './report.js';
import type { Watched } from './watcher.js';

/** A plane of a buffer, and what it lies in. */
interface Plane {
	readonly client: Client;
	readonly mapping: Mapping | null;
	readonly addr: number;
	readonly size: number;
	readonly text: string;
}

export class VideoBuffers {
	constructor(
		readonly watched: Watched,
		readonly targets: BufferTargets,
		/** Null: it has mapped nothing. */
		readonly clientOf: (dev: device) => Client | null,
	) {}

	watchKernel(): () => void {
		return attachProbes({
			vb2_buf_queue: (_data: unknown, q: vb2_queue, vb: vb2_buffer) => this.#queued(q, vb),
			vb2_buf_done: (_data: unknown, q: vb2_queue, vb: vb2_buffer) => this.#done(q, vb),
		});
	}

	#queued(q: vb2_queue, vb: vb2_buffer): void {
		const { mem_ops } = q;
		for (const plane of this.#planes(q, vb)) {
			const { client, mapping, addr, size } = plane;
			const missing = mapping === null ? size : beyond(mapping, addr, size);
			if (missing !== 0) {
				const fn = (vb.planes[0].dbuf === null ? mem_ops.alloc : mem_ops.map_dmabuf)?.name;
				this.#find('INV-LIVE-MAP', 'queued-out-of-bounds', plane, fn, [
					`The driver gets ${missing} bytes that are in no mapping that begins there`,
					`has to refuse a buffer whose memory is smaller, or is not one stretch of device addresses: the first ${size - missing} of ${size} bytes are mapped for ${client.name}`,
				]);
				return;
			}
			if (mapping === null || vb.skip_cache_sync_on_prepare || !this.#lined(mapping)) continue;
			const line = this.#line(mapping, (at, n) => this.watched.machine.ram.firstDirty(at, n));
			if (line < 0) continue;
			this.#find('INV-OWN', 'missing-sync', plane, mem_ops.prepare?.name, [
				`The driver gets it, and the CPU's line at ${hex(line, 8)} is dirty: memory does not have it`,
				'has to call dma_sync_sgtable_for_device(), with the buffer’s list and direction, before a driver gets the buffer',
			]);
		}
	}

	#done(q: vb2_queue, vb: vb2_buffer): void {
		for (const plane of this.#planes(q, vb)) {
			const { client, mapping, addr, size } = plane;
			const still = this.targets.inUse(client, addr, addr + size - 1);
			if (still !== null) {
				this.#find('INV-LIVE-MAP', 'done-in-use', plane, 'vb2_buffer_done', [
					`The device runs, and has it by ${still.by}`,
					'was called before the device had done with the buffer, or was stopped (a reset): the program may free it, or gets what the device has not written yet',
				]);
				return;
			}
			if (vb.state === VB2_BUF_STATE_QUEUED || vb.skip_cache_sync_on_finish) continue;
			if (mapping === null || !this.#lined(mapping) || mapping.dir === DMA_TO_DEVICE) continue;
			if (mapping.parts.some(({ raced }) => raced)) continue;
			const line = this.#line(mapping, (at, n) => this.watched.machine.ram.firstStale(at, n));
			if (line < 0) continue;
			this.#find('INV-OWN', 'missing-sync', plane, q.mem_ops.finish?.name, [
				`The program gets it, and the CPU's line at ${hex(line, 8)} does not have what is in memory`,
				'has to call dma_sync_sgtable_for_cpu(), with the buffer’s list and direction, before the program gets the buffer',
			]);
		}
	}

	/** Those of the DMA API's. */
	#planes(q: vb2_queue, vb: vb2_buffer): Plane[] {
		const planes: Plane[] = [];
		for (let i = 0; i < vb.num_planes; i++) {
			const { mem_priv, length } = vb.planes[i];
			const dev = q.alloc_devs[i] ?? q.dev;
			const client = dev === null ? null : this.clientOf(dev);
			const addr = mem_priv === null ? undefined : q.mem_ops.cookie?.(vb, mem_priv)?.value;
			if (client === null || typeof addr !== 'number' || length === 0) continue;
			const part =
				client.live.find(addr, addr, ({ mapping }) => beyond(mapping, addr, length) === 0) ??
				client.live.find(addr, addr);
			const text = `Plane ${i} of ${q.is_output ? 'output' : 'capture'} buffer ${vb.index}, [${hex(addr, 8)}, ${hex(addr + length, 8)})`;
			planes.push({ client, mapping: part?.mapping ?? null, addr, size: length, text });
		}
		return planes;
	}

	/** Whether the caches' lines of @mapping are the queue's affair. */
	#lined({ kind, client, routed }: Mapping): boolean {
		return kind === 'noncontiguous' && routed && !client.dev.dma_coherent;
	}

	#line({ parts }: Mapping, search: (at: number, n: number) => number): number {
		for (const { actual, size } of parts) {
			const line = this.watched.machine.ram.is_ram(actual, size) ? search(actual, size) : -1;
			if (line >= 0) return line;
		}
		return -1;
	}

	#find(
		invariant: Invariant,
		kind: string,
		{ client, mapping, text }: Plane,
		fn: string | undefined,
		[seen, owed]: readonly [string, string],
	): void {
		const what = `${fn ?? 'the queue'}()`;
		this.watched.find({
			invariant,
			kind,
			device: client.name,
			moment: 'return',
			what,
			place: what,
			details: [text, seen, ...(mapping?.lines() ?? [])],
			advice: `${what} ${owed}`,
		});
	}
}
