// SPDX-License-Identifier: GPL-2.0-only
// A random program of clients that do everything right, one step after the other.
//
// What a step does comes from the seed and its number alone, as far as what is there allows: without some of its steps a
// program is one that does everything right, too.

import { cpu_context } from '#asm/current.js';
import {
	iommu_attach_group,
	iommu_detach_group,
	iommu_group_replace_domain,
	iommu_paging_domain_alloc,
} from '#drivers/iommu/iommu.js';
import type { TestMaster } from '#hw/misc/test-master.js';
import type { device } from '#linux/device.js';
import type { iommu_group } from '#linux/iommu.js';
import { run_on_cpu } from '#linux/smp.js';
import { ok } from '#tests/drivers/iommu/rig.js';
import type { Rig } from '#tools/check/rig.js';
import type { Action, Chaos, Draw } from '#watch/chaos.js';
import { type Buffer, endBuffer, mapBuffer, syncBuffer } from './client.js';
import { type Layout, Space } from './space.js';
import { below, oneOf, type Shared, transfer } from './transfer.js';

/** The most that is mapped at once by one group. */
const MOST = 10;
/** The mean of pauses between steps. */
const PAUSE_NS = 20_000;
const STREAM_PERIODS_NS = [2000, 5000, 20_000];
/** Time for all that is on its way: interrupts, the flush queue's timer. */
const SETTLE_NS = 50e6;

/** The devices of a group, and what is mapped for them: by the DMA API, or in a space that is attached instead. */
class Lane {
	readonly buffers: Buffer[] = [];
	space: Space | null = null;
	readonly streams = new Map<TestMaster, Shared>();

	constructor(
		readonly group: iommu_group,
		readonly devices: { readonly dev: device; readonly master: TestMaster }[],
	) {}

	get masters(): readonly TestMaster[] {
		return this.devices.map(({ master }) => master);
	}

	/** What masters may use now. */
	get shared(): readonly Shared[] {
		return this.space === null ? this.buffers : this.space.regions;
	}

	/** @shared is about to end: its masters are told to stop. */
	readonly halt = (shared: Shared): void => {
		for (const [master, what] of this.streams)
			if (what === shared) {
				master.halt();
				this.streams.delete(master);
			}
	};
}

/** What a step, or another CPU, can do with a lane: what was done, or null. */
type Op = (lane: Lane, draw: Draw) => string | null;

export class Program {
	readonly lanes: readonly Lane[];
	/** A step that no other CPU may come between: it says whose the device is. */
	#alone = false;

	constructor(
		readonly rig: Rig,
		readonly layout: Layout,
	) {
		const lanes: Lane[] = [];
		for (let n = 0; n < rig.count; n++) {
			const dev = rig.device(n);
			const master = rig.masters.model(rig.master(n));
			const lane = lanes.find(({ group }) => group === dev.iommu_group);
			if (lane === undefined) lanes.push(new Lane(dev.iommu_group!, [{ dev, master }]));
			else lane.devices.push({ dev, master });
		}
		this.lanes = lanes;
	}

	/** Do the step @n as @chaos has it: what was done, null for nothing. */
	step(chaos: Chaos, n: number): string | null {
		const draw = chaos.draw(`step ${n}`);
		const lane = oneOf(draw, this.lanes);
		const op = this.#opOf(lane, draw);
		this.#alone = op === this.#attach || op === this.#replace || op === this.#detach;
		const done = op(lane, draw);
		this.#alone = false;
		if (draw() < 0.5) this.rig.machine.advance(Math.ceil(-Math.log(1 - draw()) * PAUSE_NS));
		return done;
	}

	/** All that goes on ends. */
	end(draw: Draw): void {
		for (const lane of this.lanes) {
			if (lane.space !== null) this.#detach(lane, draw);
			while (lane.buffers.length > 0) this.#endBuffer(lane, draw);
			for (const master of lane.masters)
				if (master.streamRefused > 0) throw new Error(`${master.name} streamed, and was refused`);
		}
		this.rig.machine.advance(SETTLE_NS);
	}

	/** What can happen at a scheduling point because this program runs. */
	get actions(): Action[] {
		return [
			{
				name: 'a master uses what is mapped for it',
				weight: 6,
				run: (draw) => {
					const shared = this.lanes.flatMap((lane) => [...lane.shared]);
					return shared.length === 0 ? null : transfer(oneOf(draw, shared), draw);
				},
			},
			{
				name: 'another CPU goes on',
				weight: 6,
				run: (draw) => {
					// It would wait for a lock of this one's, and this one stands still.
					if (this.#alone || cpu_context.current.lockdep_depth > 0) return null;
					const lane = oneOf(draw, this.lanes);
					const op = this.#mapOrUnmap(lane, draw);
					const done = run_on_cpu(1, () => op(lane, draw));
					return done === null ? null : `CPU 1 ${done}`;
				},
			},
		];
	}

	#opOf(lane: Lane, draw: Draw): Op {
		const part = draw();
		if (part < 0.5) return this.#mapOrUnmap(lane, draw);
		if (part < 0.75) return this.#transfer;
		if (part < 0.82) return this.#stream;
		if (part < 0.92) return lane.space === null ? this.#sync : this.#replace;
		return lane.space === null ? this.#attach : this.#detach;
	}

	#mapOrUnmap(lane: Lane, draw: Draw): Op {
		const full = lane.shared.length >= MOST;
		const map = !full && (lane.shared.length === 0 || draw() < 0.55);
		if (lane.space !== null) return map ? this.#mapRegion : this.#unmapRegion;
		return map ? this.#mapBuffer : this.#endBuffer;
	}

	readonly #mapBuffer: Op = (lane, draw) => {
		const { dev, master } = oneOf(draw, lane.devices);
		const buffer = mapBuffer(dev, master, draw);
		lane.buffers.push(buffer);
		return `maps for ${master.name} ${buffer.name}`;
	};

	readonly #endBuffer: Op = (lane, draw) => {
		const buffer = this.#take(lane, draw);
		if (buffer === null) return null;
		const { name } = buffer;
		endBuffer(buffer);
		return `unmaps ${name}`;
	};

	readonly #sync: Op = (lane, draw) => {
		const buffer = this.#take(lane, draw);
		if (buffer === null) return null;
		syncBuffer(buffer, draw);
		lane.buffers.push(buffer);
		return `syncs ${buffer.name}`;
	};

	/** A buffer that the device has no more. */
	#take(lane: Lane, draw: Draw): Buffer | null {
		if (lane.buffers.length === 0) return null;
		const [buffer] = lane.buffers.splice(below(draw, lane.buffers.length), 1);
		lane.halt(buffer);
		return buffer;
	}

	readonly #mapRegion: Op = (lane, draw) => {
		const done = lane.space!.map(draw);
		return done === null ? null : `maps ${done}`;
	};

	readonly #unmapRegion: Op = (lane, draw) => {
		const done = lane.space!.unmap(draw, lane.halt);
		return done === null ? null : `unmaps ${done}`;
	};

	readonly #transfer: Op = (lane, draw) => {
		const { shared } = lane;
		return shared.length === 0 ? null : transfer(oneOf(draw, shared), draw);
	};

	readonly #stream: Op = (lane, draw) => {
		const all = lane.shared.filter(({ reads }) => reads);
		if (all.length === 0) return null;
		const shared = oneOf(draw, all);
		const master = oneOf(draw, shared.masters);
		const { addr, size } = oneOf(draw, shared.segments);
		master.stream({ addr, size, write: false, periodNs: oneOf(draw, STREAM_PERIODS_NS) });
		lane.streams.set(master, shared);
		return `${master.name} streams from 0x${addr.toString(16)}`;
	};

	/** A space of the client's own in the place of the DMA API's. */
	readonly #attach: Op = (lane, draw) => {
		while (lane.buffers.length > 0) this.#endBuffer(lane, draw);
		const space = this.#space(lane, draw);
		const ret = iommu_attach_group(space.domain, lane.group);
		if (ret !== 0) throw new Error(`iommu_attach_group() answers ${ret}`);
		lane.space = space;
		return 'attaches a domain';
	};

	readonly #replace: Op = (lane, draw) => {
		const old = this.#leave(lane);
		const space = this.#space(lane, draw);
		const ret = iommu_group_replace_domain(lane.group, space.domain);
		if (ret !== 0) throw new Error(`iommu_group_replace_domain() answers ${ret}`);
		lane.space = space;
		old.end(draw, lane.halt);
		return 'attaches another domain';
	};

	readonly #detach: Op = (lane, draw) => {
		const space = this.#leave(lane);
		iommu_detach_group(space.domain, lane.group);
		space.end(draw, lane.halt);
		return 'detaches its domain';
	};

	/** The masters are done with the lane's space. */
	#leave(lane: Lane): Space {
		const space = lane.space!;
		for (const region of space.regions) lane.halt(region);
		lane.space = null;
		return space;
	}

	/** A new domain, with something mapped already, or not. */
	#space(lane: Lane, draw: Draw): Space {
		const domain = ok(iommu_paging_domain_alloc(lane.devices[0].dev));
		const space = new Space(domain, this.layout, lane.masters);
		for (let n = below(draw, 3); n > 0; n--) space.map(draw);
		return space;
	}
}
