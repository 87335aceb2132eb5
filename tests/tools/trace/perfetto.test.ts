// SPDX-License-Identifier: GPL-2.0-only
// The Perfetto file, read by somebody else's reader: nesting, order, ids.
import { expect } from 'chai';
import protobuf from 'protobufjs';
import { Machine } from '#hw/core/machine.js';
import { boardBlob } from '#tests/boot.js';
import { recordJob } from '#tests/watch/recorded-job.js';
import { PerfettoWriter } from '#tools/trace/perfetto.js';
import type { Step, StepKind } from '#watch/recorder.js';

/** What is read of perfetto's messages: names and numbers are those of its protos/perfetto/trace. */
const PROTO = `
	syntax = "proto2";
	message Trace { repeated TracePacket packet = 1; }
	message TracePacket {
		optional uint64 timestamp = 8;
		optional uint32 trusted_packet_sequence_id = 10;
		optional TrackEvent track_event = 11;
		optional TrackDescriptor track_descriptor = 60;
	}
	message TrackDescriptor {
		optional uint64 uuid = 1;
		optional string name = 2;
		optional ProcessDescriptor process = 3;
		optional uint64 parent_uuid = 5;
		optional CounterDescriptor counter = 8;
	}
	message ProcessDescriptor { optional int32 pid = 1; optional string process_name = 6; }
	message CounterDescriptor {
		enum Unit { UNIT_UNSPECIFIED = 0; UNIT_TIME_NS = 1; UNIT_COUNT = 2; UNIT_SIZE_BYTES = 3; }
		optional Unit unit = 3;
	}
	message TrackEvent {
		enum Type {
			TYPE_UNSPECIFIED = 0; TYPE_SLICE_BEGIN = 1; TYPE_SLICE_END = 2; TYPE_INSTANT = 3; TYPE_COUNTER = 4;
		}
		repeated DebugAnnotation debug_annotations = 4;
		optional Type type = 9;
		optional uint64 track_uuid = 11;
		repeated string categories = 22;
		optional string name = 23;
		optional int64 counter_value = 30;
		repeated fixed64 flow_ids = 47;
	}
	message DebugAnnotation {
		optional string name = 10;
		optional uint64 uint_value = 3;
		optional string string_value = 6;
		optional uint64 pointer_value = 7;
	}`;

interface Track {
	readonly uuid: number;
	readonly name: string;
	readonly parentUuid?: number;
	readonly process?: { readonly pid: number; readonly processName: string };
	readonly counter?: { readonly unit: string };
}

interface Event {
	readonly time: number;
	readonly type: string;
	readonly trackUuid: number;
	readonly name?: string;
	readonly categories?: readonly string[];
	readonly counterValue?: number;
	readonly flowIds?: readonly number[];
	readonly debugAnnotations?: readonly { readonly name: string; readonly uintValue?: number }[];
}

interface Packet {
	readonly timestamp?: number;
	readonly trustedPacketSequenceId: number;
	readonly trackEvent?: Omit<Event, 'time'>;
	readonly trackDescriptor?: Track;
}

const TRACE = protobuf.parse(PROTO).root.lookupType('Trace');

function read(bytes: Uint8Array): { packets: Packet[]; tracks: Map<number, Track>; events: Event[] } {
	const { packet: packets } = TRACE.toObject(TRACE.decode(bytes), {
		longs: Number,
		enums: String,
	}) as { packet: Packet[] };
	const tracks = new Map<number, Track>();
	const events: Event[] = [];
	for (const { timestamp, trackEvent, trackDescriptor } of packets) {
		if (trackDescriptor !== undefined) {
			expect(tracks.has(trackDescriptor.uuid), `track ${trackDescriptor.uuid} twice`).to.equal(false);
			tracks.set(trackDescriptor.uuid, trackDescriptor);
		}
		if (trackEvent !== undefined) events.push({ ...trackEvent, time: timestamp as number });
	}
	return { packets, tracks, events };
}

describe('tools_trace_perfetto', () => {
	let steps: readonly Step[];
	let machine: Machine;
	let trace: ReturnType<typeof read>;
	const named = (name: string): Track[] => [...trace.tracks.values()].filter((track) => track.name === name);
	const on = (name: string): Event[] => {
		const uuids = named(name).map(({ uuid }) => uuid);
		return trace.events.filter(({ trackUuid }) => uuids.includes(trackUuid));
	};
	before(() => {
		const writers: PerfettoWriter[] = [];
		const job = recordJob((made) => {
			const writer = new PerfettoWriter(made);
			writers.push(writer);
			return { onStep: (step) => writer.step(step) };
		});
		({ steps, machine } = job);
		trace = read((writers.at(-1) as PerfettoWriter).done(steps));
	});

	it('has a track for each CPU, master and IOMMU, in groups that are processes', () => {
		for (const name of ['cpu0', ...machine.ports.map((port) => port.name), '30f0000.iommu']) {
			const [track] = named(name);
			expect(track, name).not.to.equal(undefined);
			expect(trace.tracks.get(track.parentUuid as number)?.process?.pid, name).to.be.above(0);
		}
		const pids = [...trace.tracks.values()].flatMap(({ process }) => process?.pid ?? []);
		expect(new Set(pids).size).to.equal(pids.length);
	});

	it('describes each track before its first event, all by one sequence', () => {
		const known = new Set<number>();
		for (const { trackDescriptor, trackEvent, trustedPacketSequenceId } of trace.packets) {
			expect(trustedPacketSequenceId).to.equal(1);
			if (trackDescriptor !== undefined) known.add(trackDescriptor.uuid);
			if (trackEvent !== undefined) expect(known.has(trackEvent.trackUuid), trackEvent.name).to.equal(true);
		}
	});

	it('goes on in time', () => {
		let last = 0;
		for (const { time, name } of trace.events) {
			expect(time, name).to.be.at.least(last);
			last = time;
		}
	});

	it('nests: each slice ends once, on the track it began, and none but events of slices is there', () => {
		const open = new Map<number, number>();
		for (const { type, trackUuid } of trace.events) {
			const depth = open.get(trackUuid) ?? 0;
			if (type === 'TYPE_SLICE_BEGIN') open.set(trackUuid, depth + 1);
			if (type === 'TYPE_SLICE_END') {
				expect(depth, trace.tracks.get(trackUuid)?.name).to.be.above(0);
				open.set(trackUuid, depth - 1);
			}
			expect(type === 'TYPE_COUNTER').to.equal(trace.tracks.get(trackUuid)?.counter !== undefined);
		}
		expect([...open.values()].every((depth) => depth === 0)).to.equal(true);
	});

	it('has each step once, by its number', () => {
		const numbers = trace.events
			.filter(({ trackUuid }) => trace.tracks.get(trackUuid)?.name !== 'mappings')
			.flatMap(
				({ debugAnnotations }) => debugAnnotations?.find(({ name }) => name === 'step')?.uintValue ?? [],
			);
		const exits = steps.filter(({ text }) => text.startsWith('irq_handler_exit'));
		expect(numbers).to.deep.equal(steps.filter((step) => !exits.includes(step)).map(({ number }) => number));
	});

	it('has mappings on tracks of one name, one at a time on each, from map to unmap', () => {
		const tracks = named('mappings');
		expect(tracks.length).to.be.above(1);
		for (const { uuid } of tracks) {
			const types = trace.events.filter(({ trackUuid }) => trackUuid === uuid).map(({ type }) => type);
			expect(types.length % 2).to.equal(0);
			expect(types.every((type, i) => type === `TYPE_SLICE_${i % 2 === 0 ? 'BEGIN' : 'END'}`)).to.equal(true);
		}
	});

	it('leads a flow from each mapping that was used to the bursts that used it', () => {
		const began = new Map<number, Event>();
		for (const event of on('mappings'))
			for (const id of event.flowIds ?? []) {
				expect(began.has(id), `flow ${id} begins twice`).to.equal(false);
				began.set(id, event);
			}
		for (const master of ['1c0e000.video-codec', '1100000.mixer']) {
			const bursts = on(master).filter(({ type }) => type === 'TYPE_SLICE_BEGIN');
			expect(bursts.length, master).to.be.above(0);
			for (const { flowIds, time } of bursts) {
				expect(flowIds).to.have.length(1);
				expect(began.get((flowIds as readonly number[])[0])?.time).to.be.at.most(time);
			}
		}
	});

	it('counts mapped bytes down to what is still mapped, lines, hits and fills upwards', () => {
		const values = (name: string): number[] => on(name).map(({ counterValue }) => counterValue as number);
		const mapped = values('mapped bytes');
		expect(Math.max(...mapped)).to.be.above(0);
		const sum = (verb: string): number =>
			steps.filter(({ text }) => text.startsWith(`${verb}: IOMMU`)).reduce((all, { size }) => all + size, 0);
		expect(mapped.at(-1)).to.equal(sum('map') - sum('unmap'));
		for (const name of ['dirty lines cleaned', '30f0000.iommu hits', '30f0000.iommu fills']) {
			const rising = values(name);
			expect(rising.length, name).to.be.above(1);
			expect(rising, name).to.deep.equal([...rising].sort((a, b) => a - b));
		}
		expect(values('30f0000.iommu fills').at(-1)).to.equal(steps.filter(({ kind }) => kind === 'fill').length);
	});

	/** Steps that nobody has recorded. */
	type Told = readonly [kind: StepKind, who: string, text: string, addr: number, size: number];
	const stepsOf = (...told: readonly Told[]): Step[] =>
		told.map(([kind, who, text, addr, size], i) => ({
			number: i + 1,
			time: 10 * i,
			end: 10 * i,
			kind,
			who,
			text,
			addr,
			size,
			depth: 0,
		}));
	const flowsOf = (...told: readonly Told[]): (readonly number[] | undefined)[] => {
		const board = new Machine(boardBlob('sun50i-h6-orangepi-3'));
		const { events, tracks } = read(new PerfettoWriter(board).done(stepsOf(...told)));
		return events
			.filter(
				({ type, trackUuid }) => type !== 'TYPE_SLICE_END' && tracks.get(trackUuid)?.counter === undefined,
			)
			.map(({ flowIds }) => flowIds);
	};

	it('leads a flow to a fault in a mapping, and to one in what was mapped last, and to no other', () => {
		expect(
			flowsOf(
				['trace', 'cpu0', 'map: IOMMU: iova=0x1000 - 0x2000 paddr=0x5000 size=4096', 0x1000, 0x1000],
				['fault', '30f0000.iommu', 'permission (L2): write', 0x1800, -1],
				['trace', 'cpu0', 'unmap: IOMMU: iova=0x1000 - 0x2000 size=4096 unmapped_size=4096', 0x1000, 0x1000],
				['trace', 'cpu0', 'map: IOMMU: iova=0x3000 - 0x4000 paddr=0x6000 size=4096', 0x3000, 0x1000],
				['fault', '30f0000.iommu', 'translation (L2): read', 0x1000, -1],
				['fault', '30f0000.iommu', 'translation (L2): read', 0x2000, -1],
			),
		).to.deep.equal([undefined, [1], [1], undefined, undefined, [2], [1], undefined]);
	});

	it('takes pieces that are mapped side by side for one, until all of it is unmapped', () => {
		const map = (at: number): Told => ['trace', 'cpu0', `map: IOMMU: iova=${at}`, at, 0x1000];
		const unmap = (at: number): Told => ['trace', 'cpu0', 'unmap: IOMMU: unmapped_size=4096', at, 0x1000];
		const board = new Machine(boardBlob('sun50i-h6-orangepi-3'));
		const told = stepsOf(map(0x1000), map(0x2000), unmap(0x1000), map(0x5000), unmap(0x2000));
		const { events, tracks } = read(new PerfettoWriter(board).done(told));
		const slices = events
			.filter(({ trackUuid }) => tracks.get(trackUuid)?.name === 'mappings')
			.map(({ type, name, time }) => [type.slice('TYPE_SLICE_'.length), name, time]);
		expect(slices).to.deep.equal([
			['BEGIN', '0x00001000+0x2000', 0],
			['BEGIN', '0x00005000+0x1000', 30],
			['END', undefined, 40],
			['END', undefined, 40],
		]);
	});
});
